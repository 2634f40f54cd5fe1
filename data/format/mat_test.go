package format

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"slices"
	"testing"
)

// matHead is the header of a MAT file.
func matHead(order binary.AppendByteOrder) []byte {
	head := append([]byte("MATLAB 5.0 MAT-file"), bytes.Repeat([]byte(" "), 124-19)...)
	return order.AppendUint16(order.AppendUint16(head, 0x0100), 'M'<<8|'I')
}

// matElement is a tag, data, and padding to 8 bytes.
func matElement(order binary.AppendByteOrder, element uint32, data ...byte) []byte {
	b := append(order.AppendUint32(order.AppendUint32(nil, element), uint32(len(data))), data...)
	if element == miCompressed {
		return b
	}
	return append(b, make([]byte, -len(data)&7)...)
}

// matVariable is an array of 2x3 bytes, whose values are given.
func matVariable(order binary.AppendByteOrder, name string, flags uint32, values ...byte) []byte {
	return matElement(order, miMatrix, slices.Concat(
		matElement(order, miUint32, order.AppendUint32(order.AppendUint32(nil, flags), 0)...),
		matElement(order, miInt32, order.AppendUint32(order.AppendUint32(nil, 2), 3)...),
		matElement(order, miInt8, []byte(name)...),
		matElement(order, 2, values...))...)
}

func matPacked(t testing.TB, order binary.AppendByteOrder, variable []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(variable); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return matElement(order, miCompressed, out.Bytes()...)
}

const classUint8 = 9

func readMAT(file []byte) error {
	_, err := ReadMAT(bytes.NewReader(file), 1000)
	return err
}

// What SciPy wrote: SVHN's form in little.
func TestMAT(t *testing.T) {
	for _, name := range []string{"svhn.mat", "plain.mat"} {
		file := fixture(t, name)
		arrays, err := ReadMAT(bytes.NewReader(file), 1000)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, y := arrays["X"], arrays["y"]
		if !slices.Equal(x.Shape, []int{2, 3, 3, 4}) || x.Type != Uint8 || !slices.Equal(y.Shape, []int{4, 1}) || y.Type != Float64 || !x.ColumnMajor {
			t.Fatalf("%s: X is %v of %s and y %v of %s", name, x.Shape, x.Type, y.Shape, y.Type)
		}
		values, err := x.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for n := range 4 {
			for c := range 3 {
				for w := range 3 {
					for h := range 2 {
						if want := uint8(h + 10*w + 50*c + n); values[i] != want {
							t.Fatalf("%s: value %d is %d, want %d", name, i, values[i], want)
						}
						i++
					}
				}
			}
		}
		if labels, err := y.Integers(); err != nil || !slices.Equal(labels, []int64{1, 10, 3, 10}) {
			t.Errorf("%s: labels %v (%v)", name, labels, err)
		}
		if name != "plain.mat" {
			continue
		}
		if half := arrays["half"]; !slices.Equal(floats(half), []float64{.5, -1.5}) {
			t.Errorf("half is %v", floats(half))
		}
		if long := arrays["long"]; !slices.Equal(floats(long), []float64{0, 1, 2}) || long.Type != Int64 {
			t.Errorf("long is %v of %s", floats(long), long.Type)
		}
		if flag := arrays["flag"]; !slices.Equal(floats(flag), []float64{1, 0}) || flag.Type != Bool {
			t.Errorf("flag is %v of %s", floats(flag), flag.Type)
		}
	}
}

// What MATLAB wrote, big-endian and compressed; the values are those that SciPy
// reads.
func TestMATLAB(t *testing.T) {
	want := []float64{1, 2, 3, 2, 0, 0, 3, 0, 0, 4, 0, 0, 5, 0, 0} // 3x5, column by column
	for file, name := range map[string]string{"testmatrix_6.1_SOL2.mat": "testmatrix", "testmulti_7.4_GLNX86.mat": "a"} {
		arrays, err := ReadMAT(bytes.NewReader(fixture(t, file)), 1000)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if a := arrays[name]; !slices.Equal(floats(a), want) || !slices.Equal(a.Shape, []int{3, 5}) || a.Type != Float64 {
			t.Errorf("%s: got %v of %v", file, floats(a), a.Shape)
		}
	}
}

func TestMATCuts(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		variable := matVariable(order, "X", classUint8, 1, 2, 3, 4, 5, 6)
		for _, body := range [][]byte{variable, matPacked(t, order, variable)} {
			file := slices.Concat(matHead(order), body)
			refusesCuts(t, file, readMAT)
		}
	}
}

func TestMATRefuses(t *testing.T) {
	order := binary.LittleEndian
	good := matVariable(order, "X", classUint8, 1, 2, 3, 4, 5, 6)
	with := func(at int, b ...byte) []byte { // good with other bytes in some place
		return slices.Concat(good[:at], b, good[at+len(b):])
	}
	packed := matPacked(t, order, good)
	junk := matElement(order, miCompressed, append(slices.Clone(packed[8:]), 0, 0, 0)...)
	absurd := order.AppendUint32(order.AppendUint32(nil, 1<<31-1), 1<<31-1)
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"twice":               {append(slices.Clone(good), good...), `variable "X": it is there twice`},
		"no variable":         {matElement(order, miUint32, 1, 2, 3, 4), "at byte 128 begins an element of type 6, and variables are 14 or, compressed, 15"},
		"bad tag":             {[]byte{14, 0, 9, 0, 0, 0, 0, 0}, "at byte 128 the tag of the variable is 0x0e00090000000000, which is none"},
		"flags cut":           {good[:12], "it is cut short: it ends at byte 140, in the tag of the flags from 136 to 144"},
		"flags of other type": {with(8, 5), "the flags before byte 144: an element of type 5 and 8 bytes, where type 6 and at most 8 bytes are right"},
		"few flags":           {with(12, 4), "a variable has 4 bytes of flags, not 8"},
		"dimensions too many": {with(28, 200), "the dimensions before byte 160: an element of type 5 and 200 bytes, where type 5 and at most 128 bytes"},
		"one dimension":       {with(28, 4), "a variable has 4 bytes of dimensions"},
		"absurd dimensions":   {with(32, absurd...), `variable "X": its shape [2147483647 2147483647] of uint8 takes more than the 1000 bytes`},
		"negative dimensions": {with(32, 255, 255, 255, 255), `its shape [-1 3] has no room for a value`},
		"absurd name":         {with(44, 0, 0, 0, 127), "the name before byte 176: an element of type 1 and 2130706432 bytes"},
		"no numbers":          {with(56, 16), `variable "X": its values are an element of type 16, which is none of numbers`},
		"other count":         {with(60, 5), `variable "X": its shape [2 3] of uint8 takes 6 bytes, but there are 5`},
		"longer than tag":     {with(4, 48), "the values of a variable continue beyond byte 184, where its tag says that it ends"},
		"shorter than tag":    {with(4, 72), `variable "X": it ends at byte 200, but its tag says 208`},
		"struct":              {with(16, 2), `variable "X": it is of class 2 (struct): only arrays of numbers are read`},
		"sparse":              {with(16, 5), "class 5 (sparse)"},
		"unknown class":       {with(16, 77), "class 77 (not of MAT 5)"},
		"complex":             {with(17, 8), `variable "X": its numbers are complex`},
		"not packed":          {matElement(order, miCompressed, 1, 2, 3, 4), "in the compressed variable at byte 128: zlib: invalid header"},
		"packed, no variable": {matPacked(t, order, matElement(order, miUint32, 1, 2)), "it is an element of type 6, and variables are 14"},
		"packed, cut":         {matPacked(t, order, good[:60]), "it ends at decompressed byte 60, in the tag of the values from 56 to 64"},
		"packed, more in it":  {matPacked(t, order, append(slices.Clone(good), 0)), "it continues after its end at decompressed byte 72"},
		"packed, more after":  {junk, "3 of its "},
		"packed, bomb":        {matPacked(t, order, append(slices.Clone(good), make([]byte, 1<<20)...)), "it continues after its end"},
	} {
		t.Run(name, func(t *testing.T) { says(t, readMAT(append(matHead(order), c.body...)), c.want) })
	}
	head := matHead(order)
	says(t, readMAT([]byte("MATLAB")), "it is cut short: it ends at byte 6, in the header from 0 to 128")
	says(t, readMAT(bytes.Repeat([]byte("x"), 200)), `bytes 126 and 127 are "xx", in a MAT file of version 5 IM or MI`)
	says(t, readMAT(slices.Concat(head[:124], []byte{0, 2}, head[126:])), "its version is 0x0200, that of MAT 5 is 0x0100 (in MATLAB, save with -v7)")
	// The limit is for all variables together.
	two := slices.Concat(head, good, matVariable(order, "Z", classUint8, 1, 2, 3, 4, 5, 6))
	if _, err := ReadMAT(bytes.NewReader(two), 12); err != nil {
		t.Error(err)
	}
	_, err := ReadMAT(bytes.NewReader(two), 11)
	says(t, err, `variable "Z": its shape [2 3] of uint8 takes more than the 5 bytes that are allowed here`)
}

func FuzzMAT(f *testing.F) {
	for _, name := range []string{"svhn.mat", "plain.mat", "testmatrix_6.1_SOL2.mat", "testmulti_7.4_GLNX86.mat"} {
		f.Add(fixture(f, name))
	}
	order := binary.LittleEndian
	f.Add(append(matHead(order), matPacked(f, order, matVariable(order, "X", classUint8, make([]byte, 1<<20)...))...))
	f.Fuzz(func(t *testing.T, file []byte) {
		takesLittle(t, len(file), packedFactor, func() {
			arrays, err := ReadMAT(bytes.NewReader(file), fuzzLimit)
			if err != nil {
				return
			}
			total := 0
			for name, a := range arrays {
				if want, err := bytesOf(a.Shape, a.stored, fuzzLimit); err != nil || len(a.raw) != want {
					t.Errorf("%s: %v of %s has %d bytes, want %d (%v)", name, a.Shape, a.stored, len(a.raw), want, err)
				}
				total += len(a.raw)
			}
			if total > fuzzLimit {
				t.Errorf("all arrays have %d bytes", total)
			}
		})
	})
}

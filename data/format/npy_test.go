package format

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes/float16"
)

// npyOf writes an NPY file of format 1.0.
func npyOf(header string, values []byte) []byte {
	file := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return slices.Concat(file, []byte(header), values)
}

// What NumPy wrote.
func TestNPY(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		kind  Type
		want  []float64
	}{
		{"u1.npy", []int{2, 3}, Uint8, []float64{0, 1, 2, 3, 4, 5}},
		{"i2-big.npy", []int{2, 3}, Int16, []float64{-3, -2, -1, 0, 1, 2}},
		{"f8-fortran.npy", []int{2, 3}, Float64, []float64{0, .5, 1, 1.5, 2, 2.5}},
		{"f4.npy", []int{3}, Float32, []float64{1, 2, -3}},
		{"bool.npy", []int{1, 2}, Bool, []float64{1, 0}},
		{"scalar.npy", nil, Int64, []float64{7}},
		{"v2.npy", []int{2, 3}, Int64, []float64{0, 1, 2, 3, 4, 5}},
		{"v3.npy", []int{2, 3}, Int64, []float64{0, 1, 2, 3, 4, 5}},
	} {
		file := fixture(t, c.name)
		a, err := ReadNPY(bytes.NewReader(file), 100)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := floats(a); !slices.Equal(got, c.want) || !slices.Equal(a.Shape, c.shape) || a.Type != c.kind || a.ColumnMajor {
			t.Errorf("%s: got %v of %v %s, want %v of %v %s", c.name, got, a.Shape, a.Type, c.want, c.shape, c.kind)
		}
		refusesCuts(t, file, func(file []byte) error {
			_, err := ReadNPY(bytes.NewReader(file), 100)
			return err
		})
	}
}

// The header is a dictionary of Python, in whatever way it is written.
func TestNPYHeaders(t *testing.T) {
	for _, header := range []string{
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n",
		"{'shape': (2,), 'fortran_order': False, 'descr': '|u1'}",
		`{"descr":"<u1","fortran_order":True,"shape":(2L,)}` + "          \n",
		"\n{ 'descr' : '>u1' , 'fortran_order' : False,\n 'shape' : ( 1, 2 ) , } ",
	} {
		a, err := ReadNPY(bytes.NewReader(npyOf(header, []byte{8, 9})), 100)
		if err != nil {
			t.Errorf("%q: %v", header, err)
		} else if b, err := a.Bytes(); err != nil || !slices.Equal(b, []byte{8, 9}) {
			t.Errorf("%q: got %v (%v)", header, b, err)
		}
	}
}

func TestNPYRefuses(t *testing.T) {
	header := func(descr, fortran, shape string) []byte {
		return npyOf("{'descr': "+descr+", 'fortran_order': "+fortran+", 'shape': "+shape+", }\n", nil)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":              {nil, "it is cut short: it ends at byte 0, in the magic number and version from 0 to 8"},
		"zip":                {[]byte("PK\x03\x04\x14\x00\x00\x00"), `it begins with "PK\x03\x04\x14\x00", and NPY files with "\x93NUMPY"`},
		"format 4":           {[]byte("\x93NUMPY\x04\x00"), "its NPY format is 4.0: 1.0, 2.0 and 3.0 are known"},
		"absurd header":      {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "its header has 4294967295 bytes: more than 10000 are refused"},
		"cut header":         {npyOf(strings.Repeat(" ", 80), nil)[:50], "it ends at byte 50, in the header from 10 to 90"},
		"no dictionary":      {npyOf("[1, 2]", nil), `its header "[1, 2]" is no NPY header: it has no {`},
		"open dictionary":    {npyOf("{'descr': '<u1'", nil), "it has no }"},
		"open quotes":        {npyOf("{'descr': '<u1, 'shape': (3,)}", nil), "is no NPY header"},
		"no key":             {npyOf("{'descr', 'shape'}", nil), "a key is missing or there twice"},
		"a key twice":        {npyOf("{'descr': '<u1', 'descr': '<u1'}", nil), "a key is missing or there twice"},
		"no shape":           {npyOf("{'descr': '<u1', 'fortran_order': False}", nil), "lacks shape"},
		"one key more":       {npyOf("{'descr': '<u1', 'fortran_order': False, 'shape': (), 'x': 1}", nil), "has more than descr, fortran_order and shape"},
		"negative":           {header("'<u1'", "False", "(-1, 2)"), `its shape is (-1, 2), and "-1" is no size`},
		"no tuple":           {header("'<u1'", "False", "[2]"), "its shape is [2], no tuple"},
		"two commas":         {header("'<u1'", "False", "(2,,)"), `and "" is no size`},
		"nothing":            {header("'<u1'", "False", "(0, 3)"), "its shape [0 3] has no room for a value"},
		"absurd":             {header("'<f8'", "False", "(4611686018427387903, 4611686018427387903)"), "takes more than the 100 bytes"},
		"beyond 64 bits":     {header("'<f8'", "False", "(99999999999999999999,)"), "is no size"},
		"just above":         {header("'<f8'", "False", "(13,)"), "its shape [13] of float64 takes more than the 100 bytes"},
		"many dimensions":    {header("'<u1'", "False", "("+strings.Repeat("1,", 33)+")"), "it has 33 dimensions"},
		"a zero in it":       {header("'<u1'", "False", "(1,\x002)"), "is no NPY header: it has characters that cannot be printed"},
		"order":              {header("'<u1'", "false", "(1,)"), "its fortran_order is false, neither True nor False"},
		"no byte order":      {header("'|i4'", "False", "(1,)"), "its type is '|i4': numbers are read whose type is"},
		"native byte order":  {header("'=i4'", "False", "(1,)"), "its type is '=i4'"},
		"8 bits":             {header("'<V1'", "False", "(1,)"), "its type is '<V1' (floats of 8 bits have no type of NumPy's; store x.astype('float32'))"},
		"extended precision": {header("'<f16'", "False", "(1,)"), "its type is '<f16'"},
		"complex":            {header("'<c8'", "False", "(1,)"), "its type is '<c8'"},
		"text":               {header("'<U5'", "False", "(1,)"), "its type is '<U5'"},
		"records":            {header("[('x', '<f4')]", "False", "(1,)"), "its type is [('x', '<f4')]"},
		"objects":            {header("'|O'", "False", "(1,)"), "its type is '|O' (pickled objects of Python, which can run programs, are never read)"},
		"cut in values":      {append(header("'<i4'", "False", "(2,)"), 1, 2, 3, 4, 5), "in the values from"},
		"more than its size": {append(header("'<i4'", "False", "(1,)"), 1, 2, 3, 4, 5), "it continues after its end"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadNPY(bytes.NewReader(c.file), 100)
			says(t, err, c.want)
		})
	}
}

// numpy 2.4.6 and ml_dtypes 0.6.0 of [[.5,-1.25,3],[1,0,2.5]], and the extremes of both.
func TestNPYHalfPrecision(t *testing.T) {
	for _, c := range []struct {
		descr, raw string
		kind       Type
		want       []float64
	}{
		{"<f2", "\x00\x38\x00\xbd\x00\x42\x00\x3c\x00\x00\x00\x41", Float16, []float64{.5, -1.25, 3, 1, 0, 2.5}},
		{">f2", "\x38\x00\xbd\x00\x42\x00\x3c\x00\x00\x00\x41\x00", Float16, []float64{.5, -1.25, 3, 1, 0, 2.5}},
		{"<V2", "\x00\x3f\xa0\xbf\x40\x40\x80\x3f\x00\x00\x20\x40", BFloat16, []float64{.5, -1.25, 3, 1, 0, 2.5}},
		{"|V2", "\x00\x3f\xa0\xbf\x40\x40\x80\x3f\x00\x00\x20\x40", BFloat16, []float64{.5, -1.25, 3, 1, 0, 2.5}},
		{"<f2", "\xff\x7b\x01\x00\x00\x80\x00\x7c\x00\xfc\x00\x04", Float16, []float64{65504, 0x1p-24, 0, math.Inf(1), math.Inf(-1), 0x1p-14}},
		{"<V2", "\x7f\x7f\x01\x00\x00\x80\x80\x7f\x80\xff\x80\x00", BFloat16, []float64{0x1.fep127, 0x1p-133, 0, math.Inf(1), math.Inf(-1), 0x1p-126}},
	} {
		a, err := ReadNPY(bytes.NewReader(npyOf("{'descr': '"+c.descr+"', 'fortran_order': False, 'shape': (2, 3), }\n", []byte(c.raw))), 100)
		if err != nil || a.Type != c.kind || !slices.Equal(a.Floats(), c.want) {
			t.Errorf("%s: %v (%v), want %v", c.descr, a.Floats(), err, c.want)
		}
	}
}

// Each of the 65,536 float16 is what the package float16 makes of it.
func TestHalf(t *testing.T) {
	for bits := range 1 << 16 {
		got, want := half(uint16(bits)), float64(float16.FromBits(uint16(bits)).Float32())
		if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("0x%04x is %v, want %v", bits, got, want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	for _, name := range []string{"u1.npy", "i2-big.npy", "f8-fortran.npy", "bool.npy", "scalar.npy", "v2.npy", "v3.npy"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Add(npyOf("{'descr': '<f8', 'fortran_order': True, 'shape': (8000000,)}", nil))
	f.Add(npyOf("{'descr': [('x', '<f8')], 'fortran_order': True, 'shape': (1L,)}", nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		takesLittle(t, len(file), plainFactor, func() {
			a, err := ReadNPY(bytes.NewReader(file), fuzzLimit)
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("an error of more than one line: %q", err)
				}
				return
			}
			if want, err := bytesOf(a.Shape, a.Type, fuzzLimit); err != nil || len(a.raw) != want {
				t.Errorf("%v of %s has %d bytes, want %d (%v)", a.Shape, a.Type, len(a.raw), want, err)
			}
			if values, err := a.Integers(); err == nil && len(values) != a.Len() {
				t.Errorf("%d values became %d", a.Len(), len(values))
			}
		})
	})
}

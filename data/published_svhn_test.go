package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
)

// smallSVHN is SVHN's format in little: 2x2 pixels, three images to train, two
// to test.
func smallSVHN() svhnSet {
	s := svhn()
	s.side, s.examples = 2, [2]int{3, 2}
	return s
}

// matFile is a MAT file of version 5 of compressed variables, as MATLAB wrote
// SVHN's.
func matFile(t testing.TB, variables ...[]byte) []byte {
	t.Helper()
	file := []byte(strings.Repeat(" ", 124) + "\x00\x01IM")
	for _, v := range variables {
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		if _, err := w.Write(v); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		file = append(file, matElement(15, packed.Bytes(), 1)...)
	}
	return file
}

// matElement is a data element: type, bytes, data, and zeros up to a multiple.
func matElement(kind uint32, data []byte, multiple int) []byte {
	e := binary.LittleEndian.AppendUint32(nil, kind)
	e = binary.LittleEndian.AppendUint32(e, uint32(len(data)))
	e = append(e, data...)
	for len(e)%multiple != 0 {
		e = append(e, 0)
	}
	return e
}

// matBytes is a variable that is an array of class uint8 (9) with values of type
// miUINT8 (2), the first index running fastest.
func matBytes(name string, shape []int, values []byte) []byte {
	var dims []byte
	for _, n := range shape {
		dims = binary.LittleEndian.AppendUint32(dims, uint32(n))
	}
	return matElement(14, slices.Concat(
		matElement(6, []byte{9, 0, 0, 0, 0, 0, 0, 0}, 8), matElement(5, dims, 8),
		matElement(1, []byte(name), 8), matElement(2, values, 8)), 8)
}

// svhnImages is X of n images. The red pixels of image i are, row by row,
// 20i+1, 20i+2, 20i+3, 20i+4; the green ones 4 more, the blue ones 8 more.
func svhnImages(n int) []byte {
	var x []byte
	for i := range n {
		for channel := range 3 {
			for column := range 2 {
				for row := range 2 {
					x = append(x, byte(20*i+4*channel+2*row+column+1))
				}
			}
		}
	}
	return matBytes("X", []int{2, 2, 3, n}, x)
}

func svhnFile(t testing.TB, labels ...byte) []byte {
	return matFile(t, svhnImages(len(labels)), matBytes("y", []int{len(labels), 1}, labels))
}

func TestSVHNFormat(t *testing.T) {
	s := smallSVHN()
	s.published, _ = s.published.served(t, svhnFile(t, 10, 1, 9), svhnFile(t, 5, 10))
	train, test := open(t, "svhn", Options{Cache: t.TempDir(), published: []source{{"svhn", "", "", s.open}}})
	if got, want := train.String(), "SVHN train: 3 examples of [2 2 3] in 10 classes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !slices.Equal(train.Labels, []int32{0, 1, 9}) || !slices.Equal(test.Labels, []int32{5, 0}) {
		t.Errorf("labels %v and %v, want 10 to have become 0", train.Labels, test.Labels)
	}
	// Image 1, row by row, channels last.
	if want := []uint8{21, 25, 29, 22, 26, 30, 23, 27, 31, 24, 28, 32}; !slices.Equal(train.Pixels[12:24], want) {
		t.Errorf("training image 1 is %v, want %v", train.Pixels[12:24], want)
	}
	if test.License != "for non-commercial use only" || test.Classes[0] != "0" {
		t.Errorf("wrong provenance: %+v", test.Info)
	}
}

// A file that SciPy wrote, in the same order of pixels:
//
//	x = np.arange(2*2*3*2, dtype=np.uint8).reshape(2, 2, 3, 2)
//	savemat("svhn.mat", {"X": x, "y": np.array([[10], [3]], np.uint8)}, do_compression=True)
//
// whose image 1 is x[:, :, :, 1], that is 1 + 12 row + 6 column + 2 channel.
func TestSVHNFromSciPy(t *testing.T) {
	file, err := os.ReadFile("testdata/svhn.mat")
	if err != nil {
		t.Fatal(err)
	}
	d, err := smallSVHN().read(bytes.NewReader(file), "test", 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23}; !slices.Equal(d.Pixels[12:], want) || !slices.Equal(d.Labels, []int32{0, 3}) {
		t.Errorf("image 1 is %v, want %v; labels %v", d.Pixels[12:], want, d.Labels)
	}
}

func TestSVHNRefuses(t *testing.T) {
	y := matBytes("y", []int{3, 1}, []byte{1, 2, 3})
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"label 0":            {svhnFile(t, 1, 0, 2), "label 1 (from 0) is 0, but SVHN's range from 1 to 10"},
		"label 11":           {svhnFile(t, 1, 2, 11), "label 2 (from 0) is 11, but SVHN's range from 1 to 10"},
		"fewer images":       {svhnFile(t, 1, 2), "X has shape [2 2 3 2], want [2 2 3 3]"},
		"fewer labels":       {matFile(t, svhnImages(3), matBytes("y", []int{2, 1}, []byte{1, 2})), "y has 2 labels for the 3 images of X"},
		"no labels":          {matFile(t, svhnImages(3)), "it lacks the variable X or y"},
		"no images":          {matFile(t, y), "it lacks the variable X or y"},
		"grey":               {matFile(t, matBytes("X", []int{2, 2, 1, 3}, make([]byte, 12)), y), "X has shape [2 2 1 3], want [2 2 3 3]"},
		"other format":       {[]byte("\x89HDF\r\n\x1a\n" + strings.Repeat("\x00", 200)), "in a MAT file of version 5 IM or MI"},
		"absurd size":        {matFile(t, matBytes("X", []int{1 << 30, 1 << 30, 3, 3}, nil), y), "allowed"},
		"too many labels":    {matFile(t, svhnImages(3), matBytes("y", []int{400, 1}, make([]byte, 400))), "allowed"},
		"bomb":               {matFile(t, append(svhnImages(3), make([]byte, 8<<20)...), y), "continues after its end"},
		"values too few":     {matFile(t, matBytes("X", []int{2, 2, 3, 3}, make([]byte, 35)), y), "takes 36 bytes, but there are 35"},
		"one variable twice": {matFile(t, svhnImages(3), svhnImages(3), y), "it is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			s := smallSVHN()
			s.published, _ = s.published.served(t, c.file, svhnFile(t, 1, 2))
			cache := t.TempDir()
			_, _, err := s.open(t.Context(), "", Options{Cache: cache, Progress: reporter(discard)})
			says(t, err, "data: "+s.published.Files[0].Path(cache)+": ", c.want)
		})
	}
	everyCut(t, "SVHN", svhnFile(t, 1, 2, 3), func(cut []byte) error {
		_, err := smallSVHN().read(bytes.NewReader(cut), "train", 3)
		return err
	})
}

func FuzzSVHN(f *testing.F) {
	f.Add(svhnFile(f, 1, 2, 10))
	y := matBytes("y", []int{3, 1}, []byte{1, 2, 10})
	f.Add(slices.Concat([]byte(strings.Repeat(" ", 124)+"\x00\x01IM"), svhnImages(3), y)) // not compressed
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := smallSVHN().read(bytes.NewReader(file), "train", 3)
		if err == nil && (d.Len() != 3 || len(d.Pixels) != 36) {
			t.Errorf("accepted %v", d)
		}
	})
}

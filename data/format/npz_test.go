package format

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"
	"testing"
)

// zipOf writes a zip file of names and contents by turns, packed by deflate.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readNPZ reads all arrays of an NPZ file.
func readNPZ(file []byte, limit int64) (map[string]*Array, error) {
	z, err := OpenNPZ(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	arrays := map[string]*Array{}
	for _, name := range z.Names() {
		if arrays[name], err = z.Read(name, limit); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

// What NumPy wrote.
func TestNPZ(t *testing.T) {
	for _, name := range []string{"stored.npz", "deflated.npz"} {
		file := fixture(t, name)
		arrays, err := readNPZ(file, 100)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, y := arrays["x"], arrays["y"]
		if len(arrays) != 2 || !slices.Equal(floats(x), []float64{0, 1, 2, 3, 4, 5}) || !slices.Equal(floats(y), []float64{0, 1}) || y.Type != Int64 {
			t.Errorf("%s: got %v", name, arrays)
		}
		refusesCuts(t, file, func(file []byte) error {
			_, err := readNPZ(file, 100)
			return err
		})
	}
}

// Damage to what counts is noticed: the library compares the checksums.
func TestNPZDamaged(t *testing.T) {
	file := fixture(t, "stored.npz")
	at := bytes.Index(file, []byte("\x93NUMPY")) + 128 // the first value of x
	file[at] ^= 1
	_, err := readNPZ(file, 100)
	says(t, err, `array "x": `, "checksum error")
}

func TestNPZRefuses(t *testing.T) {
	u1 := string(npyOf("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", []byte{1, 2}))
	big := string(npyOf("{'descr': '|u1', 'fortran_order': False, 'shape': (20000,), }", make([]byte, 20000)))
	long := string(npyOf("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", make([]byte, 5000)))
	encrypted := zipOf(t, "x.npy", u1)
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	lies := zipOf(t, "x.npy", u1) // says that it unpacks to 20 bytes
	sizeAt := bytes.Index(lies, []byte("PK\x01\x02")) + 24
	copy(lies[sizeAt:], []byte{20, 0, 0, 0})
	method := zipOf(t, "x.npy", u1)
	method[bytes.Index(method, []byte("PK\x01\x02"))+10] = 93 // Zstandard
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":            {nil, "it is not a whole zip file"},
		"NPY":              {[]byte(u1), "it is not a whole zip file"},
		"goes on":          {append(zipOf(t, "x.npy", u1), "more"...), "it continues after the end of the zip file"},
		"other file":       {zipOf(t, "x.npy", u1, "x.txt", "x"), `it holds "x.txt", and an NPZ file .npy files only`},
		"climbs out":       {zipOf(t, "../x.npy", u1), `the name "../x.npy" leads out of it`},
		"absolute":         {zipOf(t, "/x.npy", u1), `the name "/x.npy" leads out of it`},
		"backslashes":      {zipOf(t, `..\x.npy`, u1), `leads out of it`},
		"twice":            {zipOf(t, "x.npy", u1, "x.npy", u1), `"x.npy" is there twice`},
		"twice, otherwise": {zipOf(t, "x.npy", u1, "./x.npy", u1), `"./x.npy" is there twice`},
		"encrypted":        {encrypted, `"x.npy" is encrypted`},
		"other packing":    {method, `array "x": zip: unsupported compression algorithm`},
		"declared bomb":    {zipOf(t, "x.npy", big), `array "x" takes 20071 bytes, more than the 100 that are allowed here`},
		"more than it":     {zipOf(t, "x.npy", long), `array "x": it continues after its end at byte 69`},
		"lies on its size": {lies, `array "x": at byte 10, in the header: zip: not a valid zip file`},
		"no array":         {zipOf(t, "x.npy", "hello, world"), `array "x": it begins with "hello,"`},
		"cut array":        {zipOf(t, "x.npy", u1[:len(u1)-1]), `array "x": it is cut short`},
		"long array":       {zipOf(t, "x.npy", u1+"x"), `array "x": it continues after its end`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readNPZ(c.file, 100)
			says(t, err, c.want)
		})
	}
	z, err := OpenNPZ(bytes.NewReader(fixture(t, "stored.npz")), 512)
	if err != nil {
		t.Fatal(err)
	}
	_, err = z.Read("train_images", 100)
	says(t, err, `it lacks the array "train_images"; it has ["x" "y"]`)
}

func FuzzNPZ(f *testing.F) {
	f.Add(fixture(f, "stored.npz"))
	f.Add(fixture(f, "deflated.npz"))
	f.Add(zipOf(f, "x.npy", string(npyOf("{'descr': '|u1', 'fortran_order': False, 'shape': (1048576,), }", make([]byte, 1<<20)))))
	f.Add(zipOf(f, "../x.npy", strings.Repeat("x", 100)))
	f.Fuzz(func(t *testing.T, file []byte) {
		// Files of a hostile zip may share bytes, so all are not read, as a
		// caller would not.
		takesLittle(t, len(file), packedFactor, func() {
			z, err := OpenNPZ(bytes.NewReader(file), int64(len(file)))
			if err != nil {
				return
			}
			for _, name := range z.Names()[:min(2, len(z.Names()))] {
				if a, err := z.Read(name, fuzzLimit); err == nil && len(a.raw) > fuzzLimit {
					t.Errorf("%s has %d bytes", name, len(a.raw))
				}
			}
		})
	})
}

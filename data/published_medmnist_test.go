package data

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"ngebm/data/format"
)

// npy is an NPY file of format 1.0, whose header NumPy pads to a multiple of 64
// bytes.
func npy(descr string, shape []int, values ...byte) []byte {
	sides := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	if len(shape) == 1 {
		sides += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, sides)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	return append([]byte("\x93NUMPY\x01\x00"+string([]byte{byte(len(header)), byte(len(header) >> 8)})+header), values...)
}

// zipOf is a zip file, as numpy.savez_compressed writes it.
func zipOf(t testing.TB, files []archived) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		to, err := w.Create(f.name)
		if err == nil {
			_, err = to.Write(f.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// smallMedMNIST is a set's format in little: 2x2 pixels, three images to train,
// two to test.
func smallMedMNIST(name string) medmnist {
	for _, m := range medmnists() {
		if m.published.Title == name {
			m.side, m.train, m.test = 2, 3, 2
			return m
		}
	}
	panic("no set " + name)
}

func medmnistFiles() []archived {
	return []archived{
		{"train_images.npy", npy("|u1", []int{3, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
		{"val_images.npy", npy("|u1", []int{1, 2, 2}, 90, 91, 92, 93)},
		{"test_images.npy", npy("|u1", []int{2, 2, 2}, 21, 22, 23, 24, 25, 26, 27, 28)},
		{"train_labels.npy", npy("|u1", []int{3, 1}, 1, 0, 1)},
		{"val_labels.npy", npy("|u1", []int{1, 1}, 1)},
		{"test_labels.npy", npy("<i8", []int{2, 1}, append(append([]byte{1}, make([]byte, 7)...), make([]byte, 8)...)...)},
	}
}

func TestMedMNISTFormat(t *testing.T) {
	m := smallMedMNIST("PneumoniaMNIST")
	m.published, _ = m.published.served(t, zipOf(t, medmnistFiles()))
	train, test, err := m.open(t.Context(), "", Options{Cache: t.TempDir(), Progress: reporter(discard)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := train.String(), "PneumoniaMNIST train: 3 examples of [2 2 1] in 2 classes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !slices.Equal(train.Pixels, []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) || !slices.Equal(train.Labels, []int32{1, 0, 1}) {
		t.Errorf("to train there are %v and %v", train.Pixels, train.Labels)
	}
	if !slices.Equal(test.Pixels, []uint8{21, 22, 23, 24, 25, 26, 27, 28}) || !slices.Equal(test.Labels, []int32{1, 0}) {
		t.Errorf("to test there are %v and %v", test.Pixels, test.Labels)
	}
	if test.Split != "test" || test.License != "CC-BY-4.0" || test.Classes[1] != "pneumonia" {
		t.Errorf("wrong provenance: %+v", test.Info)
	}
}

// A file in colour that NumPy wrote:
//
//	a = np.arange(3*2*2*3, dtype=np.uint8).reshape(3, 2, 2, 3)
//	l = np.array([[6], [0], [3]], np.uint8)
//	np.savez_compressed("medmnist.npz", train_images=a, val_images=a[:1], test_images=a[1:],
//		train_labels=l, val_labels=l[:1], test_labels=l[1:])
func TestMedMNISTFromNumPy(t *testing.T) {
	file, err := os.ReadFile("testdata/medmnist.npz")
	if err != nil {
		t.Fatal(err)
	}
	m := smallMedMNIST("DermaMNIST")
	m.published, _ = m.published.served(t, file)
	train, test, err := m.open(t.Context(), "", Options{Cache: t.TempDir(), Progress: reporter(discard)})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.Shape, []int{2, 2, 3}) || !slices.Equal(train.Labels, []int32{6, 0, 3}) || train.Pixels[35] != 35 {
		t.Errorf("to train there is %v with %v and %v", train, train.Pixels, train.Labels)
	}
	if !slices.Equal(test.Pixels, train.Pixels[12:]) || !slices.Equal(test.Labels, []int32{0, 3}) || test.License != "CC-BY-NC-4.0" {
		t.Errorf("to test there is %v with %v and %v", test, test.Pixels, test.Labels)
	}
}

func TestMedMNISTRefuses(t *testing.T) {
	many := make([]byte, 8<<20)
	for name, c := range map[string]struct {
		change archived // an array to put in place of the one of that name
		want   string
	}{
		"fewer labels":       {archived{"train_labels.npy", npy("|u1", []int{2, 1}, 1, 0)}, "array train_labels has shape [2 1], want [3 1]"},
		"flat labels":        {archived{"train_labels.npy", npy("|u1", []int{3}, 1, 0, 1)}, "array train_labels has shape [3], want [3 1]"},
		"many labels each":   {archived{"train_labels.npy", npy("|u1", []int{3, 14}, make([]byte, 42)...)}, "array train_labels has shape [3 14], want [3 1]"},
		"label out of range": {archived{"test_labels.npy", npy("|u1", []int{2, 1}, 0, 2)}, "array test_labels: label 1 (from 0) is 2, but labels range from 0 to 1"},
		"negative label":     {archived{"test_labels.npy", npy("|i1", []int{2, 1}, 0, 255)}, "label 1 (from 0) is -1"},
		"more images":        {archived{"test_images.npy", npy("|u1", []int{3, 2, 2}, make([]byte, 12)...)}, "array test_images has shape [3 2 2], want [2 2 2]"},
		"other size":         {archived{"train_images.npy", npy("|u1", []int{3, 4, 2}, make([]byte, 24)...)}, "array train_images has shape [3 4 2], want [3 2 2]"},
		"floats":             {archived{"train_images.npy", npy("<f4", []int{3, 2, 1}, make([]byte, 24)...)}, "array train_images has shape [3 2 1]"},
		"16 bits":            {archived{"train_images.npy", npy("<u2", []int{3, 2, 2}, make([]byte, 24)...)}, "array train_images: it holds uint16, not uint8"},
		"wrong magic number": {archived{"train_images.npy", []byte("\x92NUMPY\x01\x00 ")}, `array "train_images": `},
		"absurd size":        {archived{"train_images.npy", npy("|u1", []int{1 << 40, 1 << 40})}, "allowed"},
		"bomb":               {archived{"train_images.npy", npy("|u1", []int{3, 2, 2}, many...)}, "allowed"},
		"leads out":          {archived{"../x.npy", nil}, `the name "../x.npy" leads out`},
	} {
		t.Run(name, func(t *testing.T) {
			files := slices.DeleteFunc(medmnistFiles(), func(f archived) bool { return f.name == c.change.name })
			m := smallMedMNIST("PneumoniaMNIST")
			m.published, _ = m.published.served(t, zipOf(t, append(files, c.change)))
			cache := t.TempDir()
			_, _, err := m.open(t.Context(), "", Options{Cache: cache, Progress: reporter(discard)})
			says(t, err, "data: "+m.published.Files[0].Path(cache)+": ", c.want)
		})
	}
	m := smallMedMNIST("PneumoniaMNIST")
	everyCut(t, "MedMNIST", zipOf(t, medmnistFiles()), func(cut []byte) error { _, err := m.readBoth(cut); return err })
	for name, want := range map[string]string{
		"chestmnist": "gives each image any number of 14 labels, but the classifiers here need exactly one",
		"bloodmnst":  `no 2D dataset "bloodmnst" with one label per image (did you mean bloodmnist?): choose one of pathmnist, dermamnist, octmnist, pneumoniamnist, retinamnist, breastmnist, bloodmnist, tissuemnist, organamnist, organcmnist, organsmnist`,
	} {
		_, _, err := Open(t.Context(), "medmnist:"+name, Options{Cache: t.TempDir(), Offline: true})
		says(t, err, want)
	}
}

// readBoth reads both parts.
func (m medmnist) readBoth(file []byte) (parts [2]*Dataset, err error) {
	arrays, err := format.OpenNPZ(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return parts, err
	}
	if parts[0], err = m.read(arrays, "train", m.train); err != nil {
		return parts, err
	}
	parts[1], err = m.read(arrays, "test", m.test)
	return parts, err
}

func FuzzMedMNIST(f *testing.F) {
	f.Add(zipOf(f, medmnistFiles()))
	numpy, err := os.ReadFile("testdata/medmnist.npz")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(numpy)
	m := smallMedMNIST("PneumoniaMNIST")
	f.Fuzz(func(t *testing.T, file []byte) {
		parts, err := m.readBoth(file)
		if err == nil && (parts[0].Len() != 3 || parts[1].Len() != 2) {
			t.Errorf("accepted %v", parts)
		}
	})
}

package data

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// smallMNIST is MNIST's format in little: 2x2 pixels, three images to train, two
// to test.
func smallMNIST() mnist {
	m := mnists()[0]
	m.side, m.examples = 2, [2]int{3, 2}
	return m
}

// idx is an IDX file of bytes: the magic number 0x000008nn, n dimensions, each
// big-endian in 4 bytes, and the values.
func idx(shape []int, values ...byte) []byte {
	file := []byte{0, 0, 8, byte(len(shape))}
	for _, n := range shape {
		file = binary.BigEndian.AppendUint32(file, uint32(n))
	}
	return append(file, values...)
}

// mnistFiles are the four files of smallMNIST.
func mnistFiles(t testing.TB) [][]byte {
	return [][]byte{
		gzipOf(t, idx([]int{3, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255)),
		gzipOf(t, idx([]int{3}, 7, 0, 9)),
		gzipOf(t, idx([]int{2, 2, 2}, 21, 22, 23, 24, 25, 26, 27, 28)),
		gzipOf(t, idx([]int{2}, 3, 1)),
	}
}

func TestMNISTFormat(t *testing.T) {
	m := smallMNIST()
	m.published, _ = m.published.served(t, mnistFiles(t)...)
	told := &reports{}
	train, test, err := m.open(t.Context(), "", Options{Cache: t.TempDir(), Progress: told})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := train.String(), "MNIST train: 3 examples of [2 2 1] in 10 classes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !slices.Equal(train.Pixels, []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255}) || !slices.Equal(train.Labels, []int32{7, 0, 9}) {
		t.Errorf("to train there are %v and %v", train.Pixels, train.Labels)
	}
	if !slices.Equal(test.Pixels, []uint8{21, 22, 23, 24, 25, 26, 27, 28}) || !slices.Equal(test.Labels, []int32{3, 1}) {
		t.Errorf("to test there are %v and %v", test.Pixels, test.Labels)
	}
	if test.Split != "test" || test.License != "CC-BY-SA-3.0" || test.Classes[9] != "9" || test.Lossy {
		t.Errorf("wrong provenance: %+v", test.Info)
	}
	if last := told.all[len(told.all)-1]; last.Task != "decode mnist-t10k-labels-idx1-ubyte.gz" || !last.Finished || last.Done != last.Total {
		t.Errorf("the last report is %+v", last)
	}
}

func TestMNISTRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  int // which of the four
		plain []byte
		want  string
	}{
		{"images for labels", 1, idx([]int{3, 2, 2}, make([]byte, 12)...), "its shape [3 2 2] of uint8 takes more than the 6 bytes that are allowed"},
		{"labels for images", 0, idx([]int{3}, 1, 2, 3), "-images-idx3-ubyte.gz: it holds images of shape [3], want [3 2 2]"},
		{"fewer labels than images", 1, idx([]int{2}, 1, 2), "it holds labels of shape [2], want [3]"},
		{"more test images", 2, idx([]int{3, 2, 2}, make([]byte, 12)...), "mnist-t10k-images-idx3-ubyte.gz: it holds images of shape [3 2 2], want [2 2 2]"},
		{"other size", 0, idx([]int{2, 3, 2}, make([]byte, 12)...), "it holds images of shape [2 3 2], want [3 2 2]"},
		{"label out of range", 3, idx([]int{2}, 3, 10), "mnist-t10k-labels-idx1-ubyte.gz: label 1 (from 0) is 10, but labels range from 0 to 9"},
		{"wrong magic number", 0, append([]byte{0, 0, 9}, idx([]int{3, 2, 2}, make([]byte, 12)...)[3:]...), "the magic number is 0x00000903"},
		{"absurd size", 0, idx([]int{1 << 31, 1 << 31, 4}), "more than the 24 bytes that are allowed"},
		{"cut", 0, idx([]int{3, 2, 2}, 1, 2, 3), "it is cut short: it ends at decompressed byte 19"},
		{"bomb", 0, append(idx([]int{3, 2, 2}), make([]byte, 8<<20)...), "it continues after its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := mnistFiles(t)
			files[c.file] = gzipOf(t, c.plain)
			m := smallMNIST()
			m.published, _ = m.published.served(t, files...)
			cache := t.TempDir()
			_, _, err := m.open(t.Context(), "", Options{Cache: cache, Progress: reporter(discard)})
			says(t, err, "data: "+m.published.Files[c.file].Path(cache)+": ", c.want)
		})
	}
	m := smallMNIST()
	everyCut(t, "images", mnistFiles(t)[0], func(cut []byte) error { _, err := m.readImages(bytes.NewReader(cut), 3); return err })
	everyCut(t, "labels", mnistFiles(t)[1], func(cut []byte) error { _, err := m.readLabels(bytes.NewReader(cut), 3); return err })
}

func FuzzMNIST(f *testing.F) {
	f.Add(idx([]int{3, 2, 2}, make([]byte, 12)...), idx([]int{3}, 7, 0, 9))
	f.Add(mnistFiles(f)[0], mnistFiles(f)[1])
	m := smallMNIST()
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		if pixels, err := m.readImages(bytes.NewReader(images), 3); err == nil && len(pixels) != 12 {
			t.Errorf("accepted %d pixels", len(pixels))
		}
		got, err := m.readLabels(bytes.NewReader(labels), 3)
		if err == nil && (len(got) != 3 || slices.Max(got) > 9 || slices.Min(got) < 0) {
			t.Errorf("accepted the labels %v", got)
		}
	})
}

package data

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// smallCIFARC is CIFAR-10-C's format in little, over smallCIFAR10: two test
// images of 2x2 pixels, with labels 9 and 0.
func smallCIFARC() cifarC {
	c := cifar10C()
	c.clean = smallCIFAR10()
	return c
}

// cifarCFiles are the files of smallCIFARC. The pixels of an image are all the
// same: 10 times the severity, and 1 more in the second image.
func cifarCFiles() []archived {
	var pixels []byte
	for severity := 1; severity <= 5; severity++ {
		for i := range 2 {
			pixels = append(pixels, bytes.Repeat([]byte{byte(10*severity + i)}, 12)...)
		}
	}
	kind := func(name string, first byte) archived {
		p := slices.Clone(pixels)
		p[0] = first
		return archived{"CIFAR-10-C/" + name + ".npy", npy("|u1", []int{10, 2, 2, 3}, p...)}
	}
	return []archived{
		kind("fog", 1), kind("jpeg_compression", 2),
		{"CIFAR-10-C/labels.npy", npy("|u1", []int{10}, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0)},
		kind("zoom_blur", 3),
	}
}

// cleanTest is the test set of smallCIFAR10.
func cleanTest(t testing.TB) *Dataset {
	t.Helper()
	_, test, err := smallCIFAR10().readTar(t.Context(), bytes.NewReader(tarOf(t, cifar10Files())))
	if err != nil {
		t.Fatal(err)
	}
	return test
}

func TestCIFARCFormat(t *testing.T) {
	c := smallCIFARC()
	var requests *int
	c.clean.published, _ = c.clean.published.served(t, gzipOf(t, tarOf(t, cifar10Files())))
	c.published, requests = c.published.served(t, tarOf(t, cifarCFiles()))
	opts := Options{Cache: t.TempDir(), published: []source{{"cifar10-c", "KIND[/SEVERITY]", "", c.open}}}

	train, test := open(t, "cifar10-c:zoom_blur/3", opts)
	if got, want := train.String(), "CIFAR-10 train: 15 examples of [2 2 3] in 10 classes"; got != want {
		t.Errorf("to train there is %s, want %s", got, want)
	}
	if got, want := test.String(), "CIFAR-10-C zoom blur, severity 3 test: 2 examples of [2 2 3] in 10 classes"; got != want {
		t.Errorf("to test there is %s, want %s", got, want)
	}
	if !slices.Equal(test.Pixels, slices.Concat(bytes.Repeat([]byte{30}, 12), bytes.Repeat([]byte{31}, 12))) || !slices.Equal(test.Labels, []int32{9, 0}) {
		t.Errorf("got %v and %v", test.Pixels, test.Labels)
	}
	if test.Lossy || test.License != "CC-BY-4.0" || test.Classes[9] != "truck" {
		t.Errorf("wrong provenance: %+v", test.Info)
	}

	_, test = open(t, "cifar10-c:jpeg_compression", opts)
	if got, want := test.String(), "CIFAR-10-C jpeg compression test: 10 examples of [2 2 3] in 10 classes"; got != want {
		t.Errorf("to test there is %s, want %s", got, want)
	}
	if test.Pixels[0] != 2 || test.Pixels[9*12] != 51 || !test.Lossy || !slices.Equal(test.Labels, []int32{9, 0, 9, 0, 9, 0, 9, 0, 9, 0}) {
		t.Errorf("got %v and %v, lossy %v", test.Pixels, test.Labels, test.Lossy)
	}
	// A sample is of all severities, also of the set in another size.
	_, test = open(t, "cifar10-c:fog@3", opts)
	seen := map[uint8]bool{}
	for seed := range uint64(20) {
		drawn, err := test.Sample(3, seed)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			seen[drawn.pixels(i)[26]/10] = true
		}
	}
	if len(seen) != severities {
		t.Errorf("samples have %d severities of %d", len(seen), severities)
	}
	if *requests != 1 {
		t.Errorf("%d downloads, want 1", *requests)
	}
}

func TestCIFARCRefuses(t *testing.T) {
	put := func(name string, content []byte) []archived {
		files := cifarCFiles()
		for i := range files {
			if files[i].name == "CIFAR-10-C/"+name {
				files[i].content = content
			}
		}
		return files
	}
	for name, c := range map[string]struct {
		files []archived
		want  string
	}{
		"fewer images":       {put("fog.npy", npy("|u1", []int{8, 2, 2, 3}, make([]byte, 96)...)), "fog.npy: it has shape [8 2 2 3], want [10 2 2 3]"},
		"fewer labels":       {put("labels.npy", npy("|u1", []int{9}, make([]byte, 9)...)), "labels.npy: it has shape [9], want [10]"},
		"other labels":       {put("labels.npy", npy("|u1", []int{10}, 9, 0, 9, 0, 9, 0, 9, 1, 9, 0)), "labels.npy: label 7 (from 0) is 1, but image 1 of CIFAR-10 has 0"},
		"label out of range": {put("labels.npy", npy("|u1", []int{10}, 99, 0, 9, 0, 9, 0, 9, 1, 9, 0)), "labels.npy: label 0 (from 0) is 99"},
		"floats":             {put("fog.npy", npy("<f4", []int{10, 2, 2, 3}, make([]byte, 480)...)), "fog.npy: its shape [10 2 2 3] of float32 takes more than the 240 bytes"},
		"wrong magic number": {put("fog.npy", []byte("PK\x03\x04 and so on")), "fog.npy: it begins with"},
		"cut array":          {put("fog.npy", npy("|u1", []int{10, 2, 2, 3}, make([]byte, 119)...)), "fog.npy: it is cut short"},
		"absurd size":        {put("fog.npy", npy("|u1", []int{1 << 40, 1 << 40, 2, 3})), "fog.npy: its shape"},
		"no such kind":       {cifarCFiles()[1:], "it lacks fog.npy or labels.npy"},
		"no labels":          {cifarCFiles()[:2], "it lacks fog.npy or labels.npy"},
		"leads out":          {append([]archived{{"../CIFAR-10-C/fog.npy", nil}}, cifarCFiles()...), `the name "../CIFAR-10-C/fog.npy" leads out of the archive`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := smallCIFARC()
			cfg.clean.published, _ = cfg.clean.published.served(t, gzipOf(t, tarOf(t, cifar10Files())))
			cfg.published, _ = cfg.published.served(t, tarOf(t, c.files))
			cache := t.TempDir()
			_, _, err := cfg.open(t.Context(), "fog/1", Options{Cache: cache, Progress: reporter(discard)})
			says(t, err, "data: "+cfg.published.Files[0].Path(cache)+": ", c.want)
		})
	}
	// After zoom_blur, the last file, nothing is needed.
	whole := tarOf(t, cifarCFiles())
	clean := cleanTest(t)
	everyCut(t, "CIFAR-10-C", whole[:len(whole)-1024-512+(128+120)%512], func(cut []byte) error {
		_, err := smallCIFARC().read(t.Context(), bytes.NewReader(cut), "zoom_blur", 0, clean)
		return err
	})
	for arg, want := range map[string]string{
		"mist":      `cifar10-c has no corruption "mist": choose one of brightness, contrast, defocus_blur`,
		"fog/6":     `"6" is not a severity of cifar10-c: write cifar10-c:fog/N with N from 1 to 5, or leave it out for all`,
		"fog/":      `"" is not a severity`,
		"fog/1/2":   `"1/2" is not a severity`,
		"labels":    `no corruption "labels"`,
		"../fog/1 ": `no corruption ".."`,
	} {
		_, _, err := Open(t.Context(), "cifar10-c:"+arg, Options{Cache: t.TempDir(), Offline: true})
		says(t, err, want)
	}
}

// What lies between the files that are asked for is skipped, not read.
func TestCIFARCSeeks(t *testing.T) {
	files := slices.Insert(cifarCFiles(), 1, archived{"CIFAR-10-C/frost.npy", make([]byte, 8<<20)})
	file, err := os.Open(writeFile(t, "c.tar", tarOf(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	counted := &countingSeeker{File: file}
	if _, err := smallCIFARC().read(t.Context(), counted, "zoom_blur", 0, cleanTest(t)); err != nil {
		t.Fatal(err)
	}
	if counted.read > 1<<20 {
		t.Errorf("%d bytes were read for two small files", counted.read)
	}
}

type countingSeeker struct {
	*os.File
	read int
}

func (c *countingSeeker) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	c.read += n
	return n, err
}

func FuzzCIFARC(f *testing.F) {
	files := cifarCFiles()
	f.Add(files[0].content, files[2].content)
	f.Add(files[0].content[:100], files[2].content)
	clean := cleanTest(f)
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		archive := tarOf(t, []archived{{"CIFAR-10-C/fog.npy", images}, {"CIFAR-10-C/labels.npy", labels}})
		d, err := smallCIFARC().read(t.Context(), bytes.NewReader(archive), "fog", 2, clean)
		if err == nil && (d.Len() != 2 || !slices.Equal(d.Labels, clean.Labels)) {
			t.Errorf("accepted %v", d)
		}
	})
}

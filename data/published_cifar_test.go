package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data/progress"
)

// archived is one file of an archive that a test makes.
type archived struct {
	name    string
	content []byte
}

func tarOf(t testing.TB, files []archived) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.content)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// smallCIFAR10 is CIFAR-10's format in little: 2x2 pixels, three records in a
// training file, two in the test file.
func smallCIFAR10() cifar {
	c := cifar10()
	c.side, c.records, c.testRecords = 2, 3, 2
	return c
}

// record is a label and then the planes: red pixels are first, first+1, …,
// green ones 10 more, blue ones 20 more.
func record(labels []byte, first byte) []byte {
	r := slices.Clone(labels)
	for plane := range byte(3) {
		for p := range byte(4) {
			r = append(r, first+10*plane+p)
		}
	}
	return r
}

func cifar10Files() []archived {
	files := []archived{
		{"cifar-10-batches-bin/readme.html", []byte("<html>")},
		{"cifar-10-batches-bin/batches.meta.txt", []byte(strings.Join(cifar10Classes(), "\n") + "\n\n")},
		// The test file first, as order in the archive must not matter.
		{"cifar-10-batches-bin/test_batch.bin", slices.Concat(record([]byte{9}, 200), record([]byte{0}, 100))},
	}
	for i, name := range cifar10().train {
		b := byte(i)
		files = append(files, archived{"cifar-10-batches-bin/" + name,
			slices.Concat(record([]byte{b}, 3*b), record([]byte{b + 1}, 3*b+1), record([]byte{b + 2}, 3*b+2))})
	}
	return files
}

func TestCIFAR10Format(t *testing.T) {
	train, test, err := smallCIFAR10().read(t.Context(), bytes.NewReader(gzipOf(t, tarOf(t, cifar10Files()))))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := train.String(), "CIFAR-10 train: 15 examples of [2 2 3] in 10 classes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := []int32{0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6}; !slices.Equal(train.Labels, want) {
		t.Errorf("training labels %v, want %v", train.Labels, want)
	}
	// Planes become pixels: record 4 begins with 4, 14, 24.
	if want := []uint8{4, 14, 24, 5, 15, 25, 6, 16, 26, 7, 17, 27}; !slices.Equal(train.Pixels[4*12:5*12], want) {
		t.Errorf("training image 4 is %v, want %v", train.Pixels[4*12:5*12], want)
	}
	if want := []int32{9, 0}; !slices.Equal(test.Labels, want) {
		t.Errorf("test labels %v, want %v", test.Labels, want)
	}
	if train.Classes[0] != "airplane" || test.Classes[9] != "truck" || train.Lossy {
		t.Errorf("wrong provenance: %+v", train.Info)
	}
}

func TestCIFAR100Format(t *testing.T) {
	fine, coarse := cifar100(), cifar100Coarse()
	for _, c := range []*cifar{&fine, &coarse} {
		c.side, c.records, c.testRecords = 2, 2, 1
	}
	var names strings.Builder
	for i := range 100 {
		names.WriteString("fine_" + string(rune('a'+i/10)) + string(rune('a'+i%10)) + "\n")
	}
	archive := gzipOf(t, tarOf(t, []archived{
		{"cifar-100-binary/coarse_label_names.txt", []byte(strings.Join(strings.Split("abcdefghijklmnopqrst", ""), "\n"))},
		{"cifar-100-binary/fine_label_names.txt", []byte(names.String())},
		// coarse, then fine
		{"cifar-100-binary/train.bin", slices.Concat(record([]byte{19, 99}, 1), record([]byte{7, 0}, 2))},
		{"cifar-100-binary/test.bin", record([]byte{0, 50}, 3)},
	}))
	train, test, err := fine.read(t.Context(), bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.Labels, []int32{99, 0}) || !slices.Equal(test.Labels, []int32{50}) {
		t.Errorf("labels %v and %v, want the fine ones, [99 0] and [50]", train.Labels, test.Labels)
	}
	if train.Classes[99] != "fine_jj" {
		t.Errorf("class 99 is %s", train.Classes[99])
	}
	if want := []uint8{3, 13, 23}; !slices.Equal(test.Pixels[:3], want) {
		t.Errorf("the first test pixel is %v, want %v", test.Pixels[:3], want)
	}
	train, test, err = coarse.read(t.Context(), bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.Labels, []int32{19, 7}) || !slices.Equal(test.Labels, []int32{0}) || train.Classes[19] != "t" {
		t.Errorf("the coarse labels are %v and %v of %v, want [19 7] and [0]", train.Labels, test.Labels, train.Classes)
	}
}

func TestCIFARRefuses(t *testing.T) {
	change := func(name string, edit func(content []byte) []byte) func([]archived) []archived {
		return func(files []archived) []archived {
			for i := range files {
				if strings.HasSuffix(files[i].name, name) {
					files[i].content = edit(files[i].content)
				}
			}
			return files
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(files []archived) []archived
		want  string
	}{
		{"truncated in a record", change("data_batch_2.bin", func(b []byte) []byte { return b[:20] }),
			"data_batch_2.bin: the file is truncated: it ends at byte 20 of 39, in record 1 of 3"},
		{"truncated between records", change("test_batch.bin", func(b []byte) []byte { return b[:13] }),
			"test_batch.bin: the file is truncated: it ends at byte 13 of 26, in record 1 of 2"},
		{"empty", change("data_batch_1.bin", func([]byte) []byte { return nil }),
			"data_batch_1.bin: the file is truncated: it ends at byte 0 of 39"},
		{"too long", change("data_batch_1.bin", func(b []byte) []byte { return append(b, 0) }),
			"data_batch_1.bin: the file is longer than 3 records of 13 bytes"},
		{"label out of range", change("data_batch_3.bin", func(b []byte) []byte { b[2*13] = 10; return b }),
			"data_batch_3.bin: record 2 (from 0) has label 10, but labels range from 0 to 9"},
		{"class names missing", change("batches.meta.txt", func([]byte) []byte { return []byte("cat dog") }),
			"batches.meta.txt: it has 2 class names, want 10"},
		{"no class names", func(f []archived) []archived { return slices.Delete(f, 1, 2) }, "it lacks batches.meta.txt"},
		{"leads out", func(f []archived) []archived { return append(f, archived{"../../x", nil}) }, `the name "../../x" leads out of the archive`},
		{"files missing", func(f []archived) []archived { return f[:4] },
			"it lacks data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := smallCIFAR10().read(t.Context(), bytes.NewReader(gzipOf(t, tarOf(t, c.spoil(cifar10Files())))))
			says(t, err, c.want)
		})
	}
	whole := gzipOf(t, tarOf(t, cifar10Files()))
	for n := range whole {
		if _, _, err := smallCIFAR10().read(t.Context(), bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("an archive cut at byte %d of %d was accepted", n, len(whole))
		}
	}
}

// reports keeps what a reporter was told.
type reports struct{ all []progress.Report }

func (r *reports) Report(report progress.Report) { r.all = append(r.all, report) }

// said reports whether one of the notices, which stay in a notebook, is this one.
func (r *reports) said(line string) bool {
	return slices.ContainsFunc(r.all, func(report progress.Report) bool { return report.Unit == "" && report.Finished && report.Task == line })
}

// The whole way: download, check, unpack, cache, and again without a server.
func TestCIFAROpen(t *testing.T) {
	archive := gzipOf(t, tarOf(t, cifar10Files()))
	c := smallCIFAR10()
	var requests *int
	c.published, requests = c.published.served(t, archive)
	told := &reports{}
	opts := Options{Cache: t.TempDir(), Progress: told}
	first, _, err := c.open(t.Context(), "", opts)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]progress.Report{}
	for _, r := range told.all {
		last[r.Task] = r
	}
	for _, task := range []string{"download cifar-10-binary.tar.gz", "decode cifar-10-binary.tar.gz"} {
		r := last[task]
		if r.Done != int64(len(archive)) || r.Total != r.Done || r.Unit != "bytes" || !r.Finished {
			t.Errorf("the last report of %q is %+v, want all %d bytes done", task, r, len(archive))
		}
	}
	told.all = nil
	again, _, err := c.open(t.Context(), "", opts)
	if err != nil {
		t.Fatal(err)
	}
	if *requests != 1 || len(told.all) != 0 || again.Checksum != first.Checksum {
		t.Errorf("the second time took %d requests and %d reports and gave %s", *requests-1, len(told.all), again)
	}
	if names := folderNames(t, opts.Cache); len(names) != 4 || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, ".part") }) {
		t.Errorf("the cache folder holds %v, want the archive, its lock, its mark and the decoded set", names)
	}
}

func folderNames(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A file that a person put there is checked too.
func TestCIFARByHand(t *testing.T) {
	archive := gzipOf(t, tarOf(t, cifar10Files()))
	c := smallCIFAR10()
	var requests *int
	c.published, requests = c.published.served(t, archive)
	opts := Options{Cache: t.TempDir(), Progress: progress.Discard{}, Offline: true}
	file := c.published.Files[0]
	path := filepath.Join(opts.Cache, "cifar-10-binary.tar.gz")

	_, _, err := c.open(t.Context(), "", opts)
	says(t, err, "get it from "+file.URLs[0]+" (SHA-256 "+file.SHA256+") and put it at "+path)

	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), len(archive)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.open(t.Context(), "", opts)
	says(t, err, path+" has SHA-256 ", file.SHA256, "remove it and run again")

	if err := os.WriteFile(path, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.open(t.Context(), "", opts); err != nil {
		t.Error(err)
	}
	if *requests != 0 {
		t.Errorf("%d requests were made", *requests)
	}
}

// The fuzzer works on the files in the archive; what wraps them is the standard
// library's, and large enough to keep it busy with nothing else.
func FuzzCIFAR(f *testing.F) {
	files := cifar10Files()
	f.Add(files[1].content, files[2].content)
	f.Add([]byte("cat dog"), files[2].content[:20])
	c := smallCIFAR10()
	f.Fuzz(func(t *testing.T, names, testBatch []byte) {
		files := cifar10Files()
		files[1].content, files[2].content = names, testBatch
		train, test, err := c.readTar(context.Background(), bytes.NewReader(tarOf(t, files)))
		if err == nil && (train.Len() != 15 || test.Len() != 2 || len(test.Classes) != 10) {
			t.Errorf("accepted %v and %v", train, test)
		}
	})
}

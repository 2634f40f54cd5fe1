package data

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Archives that follow one another in one file are read as one, or refused.
func TestConcatenatedArchives(t *testing.T) {
	cats, dogs := tarOf(t, numbered(t, "cat/", 3, 10)), tarOf(t, numbered(t, "dog/", 2, 100))
	padded := append(slices.Clone(cats), make([]byte, 10240)...)
	for name, archive := range map[string][]byte{
		"tar":                slices.Concat(cats, dogs),
		"padded tar":         slices.Concat(padded, dogs, make([]byte, 700)),
		"in one gzip":        gzipOf(t, slices.Concat(cats, dogs)),
		"gzip after gzip":    slices.Concat(gzipOf(t, cats), gzipOf(t, dogs)),
		"one in two gzips":   slices.Concat(gzipOf(t, cats[:700]), gzipOf(t, cats[700:]), gzipOf(t, dogs)),
		"three, one of none": slices.Concat(cats, tarOf(t, nil), dogs),
	} {
		t.Run(name, func(t *testing.T) {
			train, test := open(t, "tar:"+writeFile(t, "pets.tar", archive), Options{Cache: t.TempDir()})
			if train.Len()+test.Len() != 5 || !slices.Equal(train.Classes, []string{"cat", "dog"}) {
				t.Errorf("got %v and %v", train, test)
			}
		})
	}
	catZip, dogZip := zipOf(t, numbered(t, "cat/", 3, 10)), zipOf(t, numbered(t, "dog/", 2, 100))
	for name, c := range map[string]struct {
		kind    string
		archive []byte
		want    string
	}{
		"text after tar":      {"tar", append(slices.Clone(padded), "more"...), "what follows its end mark: "},
		"cut tar after tar":   {"tar", slices.Concat(cats, dogs[:1000]), "the archive is truncated: its end mark is missing"},
		"no end mark after":   {"tar", slices.Concat(cats, dogs[:len(dogs)-1024]), "its end mark is missing"},
		"same files twice":    {"tar", slices.Concat(cats, cats), "cat/00.png is listed twice: keep one"},
		"text after gzip":     {"tar", append(gzipOf(t, cats), "more"...), "not a whole .tar or .tar.gz"},
		"zip after zip":       {"zip", slices.Concat(catZip, dogZip), "there is data before the beginning of the zip file"},
		"zip after a program": {"zip", append([]byte("#!/bin/sh\n"), catZip...), "there is data before the beginning of the zip file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), c.kind+":"+writeFile(t, "pets", c.archive), Options{Cache: t.TempDir()})
			says(t, err, c.want)
		})
	}
}

// Archives of other kinds are named for what they are, by their content.
func TestArchiveKinds(t *testing.T) {
	for name, c := range map[string]struct{ begin, tar, zip string }{
		"x.tar.xz":  {"\xfd7zXZ\x00", "not a whole .tar or .tar.gz but compressed by xz: unpack it with xz -d first", "not a zip file but compressed by xz"},
		"x.tar.zst": {"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it with zstd -d first", "not a zip file but compressed by zstd"},
		"x.tar.lz4": {"\x04\x22\x4d\x18", "compressed by lz4", "compressed by lz4"},
		"x.tar.Z":   {"\x1f\x9d\x90", "compressed by compress: unpack it with gzip -d first", "compressed by compress"},
		"x.7z":      {"7z\xbc\xaf\x27\x1c", "but a 7-Zip archive: unpack it with 7z x and write folder:PATH", "not a zip file but a 7-Zip archive"},
		"x.rar":     {"Rar!\x1a\x07\x00", "a RAR archive: unpack it with unrar x", "a RAR archive"},
		"x.tar":     {"PK\x03\x04", "a zip file: write zip:PATH", "it is not a whole zip file"},
		"x.zip":     {"\x1f\x8b\x08\x00", "not a whole .tar or .tar.gz: flate: corrupt input", "not a zip file but a compressed one: if it is a .tar.gz or .tar.bz2 write tar:PATH"},
	} {
		file := writeFile(t, name, append([]byte(c.begin), make([]byte, 3000)...))
		for kind, want := range map[string]string{"tar": c.tar, "zip": c.zip} {
			_, _, err := Open(t.Context(), kind+":"+file, Options{Cache: t.TempDir()})
			says(t, err, want)
		}
	}
	// The content decides, whatever an archive is called.
	train, _ := open(t, "tar:"+writeFile(t, "pets.zip", gzipOf(t, tarOf(t, petFiles(t)))), Options{Cache: t.TempDir()})
	if train.Len() != 3 {
		t.Errorf("got %v", train)
	}
	// Two files a.ppm and b.ppm of "P3 1 1 9 1 2 3", in a tar, by bzip2 1.0.8.
	bz2, err := base64.StdEncoding.DecodeString(bzip2Tar)
	if err != nil {
		t.Fatal(err)
	}
	train, test := open(t, "tar:"+writeFile(t, "x.tar.bz2", bz2), Options{Cache: t.TempDir()})
	if want := []uint8{28, 57, 85}; !slices.Equal(train.Pixels, want) || !slices.Equal(test.Pixels, want) {
		t.Errorf("got %v and %v, want %v", train.Pixels, test.Pixels, want)
	}
}

const bzip2Tar = "QlpoOTFBWSZTWXlQPMcAAJv7hcqAQEBAAX8gQAhwAt4AAACAAIAIIACQMYAAAAAKpFNoTI0aaaaGT1K7tmKbkykCVIRELOvZeZsVFpkkiCYlE31NzaMDwk293tcERGzBC5ZRFGiZszd1E1y9a/JnrVXh5OCbdovbqrSqqiIP4u5IpwoSDyoHmOA="

// What an archive has that is no file is told or, if it has the name of an image, refused.
func TestTarMembers(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range []*tar.Header{
		{Name: "pax_global_header", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "0123"}},
		{Name: "cat", Typeflag: tar.TypeDir}, {Name: "bird", Typeflag: 'D'},
		{Name: "cat/pipe", Typeflag: tar.TypeFifo}, {Name: "cat/null", Typeflag: tar.TypeChar},
		{Name: "cat/old.png", Typeflag: tar.TypeCont, Size: int64(len(pngOf(t, grey(2, 2, 9))))},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(pngOf(t, grey(2, 2, 9))); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	archive := append(out.Bytes(), tarOf(t, numbered(t, "cat/", 2, 10))...)
	told := &reports{}
	train, test := open(t, "tar:"+writeFile(t, "pets.tar", archive), Options{Cache: t.TempDir(), Progress: told})
	if train.Len()+test.Len() != 3 {
		t.Errorf("got %v and %v", train, test)
	}
	if !told.said("pets.tar: left out: 1 device, 1 named pipe, 1 class folder without images (bird)") {
		t.Errorf("it said %v", told.all)
	}
	_, _, err := Open(t.Context(), "tar:"+writeFile(t, "latin1.tar", tarOf(t, []archived{{"caf\xe9/1.png", nil}})), Options{Cache: t.TempDir()})
	says(t, err, `the name "caf\xe9/1.png" is not UTF-8: pack it again`)
}

// A file in a zip that unpacks to a great many times its size is not unpacked.
func TestZipBomb(t *testing.T) {
	files := petFiles(t)
	for i := range 4 {
		files = append(files, archived{fmt.Sprintf("train/cat/z%02d.png", i), append([]byte("\x89PNG"), make([]byte, 20<<20)...)})
	}
	archive := writeFile(t, "bomb.zip", zipOf(t, files))
	staysSmall(t, func() {
		_, _, err := Open(t.Context(), "zip:"+archive, Options{Cache: t.TempDir()})
		says(t, err, fmt.Sprintf("%d of the %d images cannot be used: train/cat/z00.png cannot be read: it unpacks to more than 16 MiB and 200 times its size; train/cat/z01", len(files)-5, len(files)), "replace or remove it")
	})
}

// Names that could reach a terminal are escaped in errors and reports, those of archives
// and folders too.
func TestNamesAreEscaped(t *testing.T) {
	evil := "\x1b]0;pwned\x07\x1b[2J\nngebm: accuracy 1.000\u202e"
	broken := append(petFiles(t), archived{"train/cat/" + evil + ".png", []byte("GIF8")})
	left := append(petFiles(t), archived{"train/cat/x." + evil, []byte("x")}, archived{evil + "/x.txt", nil})
	class := append(petFiles(t), archived{"train/" + evil + "/1.png", pngOf(t, grey(4, 3, 0))})
	images, labels := arrayOf([]int{2, 1, 1}, 0, uint8(1)), arrayOf[int64]([]int{2}, 0, 2)
	arrays := zipOf(t, []archived{{"x_train.npy", images}, {"y_train.npy", labels}, {"x_test.npy", images}, {"y_test.npy", labels}})
	table := writeFile(t, evil+".csv", []byte(people))
	for _, spec := range []string{
		"npz:" + writeFile(t, evil+".npz", arrays), "npz:" + writeFile(t, evil+".npz", nil), "npz:" + evil,
		"csv:" + table + "@class", "csv:" + table + "," + table + "@class", "csv:" + table + "@age", "csv:" + evil + "@class",
	} {
		openEscaped(t, spec)
	}
	for name, files := range map[string][]archived{"broken": broken, "left out": left, "class": class} {
		for _, spec := range []string{
			"tar:" + writeFile(t, evil+".tar", tarOf(t, files)),
			"zip:" + writeFile(t, evil+".zip", zipOf(t, files)),
			"folder:" + writeFolder(t, files),
			"tar:" + evil, "zip:" + evil, "folder:" + evil, evil,
		} {
			t.Run(name, func(t *testing.T) { openEscaped(t, spec) })
		}
	}
}

// openEscaped opens a dataset and checks what could reach a terminal.
func openEscaped(t *testing.T, spec string) {
	t.Helper()
	told := &reports{}
	train, _, err := Open(t.Context(), spec, Options{Cache: t.TempDir(), Progress: told})
	text := fmt.Sprint(err)
	for _, r := range told.all {
		text += r.Task
	}
	if train != nil {
		text += train.String() + train.Source
	}
	if strings.ContainsAny(text, "\x1b\x07\n\u202e") {
		t.Errorf("%q: %q", spec, text)
	}
}

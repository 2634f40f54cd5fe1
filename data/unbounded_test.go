package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ngebm/data/progress"
)

// zeros is a reader of n zeros.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// repeatedGzip is a gzip file of that many mebibytes of zeros; it is made of members, so
// that the test need not compress them all.
func repeatedGzip(t *testing.T, before []byte, mebibytes int, after []byte) []byte {
	t.Helper()
	pack := func(r io.Reader) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	member := pack(zeros(1 << 20))
	return append(append(pack(bytes.NewReader(before)), bytes.Repeat(member, mebibytes)...), pack(bytes.NewReader(after))...)
}

// An archive that unpacks to a great many times its size is refused before it is read
// whole, whether the zeros follow its end or are in a member that is left out.
func TestTarBombs(t *testing.T) {
	pets := tarOf(t, petFiles(t))
	var hidden bytes.Buffer
	w := tar.NewWriter(&hidden)
	if err := w.WriteHeader(&tar.Header{Name: ".hidden", Typeflag: tar.TypeReg, Size: 16 << 30}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"64 GiB of zeros after the end": {repeatedGzip(t, pets, 64<<10, nil), "more than 64 MiB of zeros follow its end mark"},
		"a hidden member of 16 GiB":     {repeatedGzip(t, hidden.Bytes(), 16<<10, pets), "it unpacks to more than 256 MiB and 200 times its size"},
	} {
		began := time.Now()
		_, _, err := Open(t.Context(), "tar:"+writeFile(t, "bomb.tar.gz", c.archive), Options{Cache: t.TempDir()})
		says(t, err, "bomb.tar.gz: ", c.want)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

// sparseMember is a member of a tar in GNU's format that says to have that many bytes and
// stores the first of them only.
func sparseMember(name string, size int64, stored []byte) []byte {
	header := make([]byte, 512)
	put := func(at int, text string) { copy(header[at:], text) }
	put(0, name)
	put(100, "0000644\x000000000\x000000000\x00")
	put(124, fmt.Sprintf("%011o\x00%011o\x00", len(stored), 0))
	put(148, "        S") // spaces stand for the sum while it is made
	put(257, "ustar  \x00")
	put(386, fmt.Sprintf("%011o\x00%011o\x00%011o\x00%011o\x00", 0, len(stored), size, 0))
	put(483, fmt.Sprintf("%011o\x00", size))
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	put(148, fmt.Sprintf("%06o\x00 ", sum))
	return slices.Concat(header, stored, make([]byte, -len(stored)&511))
}

// A sparse file takes less room in an archive than out of it. One of holes is refused, and
// so are many that together unpack to a great many times the archive's size.
func TestSparseFiles(t *testing.T) {
	pets := tarOf(t, numbered(t, "cat/", 3, 10))
	image := pngOf(t, grey(2, 2, 9))
	holes := func(n int, size int64) (all []byte) {
		for i := range n {
			all = append(all, sparseMember(fmt.Sprintf("cat/s%d.png", i), size, image)...)
		}
		return append(all, pets...)
	}
	train, test := open(t, "tar:"+writeFile(t, "pets.tar", holes(1, int64(len(image))+1000)), Options{Cache: t.TempDir()})
	if train.Len()+test.Len() != 4 {
		t.Errorf("a small hole after an image: got %v and %v", train, test)
	}
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"of holes":          {holes(2, 60<<20), "2 of the 5 images cannot be used: cat/s0.png cannot be read: it is a sparse file that unpacks to more than 16 MiB and 200 times its size"},
		"larger than files": {holes(1, 7<<30), "cat/s0.png cannot be read: it is a sparse file"},
		"many":              {holes(200, 15<<20), "it unpacks to more than 256 MiB and 200 times its size"},
	} {
		began := time.Now()
		_, _, err := Open(t.Context(), "tar:"+writeFile(t, "pets.tar", c.archive), Options{Cache: t.TempDir()})
		says(t, err, "pets.tar: ", c.want)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

// Images of one color that decode to a great many times their files' size are refused
// before they are all decoded; scaled they take little memory, whatever they decode to.
func TestManyPixelsOfFewBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it decodes 50 million pixels")
	}
	image := pngOf(t, plain(2048, 2048, color.NRGBA{R: 255, A: 255}))
	var files []archived
	for i := range 12 {
		files = append(files, archived{fmt.Sprintf("cat/%d.png", i), image})
	}
	archive := writeFile(t, "pets.tar", tarOf(t, files))
	_, _, err := Open(t.Context(), "tar:"+archive, Options{Cache: t.TempDir()})
	says(t, err, "pets.tar: the images take more than 128 MiB decoded and 200 times the size of their files: add @SIZE to the name, or take smaller ones")
	if train, _ := open(t, "tar:"+archive+"@8", Options{Cache: t.TempDir()}); train.Len() != 10 {
		t.Errorf("got %v", train)
	}
}

// A read that never ends is left behind half a second after the context is done.
func TestOpenLeavesDeadDisk(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	opts := Options{published: []source{{"dead", "", "", func(context.Context, string, Options) (train, test *Dataset, err error) {
		<-never
		return nil, nil, nil
	}}}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, _, err := Open(ctx, "dead", opts)
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

// Long reading ends with the context, in each of its parts: skipping a member, listing,
// reading a zip file's directory, decoding.
func TestReadingIsInterrupted(t *testing.T) {
	var endless bytes.Buffer
	w := tar.NewWriter(&endless)
	if err := w.WriteHeader(&tar.Header{Name: "a.bin", Typeflag: tar.TypeReg, Size: 1 << 50}); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"skipping": io.MultiReader(&endless, zeroReader{}),
		"members":  endlessTar(t),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		_, _, err := tarMembers(ctx, r)
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
			t.Errorf("%s: after %v: %v", name, took, err)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	folder, archive := writeFolder(t, petFiles(t)), writeFile(t, "pets.zip", zipOf(t, petFiles(t)))
	for _, name := range []string{"folder:" + folder, "folder:" + filepath.Dir(folder), "zip:" + archive} {
		_, _, err := Open(ctx, name, Options{Cache: t.TempDir(), Progress: progress.Discard{}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endlessTar is an archive of empty files with one name, without end.
func endlessTar(t *testing.T) io.Reader {
	t.Helper()
	var one bytes.Buffer
	if err := tar.NewWriter(&one).WriteHeader(&tar.Header{Name: "a.txt", Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	return repeated{one.Bytes(), new(int)}
}

// repeated is a reader of the same bytes again and again.
type repeated struct {
	content []byte
	at      *int
}

func (r repeated) Read(p []byte) (int, error) {
	n := copy(p, r.content[*r.at:])
	*r.at = (*r.at + n) % len(r.content)
	return n, nil
}

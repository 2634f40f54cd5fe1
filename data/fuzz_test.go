package data

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"math/rand/v2"
	"runtime/metrics"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"ngebm/data/format"
	"ngebm/ngebm/progress"
)

// tarBytes is an archive in memory.
type tarBytes struct {
	content []byte
	others  map[string][]string
}

func (b *tarBytes) key(context.Context) (string, error) { return "", nil }

func (b *tarBytes) list(ctx context.Context, _ progress.Reporter) (members []member, note string, err error) {
	members, b.others, err = tarMembers(ctx, bytes.NewReader(b.content))
	return members, "", err
}

func (b *tarBytes) each(ctx context.Context, want map[string]place, add func(p place, content func() ([]byte, error)) bool, _ progress.Reporter) error {
	return eachInTar(ctx, bytes.NewReader(b.content), b.others, want, add)
}

// zipBytes is a zip file in memory.
type zipBytes struct {
	content []byte
	others  map[string][]string
}

func (b *zipBytes) key(context.Context) (string, error) { return "", nil }

func (b *zipBytes) open() (*format.Zip, error) {
	return format.OpenZip(bytes.NewReader(b.content), int64(len(b.content)))
}

func (b *zipBytes) list(ctx context.Context, _ progress.Reporter) (members []member, note string, err error) {
	files, err := b.open()
	if err != nil {
		return nil, "", err
	}
	members, b.others, err = zipMembers(ctx, files)
	return members, "", err
}

func (b *zipBytes) each(ctx context.Context, want map[string]place, add func(p place, content func() ([]byte, error)) bool, _ progress.Reporter) error {
	files, err := b.open()
	if err != nil {
		return err
	}
	return eachInZip(ctx, files, b.others, want, add)
}

// readImages makes a set of files as [openImages] does.
func readImages(ctx context.Context, files imageFiles) (train, test *Dataset, err error) {
	set := newImageSet(ctx, imageSize{})
	return set.finish(userImages(), "pets", set.addAll(files, userImages(), progress.Silent{}))
}

// staysSmall checks that f allocates less than 512 MiB in all.
func staysSmall(t *testing.T, f func()) {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	f()
	metrics.Read(sample)
	if took := sample[0].Value.Uint64() - before; took > 512<<20 {
		t.Errorf("%d bytes were allocated", took)
	}
}

func FuzzImageFile(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	noisy := image.NewNRGBA(image.Rect(0, 0, 9, 7))
	for i := range noisy.Pix {
		noisy.Pix[i] = uint8(rng.Uint32())
	}
	f.Add(pngOf(f, noisy), 4)
	f.Add(jpegOf(f, noisy), 0)
	f.Add(pngOf(f, grey(3, 3, 5)), 0)
	f.Add(withSize(pngOf(f, grey(1, 1, 0)), 1<<31, 1<<31), 9)
	for _, file := range otherKinds(f, plain(5, 4, color.NRGBA{1, 2, 3, 255})) {
		f.Add(file, 2)
	}
	f.Add(webpOf(f, "lossy.webp"), 2)
	f.Add(webpOf(f, "lossless.webp"), 0)
	f.Fuzz(func(t *testing.T, content []byte, side int) {
		size := imageSize{}
		if side = side & 15; side > 0 {
			size = imageSize{height: side, width: 1 + side/2}
		}
		staysSmall(t, func() {
			p := picture{place: place{name: "1.png"}}
			if err := p.decode(t.Context(), content, newDecoding(size)); err != nil || p.fault != nil {
				return
			}
			if len(p.pixels) != p.width*p.height*p.channels || side > 0 && p.height != side {
				t.Errorf("%dx%dx%d has %d values", p.width, p.height, p.channels, len(p.pixels))
			}
		})
	})
}

// otherKinds is an image as GIF, BMP and TIFF.
func otherKinds(t testing.TB, img image.Image) [][]byte {
	t.Helper()
	var files [3]bytes.Buffer
	for _, err := range []error{
		gif.Encode(&files[0], img, nil), bmp.Encode(&files[1], img), tiff.Encode(&files[2], img, &tiff.Options{Compression: tiff.Deflate}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return [][]byte{files[0].Bytes(), files[1].Bytes(), files[2].Bytes()}
}

func FuzzImageArchive(f *testing.F) {
	f.Add(tarOf(f, petFiles(f)))
	f.Add(gzipOf(f, tarOf(f, petFiles(f))))
	f.Fuzz(func(t *testing.T, archive []byte) { readWhole(t, &tarBytes{content: archive}) })
}

func FuzzImageZip(f *testing.F) {
	f.Add(zipOf(f, petFiles(f)))
	f.Add(zipOf(f, []archived{{"a.png", pngOf(f, grey(2, 2, 5))}, {"b.png", pngOf(f, grey(2, 2, 9))}}))
	f.Add(zipOf(f, []archived{{"../a.png", nil}}))
	f.Fuzz(func(t *testing.T, archive []byte) { readWhole(t, &zipBytes{content: archive}) })
}

// readWhole checks that no image goes missing.
func readWhole(t *testing.T, files imageFiles) {
	staysSmall(t, func() {
		set := newImageSet(t.Context(), imageSize{})
		train, test, err := set.finish(userImages(), "fuzz", set.addAll(files, userImages(), progress.Silent{}))
		if err == nil && train.Len()+test.Len() != len(set.places) {
			t.Errorf("%d images became %v and %v", len(set.places), train, test)
		}
	})
}

func FuzzCelebAPartition(f *testing.F) {
	f.Add([]byte("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n"))
	f.Add([]byte("000001.jpg 3\r\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		staysSmall(t, func() {
			splits, err := parsePartition(text)
			if err == nil && len(splits) > bytes.Count(text, []byte("\n"))+1 {
				t.Errorf("%d files on %d lines", len(splits), bytes.Count(text, []byte("\n"))+1)
			}
		})
	})
}

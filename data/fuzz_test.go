package data

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"ngebm/data/format"
	"ngebm/data/progress"
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

func (b *tarBytes) each(ctx context.Context, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool, _ progress.Reporter) error {
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

func (b *zipBytes) each(ctx context.Context, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool, _ progress.Reporter) error {
	files, err := b.open()
	if err != nil {
		return err
	}
	return eachInZip(ctx, files, int64(len(b.content)), b.others, want, add)
}

// readImages makes a set of files as [openImages] does.
func readImages(ctx context.Context, files imageFiles) (train, test *Dataset, err error) {
	set := newImageSet(ctx, imageSize{})
	return set.finish(userImages(), "pets", set.addAll(files, userImages(), progress.Discard{}))
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
	for _, name := range []string{"part-transparent.gif", "interlaced.gif", "animated-part.webp", "lossy-alpha.webp", "plain.pbm", "raw-16.ppm", "cmyk.jpg", "one-bit.bmp"} {
		content, err := os.ReadFile(filepath.Join("testdata", "pillow", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, 0)
	}
	f.Add(webpOf(f, "lossy.webp"), 2)
	f.Add(webpOf(f, "lossless.webp"), 0)
	f.Fuzz(func(t *testing.T, content []byte, side int) {
		size := imageSize{}
		if side = side & 15; side > 0 {
			size = imageSize{height: side, width: 1 + side/2}
		}
		staysSmall(t, func() {
			p := decodedImage{entry: imageEntry{name: "1.png"}}
			if err := p.decode(t.Context(), content, newDecoding(size)); err != nil || p.err != nil {
				return
			}
			if len(p.pixels) != p.width*p.height*p.channels || side > 0 && p.height != side {
				t.Errorf("%dx%dx%d has %d values", p.height, p.width, p.channels, len(p.pixels))
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
		train, test, err := set.finish(userImages(), "fuzz", set.addAll(files, userImages(), progress.Discard{}))
		if err == nil && train.Len()+test.Len() != len(set.entries) {
			t.Errorf("%d images became %v and %v", len(set.entries), train, test)
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

// What the first frame's header says is what is decoded, no header takes much memory, and
// no pixel makes a decoder panic: what [decoded.decodeFrame] catches is to be seen here.
func FuzzFrame(f *testing.F) {
	f.Add(webpOfChunks(vp8x(8, 6, 2), anmf(2, 2, 4, 3, riff("VP8L", vp8lFrame(4, 3)))))
	f.Add(webpOfChunks(vp8x(4, 3, 16), riff("ALPH", []byte{0}), riff("VP8L", vp8lFrame(4, 3))))
	f.Add(gifOf([2]int{3, 2}, [2]int{1, 1}, [2]int{2, 2}))
	f.Add([]byte("P1\n# a comment\n3 2\n101\n0 1 0\n"))
	f.Add([]byte("P4 9 1\n\xaa\x80"))
	f.Add([]byte("P6 1 1 65535\n123456"))
	f.Add([]byte("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n1234"))
	for _, name := range []string{"beyond-palette.bmp", "beyond-palette-4-bit.bmp", "palette.bmp", "rgba.bmp", "palette.tif", "gray-palette.gif", "palette-2-bit.png", "rgba.webp"} {
		content, err := os.ReadFile(filepath.Join("testdata", "pillow", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		staysSmall(t, func() {
			frame, err := openFrame(content)
			if err != nil || frame.size.X < 1 || frame.size.Y < 1 || frame.size.X > 1<<20/frame.size.Y {
				return
			}
			img, err := frame.decode()
			if err != nil {
				return
			}
			var p decodedImage
			if p.copyPixels(img, img.Bounds()); img.Bounds().Size() != frame.size || len(p.pixels) != p.width*p.height*p.channels {
				t.Errorf("%v became %v with %d values", frame.size, img.Bounds(), len(p.pixels))
			}
		})
	})
}

// What a file is called and how it begins never makes a name that cannot be shown.
func FuzzKindOf(f *testing.F) {
	f.Add("a/b.txt", []byte("text"))
	f.Add("a/b", []byte("P5 1 1 255\n1"))
	f.Add("a/b.\x1b[2J", []byte("\x00\x00\x00\x18ftypheic"))
	f.Fuzz(func(t *testing.T, name string, head []byte) {
		kind, err := kindOf(name, func() ([]byte, error) { return head, nil })
		if err != nil || !isVisible(kind) {
			t.Errorf("%q of %q is %q, %v", name, head, kind, err)
		}
	})
}

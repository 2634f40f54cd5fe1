package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data/progress"
)

// panicking is an image that cannot say its pixels.
type panicking struct{ image.Image }

func (panicking) At(x, y int) color.Color { panic("no color\nhere") }

// Wherever a decoder panics, the image is one of the damaged ones, in one line, and those
// that come after it still have room.
func TestPanicOfADecoderIsADamagedImage(t *testing.T) {
	size := image.Pt(2, 1)
	white := image.NewRGBA(image.Rectangle{Max: size})
	of := func(decode func() (image.Image, error)) func() (frame, error) {
		return func() (frame, error) { return frame{size: size, decode: decode}, nil }
	}
	for name, c := range map[string]struct {
		open func() (frame, error)
		want string
	}{
		"header": {func() (frame, error) { panic(errors.New("no header")) }, "no header"},
		"decode": {of(func() (image.Image, error) { return []image.Image{}[size.X], nil }), "index out of range"},
		"pixels": {of(func() (image.Image, error) { return panicking{white}, nil }), `"no color\nhere"`},
	} {
		for _, scaled := range []imageSize{{}, {height: 1, width: 1}} {
			t.Run(name, func(t *testing.T) {
				d := newDecoding(scaled)
				var p decodedImage
				if err := p.decodeFrame(t.Context(), c.open, d); err != nil || p.err == nil {
					t.Fatalf("got %v, %v, want an error", err, p.err)
				}
				if text := p.err.what.Error(); !strings.HasPrefix(text, "does not decode: its decoder panicked: ") || !strings.Contains(text, c.want) || strings.Contains(text, "\n") {
					t.Errorf("the error is %q, want one line that says %q", text, c.want)
				}
				if !d.room.TryAcquire(maxPhotoPixels) {
					t.Error("it keeps its room")
				}
			})
		}
	}
}

// Thin images take the room of the blocks that they are decoded in: a progressive JPEG of 65535x1 with
// 4x2 samples in each component takes 240 bytes a pixel of its own, 15 of these. If more, they take that of
// what scaling has in between, or of the data's codes.
func TestRoomOfImages(t *testing.T) {
	one := imageSize{height: 1, width: 1}
	for _, c := range []struct {
		size    image.Point
		to      imageSize
		stretch bool
		codes   int64
		want    int64
	}{
		{image.Pt(1, 1), one, false, 0, 32 * 16}, {image.Pt(32, 16), one, false, 0, 32 * 16}, {image.Pt(33, 17), one, false, 0, 64 * 32},
		{image.Pt(65535, 1), one, false, 0, 65536 * 16}, {image.Pt(1, 65535), one, false, 0, 32 * 65536},
		{image.Pt(5120, 5120), one, false, 0, maxPhotoPixels}, {image.Pt(1639, 15994), one, false, 0, maxPhotoPixels},
		{image.Pt(1, 16384), imageSize{height: 224, width: 224}, true, 0, 224 * 16384 * 4 / 3},
		{image.Pt(1, 16384), imageSize{height: 224, width: 224}, false, 0, 32 * 16384},
		{image.Pt(64, 64), imageSize{height: 1024, width: 2048}, false, 0, 2048 * 32 * 4 / 3},
		{image.Pt(1, 16384), imageSize{height: 1, width: 1600}, true, 0, maxPhotoPixels},
		{image.Pt(4, 4), one, false, 1 << 20, 1 << 20}, {image.Pt(4, 4), one, false, 1 << 40, maxPhotoPixels},
	} {
		size, want := c.size, c.want
		d := newDecoding(c.to)
		d.stretch = c.stretch
		var p decodedImage
		seen := false
		err := p.decodeFrame(t.Context(), func() (frame, error) {
			return frame{size: size, room: c.codes, decode: func() (image.Image, error) {
				seen = true
				if rest := maxPhotoPixels - want; !d.room.TryAcquire(rest) || d.room.TryAcquire(1) {
					t.Errorf("%v does not take room for %d pixels", size, want)
				} else {
					d.room.Release(rest)
				}
				return nil, errors.New("enough")
			}}, nil
		}, d)
		if err != nil || !seen {
			t.Errorf("%v: %v, %v", size, err, p.err)
		}
	}
	_, err := DecodeImage(bytes.NewReader(pngOf(t, grey(1, 16384, 0))), []int{1, 2048, 1}, FitStretch)
	says(t, err, "is 16384x1, but one that is stretched to a width of 2048 may have a height of at most 12800 pixels: scale it down")
	for _, content := range [][]byte{riff("VP8L", vp8lFrame(4, 4)), slices.Concat(vp8x(8, 8, 2), anmf(0, 0, 4, 4, riff("VP8L", vp8lFrame(4, 4))))} {
		if f, err := openFrame(webpOfChunks(content)); err != nil || f.room != int64(losslessRoom*len(vp8lFrame(4, 4))) {
			t.Errorf("a lossless WebP takes room for %d pixels (%v)", f.room, err)
		}
	}
}

// A pixel whose index the palette lacks is no fault: it is black as in Pillow, here and in
// archives, at its size and scaled.
func TestIndexBeyondThePalette(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "pillow", "beyond-palette.bmp"))
	if err != nil {
		t.Fatal(err)
	}
	files := []archived{{"a/1.bmp", content}, {"a/2.bmp", content}}
	for _, name := range []string{"folder:" + writeFolder(t, files), "zip:" + writeFile(t, "a.zip", zipOf(t, files)), "tar:" + writeFile(t, "a.tar", tarOf(t, files))} {
		train, _ := open(t, name, Options{Cache: t.TempDir()})
		if got := train.Pixels[6:]; string(got) != string(make([]byte, 9)) {
			t.Errorf("%s: the last three pixels are %v, want black", name, got)
		}
		open(t, name+"@2", Options{Cache: t.TempDir()})
	}
}

// An image with a side that no set can have is told by its name.
func TestImageWithALongSide(t *testing.T) {
	long := pngOf(t, grey(maxSide+1, 1, 0))
	root := writeFolder(t, []archived{{"a/1.png", long}, {"a/2.png", long}})
	_, _, err := Open(t.Context(), "folder:"+root, Options{Cache: t.TempDir()})
	says(t, err, "a/1.png is 1x16385, but sides may have at most 16384 pixels", "add @SIZE (height x width) to the name")
	open(t, "folder:"+root+"@4", Options{Cache: t.TempDir()})
}

// Decoded images are counted with the channels that they are kept with.
func TestDecodedBytes(t *testing.T) {
	gray, colors := pngOf(t, grey(2, 2, 9)), pngOf(t, plain(2, 2, color.NRGBA{R: 255, A: 255}))
	for name, c := range map[string]struct {
		content []byte
		size    imageSize
		want    int64
	}{
		"gray":                {gray, imageSize{}, 4},
		"color":               {colors, imageSize{}, 12},
		"gray, scaled":        {gray, imageSize{height: 3, width: 3}, 9},
		"color, scaled":       {colors, imageSize{height: 3, width: 3}, 27},
		"gray, made color":    {gray, imageSize{height: 3, width: 3, channels: 3}, 27},
		"color, made gray":    {colors, imageSize{height: 3, width: 3, channels: 1}, 9},
		"gray, of its size":   {gray, imageSize{height: 2, width: 2}, 4},
		"color, of one pixel": {colors, imageSize{height: 1, width: 1}, 3},
	} {
		for _, more := range []int64{0, 1} {
			d := newDecoding(c.size)
			d.files.Store(maxDecoded)
			d.bytes.Store(maxDecoded - c.want + more)
			var p decodedImage
			if err := p.decode(t.Context(), c.content, d); p.err != nil || (err != nil) != (more > 0) || err == nil && int64(len(p.pixels)) != c.want {
				t.Errorf("%s: %d bytes where %d are left: %v, %v", name, len(p.pixels), c.want-more, err, p.err)
			}
		}
	}
	// Gray images become color images where one of the dataset is.
	s := newImageSet(t.Context(), imageSize{})
	s.decoding.files.Store(maxDecoded)
	for i, channels := range []int{1, 1, 3} {
		name := fmt.Sprint(i)
		s.entries = append(s.entries, imageEntry{name: name, class: "a", split: "train"})
		s.decoded[name] = &decodedImage{entry: s.entries[i], width: 1 << 16, height: 1 << 14, channels: channels}
		if err := s.decoding.take(1 << 30 * int64(channels)); err != nil {
			t.Fatal(err)
		}
	}
	s.entries = append(s.entries, imageEntry{name: "3", class: "a", split: "test"})
	s.decoded["3"] = s.decoded["0"]
	_, _, err := s.assemble(userImages(), "made")
	says(t, err, "the images take more than 8 GiB decoded")
}

// What a 16-bit image of 12 bits becomes is nearly black, and that is told, each time.
func TestDarkImagesOf16Bits(t *testing.T) {
	gray := func(value uint16) []byte {
		img := image.NewGray16(image.Rect(0, 0, 4, 4))
		img.SetGray16(1, 2, color.Gray16{Y: value})
		return pngOf(t, img)
	}
	colors := image.NewNRGBA64(image.Rect(0, 0, 4, 4))
	colors.SetNRGBA64(2, 1, color.NRGBA64{R: 3000, A: 0xffff})
	pam := append([]byte("P7\nWIDTH 4\nHEIGHT 4\nDEPTH 3\nMAXVAL 65535\nENDHDR\n"), bytes.Repeat([]byte{0x0f, 0xff}, 4*4*3)...)
	const note = "16-bit images, of which 8 bits are kept, use less than 1/8 of the range: their largest value is %d of 255: rescale them first"
	isNote := func(r progress.Report) bool { return r.Unit == "" }
	for name, c := range map[string]struct {
		files [][]byte
		want  string
	}{
		"gray of 12 bits":       {[][]byte{gray(4095), gray(17)}, fmt.Sprintf(note, 15)},
		"just below 1/8":        {[][]byte{gray(8191), gray(0)}, fmt.Sprintf(note, 31)},
		"just 1/8":              {[][]byte{gray(8192), gray(0)}, ""},
		"color":                 {[][]byte{pngOf(t, colors), pngOf(t, colors)}, fmt.Sprintf(note, 11)},
		"one uses the range":    {[][]byte{gray(4095), gray(65535)}, ""},
		"dark images of 8 bits": {[][]byte{pngOf(t, grey(4, 4, 3)), pngOf(t, grey(4, 4, 2))}, ""},
		"PGM of 12 bits":        {[][]byte{[]byte("P2 4 4 65535" + strings.Repeat(" 4095", 16)), gray(17)}, fmt.Sprintf(note, 16)},
		"PAM of 12 bits":        {[][]byte{pam, pam}, fmt.Sprintf(note, 16)},
		"PGM that is scaled":    {[][]byte{[]byte("P2 4 4 4095" + strings.Repeat(" 4095", 16)), gray(17)}, ""},
		"dark PGM of 8 bits":    {[][]byte{[]byte("P2 4 4 255" + strings.Repeat(" 15", 16)), pngOf(t, grey(4, 4, 2))}, ""},
		"with one of 8 bits":    {[][]byte{gray(4095), pngOf(t, grey(4, 4, 200))}, fmt.Sprintf(note, 15)},
	} {
		t.Run(name, func(t *testing.T) {
			root := writeFolder(t, []archived{{"a/1.png", c.files[0]}, {"a/2.png", c.files[1]}})
			cache := t.TempDir()
			for _, size := range []string{"", "", "@2"} {
				told := &reports{}
				open(t, "folder:"+root+size, Options{Cache: cache, Progress: told})
				if c.want != "" && !told.said("pets: "+c.want) || c.want == "" && slices.ContainsFunc(told.all, isNote) {
					t.Errorf("%q: told %v, want %q", size, told.all, c.want)
				}
			}
		})
	}
}

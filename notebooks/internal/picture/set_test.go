package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebooktest"
)

// What follows the end of a picture is refused, with the number of its bytes.
func TestPictureWithTrailingBytes(t *testing.T) {
	for _, kind := range []string{".png", ".jpg", ".gif"} {
		raw := notebooktest.Image(t, kind)
		if _, err := checkPicture(append(bytes.Clone(raw), "PK\x03\x04"...), kind); err == nil || !strings.Contains(err.Error(), "4 bytes follow its end: open it and save it again") {
			t.Errorf("%s: %v", kind, err)
		}
		for cut := range raw {
			if _, err := checkPicture(raw[:cut], kind); err == nil {
				t.Errorf("%s: %d of %d bytes are a picture", kind, cut, len(raw))
			}
		}
	}
}

// chunk is a piece of a PNG.
func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// Frames of an animated PNG, which browsers draw and Go does not, count as those of a GIF.
func TestAnimatedPNGPixels(t *testing.T) {
	frame := make([]byte, 26)
	binary.BigEndian.PutUint32(frame[4:], 4096)
	binary.BigEndian.PutUint32(frame[8:], 4096)
	raw := notebooktest.Image(t, ".png")
	head, end := raw[:33], raw[33:]
	for frames, good := range map[int]bool{8: true, 9: false} {
		p, err := checkPicture(bytes.Join([][]byte{head, bytes.Repeat(chunk("fcTL", frame), frames), end}, nil), ".png")
		if good != (err == nil) || good && p.pixels != maxAnimationPixels || !good && !strings.Contains(err.Error(), "more than 134217728 pixels together") {
			t.Errorf("%d frames: %d pixels, %v", frames, p.pixels, err)
		}
	}
}

// A JPEG may ask for one more pass over all its pixels in a few bytes.
func TestJPEGOfManyScans(t *testing.T) {
	raw := notebooktest.Image(t, ".jpg")
	at := bytes.Index(raw, []byte{0xff, 0xda})
	scan := raw[at : len(raw)-2]
	many := append(append(bytes.Clone(raw[:at]), bytes.Repeat(scan, maxScans+1)...), 0xff, 0xd9)
	start := time.Now()
	if _, err := checkPicture(many, ".jpg"); err == nil || !strings.Contains(err.Error(), "more than 30 times") {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// A file that a page shows often is read once and checked once; each time it counts for
// the page and for the site, whose bounds hold whatever the files are called.
func TestPicturesAreCheckedOnce(t *testing.T) {
	folder := t.TempDir()
	var large bytes.Buffer
	if err := png.Encode(&large, image.NewGray(image.Rect(0, 0, 4096, 4096))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"small.png": notebooktest.Image(t, ".png"), "large.png": large.Bytes(), "copy.png": large.Bytes(), "a.gif": notebooktest.Image(t, ".gif")} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := NewSet()
	show := func(page *Sum, name string) error {
		_, err := all.Take(&Figure{Path: name, Kind: filepath.Ext(name)}, folder, page)
		return err
	}
	var many, huge Sum
	for i := range maxFigures {
		if err := show(&many, []string{"small.png", "./small.png", "a.gif"}[i%3]); err != nil {
			t.Fatal(err)
		}
	}
	if err := show(&many, "small.png"); err == nil || !strings.Contains(err.Error(), "more than 1000 pictures") {
		t.Errorf("one picture more: %v", err)
	}
	if len(all.checked) != 2 || len(all.read) != 2 {
		t.Errorf("%d pictures were checked and %d read, not 2", len(all.checked), len(all.read))
	}
	for i := range 8 {
		if err := show(&huge, []string{"large.png", "copy.png"}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := show(&huge, "large.png"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("more than the %d and %d that a page takes", maxPageBytes, maxPagePixels)) {
		t.Errorf("more pixels than a page takes: %v", err)
	}
	if len(all.checked) != 3 {
		t.Errorf("%d pictures were checked, not 3", len(all.checked))
	}
	var err error
	for pages := 0; err == nil && pages < 10; pages++ {
		var page Sum
		for i := 0; err == nil && i < 8; i++ {
			err = show(&page, "large.png")
		}
	}
	if err == nil || !strings.Contains(err.Error(), "that a site takes: publish fewer notebooks") {
		t.Errorf("more pixels than a site takes: %v", err)
	}
}

// A picture that was exchanged is read again.
func TestPictureIsReadAgainWhenExchanged(t *testing.T) {
	folder, read := t.TempDir(), map[string][]byte{}
	for _, kind := range []string{".png", ".gif"} {
		next := filepath.Join(folder, "next")
		if err := os.WriteFile(next, notebooktest.Image(t, kind), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(folder, "p.png")); err != nil {
			t.Fatal(err)
		}
		if content, err := readPicture(folder, "p.png", read); err != nil || !bytes.Equal(content, notebooktest.Image(t, kind)) {
			t.Errorf("%d bytes, %v", len(content), err)
		}
	}
}

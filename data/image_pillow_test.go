package data

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Images become what Pillow's convert("RGB") makes of them; testdata/pillow/make.py made
// the images and what Pillow 13.0.0 says. Where decoders may differ, by how much.
func TestImagesAsPillow(t *testing.T) {
	tolerance := map[string]int{
		// The standard library's inverse DCT and color conversion round otherwise.
		"444.jpg": 2, "progressive.jpg": 2, "turned.jpg": 2, "cmyk.jpg": 2,
		// Chroma of half the resolution is not interpolated.
		"420.jpg":        16,
		"lossy-xmp.webp": 16, "lossy-alpha.webp": 16, "animated-lossy.webp": 16,
	}
	text, err := os.ReadFile(filepath.Join("testdata", "pillow", "pillow.json"))
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]struct {
		Width, Height int
		RGB           string
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	for name, want := range shown {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join("testdata", "pillow", name))
			if err != nil {
				t.Fatal(err)
			}
			var p decodedImage
			if err := p.decode(t.Context(), content, newDecoding(imageSize{})); err != nil || p.err != nil {
				t.Fatalf("it is refused: %v, %+v", err, p.err)
			}
			if p.width != want.Width || p.height != want.Height {
				t.Fatalf("it is %dx%d, want %dx%d", p.height, p.width, want.Height, want.Width)
			}
			pixels, err := hex.DecodeString(want.RGB)
			if err != nil {
				t.Fatal(err)
			}
			got := p.appendTo(nil, 3)
			worst := 0
			for i, v := range pixels {
				worst = max(worst, int(v)-int(got[i]), int(got[i])-int(v))
			}
			if worst > tolerance[name] {
				t.Errorf("it is off by up to %d: %v, want %v", worst, got, pixels)
			}
		})
	}
}

package plots

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/cmpimg"
	"ngebm/ngebm/study/palette"
)

var update = flag.Bool("update", false, "draw the golden images in testdata anew")

// tolerance is how far a pixel's color may be from the golden image's, in
// [0,1]: room for the last bit of floating point on another processor.
const tolerance = 0.1

// golden compares a figure with testdata/<name>.png. Where they differ it writes
// the picture and the difference to a folder that stays, and names it.
func golden(t *testing.T, name string, f *Figure, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if f.Alt == "" {
		t.Error("the figure has no alternative text")
	}
	var got bytes.Buffer
	if err := f.PNG(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".png")
	want := goldenFile(t, path, got.Bytes())
	if want == nil || bytes.Equal(got.Bytes(), want) {
		return // the same bytes need no decoding
	}
	same, err := cmpimg.EqualApprox("png", got.Bytes(), want, tolerance)
	if err != nil {
		t.Fatal(err)
	}
	if !same {
		t.Errorf("the figure differs from %s: see %s", path, writeDifference(t, name, got.Bytes(), want))
	}
}

// goldenFile returns what a golden file holds, or, with -update, writes what was drawn
// there and returns nil.
func goldenFile(t *testing.T, path string, got []byte) (want []byte) {
	t.Helper()
	if *update {
		if os.Getenv("CI") == "true" {
			t.Fatal("-update is refused in CI: draw golden images anew at a desk, and look at them")
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return nil
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./plots -update draws it)", err)
	}
	return want
}

// writeDifference leaves what was drawn and how it differs in a folder.
func writeDifference(t *testing.T, name string, got, want []byte) (folder string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "plots-difference-")
	if err != nil {
		t.Fatal(err)
	}
	decode := func(raw []byte) image.Image {
		img, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	a, b := decode(got), decode(want)
	difference := image.NewRGBA64(a.Bounds().Union(b.Bounds()))
	draw.Draw(difference, difference.Bounds(), image.Black, image.Point{}, draw.Src)
	cmpimg.Diff(difference, a, b)
	var out bytes.Buffer
	if err := png.Encode(&out, difference); err != nil {
		t.Fatal(err)
	}
	for suffix, raw := range map[string][]byte{"-got.png": got, "-difference.png": out.Bytes()} {
		if err := os.WriteFile(filepath.Join(folder, name+suffix), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// methodColor is the color of a method in the golden images; nil for other names.
func methodColor(name string) color.Color {
	return map[string]color.Color{
		"cross-entropy":                palette.Blue,
		"cross-entropy, twice as long": palette.Blue,
		"cross-entropy + temperature":  palette.SkyBlue,
		"label smoothing":              palette.ReddishPurple,
		"NG-EBM":                       palette.Vermillion,
		"NG-EBM β=γ=.01":               palette.LightVermillion,
		"NG-EBM β=γ=1":                 palette.DarkVermillion,
		"NG-EBM strong":                palette.DarkVermillion,
		"JEM":                          palette.BluishGreen,
		"JEM++":                        palette.Olive,
	}[name]
}

package plots

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkDrawn draws a figure and fails if it is blank or of a wrong size.
func checkDrawn(t *testing.T, f *Figure) image.Image {
	t.Helper()
	img := f.Image(imageDPI)
	if w, h := int(f.Width.Dots(imageDPI)+0.5), int(f.Height.Dots(imageDPI)+0.5); img.Bounds().Dx() != w || img.Bounds().Dy() != h {
		t.Errorf("%v pixels, want %d by %d", img.Bounds(), w, h)
	}
	inked := 0
	for i := 0; i < len(img.Pix); i += 4 {
		if int(img.Pix[i])+int(img.Pix[i+1])+int(img.Pix[i+2]) < 3*0x80 {
			inked++
		}
	}
	if inked < 100 {
		t.Errorf("the figure is all but blank: %d dark pixels", inked)
	}
	return img
}

// Names that are too long are cut: nothing of them is at the figure's edge.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("a name that is long ", 20)
	p := newHistoryPanel(long)
	p.X.Max, p.aspect, p.xLabel, p.yLabel = 1, .6, long, long
	grid, err := EnergyGrid(t.Context(), hills{corners, 2}, pointSet(t, 30, corners), 20)
	if err != nil {
		t.Fatal(err)
	}
	regions, err := Landscapes(OwnScale, Landscape{Grid: grid, Regions: []string{long, long, long}})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range []*Figure{figureGrid{keys: legend{lineKey(long, energyLine, seedMark(foreground))}, panels: []panel{p}}.figure("of long names"), regions} {
		img := checkDrawn(t, f)
		size, clean := img.Bounds(), true
		for x := range size.Dx() {
			for y := range size.Dy() {
				edge := x == 0 || y == 0 || x == size.Dx()-1 || y == size.Dy()-1
				clean = clean && !(edge && img.At(x, y) != img.At(0, 0))
			}
		}
		if !clean {
			t.Errorf("something is drawn at the edge of figure %d", i)
		}
	}
}

func figure(t testing.TB) *Figure {
	t.Helper()
	f, err := History(Run{Name: "NG-EBM", Color: methodColor("NG-EBM"), History: madeUp(60, 15, 1, 0.1, 0.1)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSave(t *testing.T) {
	f := figure(t)
	folder := t.TempDir()
	for name, starts := range map[string]string{"a.png": "\x89PNG\r\n", "b.PDF": "%PDF-1", "c.svg": "<?xml"} {
		path := filepath.Join(folder, name)
		if err := f.Save(path); err != nil {
			t.Error(err)
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(raw), starts) {
			t.Errorf("%s starts with %q, %v", name, raw[:min(8, len(raw))], err)
		}
		if name == "c.svg" && strings.Contains(string(raw), "<text") {
			t.Error("the SVG holds text, which needs fonts that a reader may lack")
		}
	}
	for path, want := range map[string]string{
		"figure.jpg": `cannot save as "figure.jpg": end the name in .png, .pdf or .svg`,
		"figure":     "end the name in",
		filepath.Join(folder, "missing", "a.png"): "missing",
	} {
		if err := f.Save(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Save(%q): error %v, want one with %q", path, err, want)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 3 {
		t.Errorf("the folder holds %v, %v: want the three files", files, err)
	}
}

func TestSideBySide(t *testing.T) {
	d := stripes(t, 3, 8, 8, 1)
	images, err := Images(d, upTo(3), nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := History(Run{Name: "cross-entropy", Color: methodColor("cross-entropy"), History: madeUp(60, 15, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := SideBySide(images, plain)
	golden(t, "side-by-side", f, err)
	if f.Width != images.Width+gap+plain.Width || f.Height != max(images.Height, plain.Height) {
		t.Errorf("%v by %v", f.Width, f.Height)
	}
	if !strings.Contains(f.Alt, images.Alt) || !strings.Contains(f.Alt, plain.Alt) {
		t.Errorf("alternative text %q lacks one of its figures'", f.Alt)
	}
	for _, figures := range [][]*Figure{nil, {images, nil}} {
		if _, err := SideBySide(figures...); err == nil {
			t.Errorf("SideBySide(%v): no error", figures)
		}
	}
}

// In 256 colors a figure looks the same: no pixel is further off than one can
// see, and most are as they were.
func TestFewColors(t *testing.T) {
	d := pointSet(t, 300, corners)
	f, err := Landscapes(OwnScale, Landscape{Title: "NG-EBM", Grid: survey(t, hills{corners, 3}, d), Data: d})
	if err != nil {
		t.Fatal(err)
	}
	all := f.Image(imageDPI)
	few := paletted(all, fewColors(all, pngColors))
	off, worst := 0, 0
	for y := range all.Bounds().Dy() {
		for x := range all.Bounds().Dx() {
			r, g, b, _ := all.At(x, y).RGBA()
			r2, g2, b2, _ := few.At(x, y).RGBA()
			distance := max(abs(int(r>>8)-int(r2>>8)), abs(int(g>>8)-int(g2>>8)), abs(int(b>>8)-int(b2>>8)))
			if distance > 0 {
				off++
			}
			worst = max(worst, distance)
		}
	}
	if share := float64(off) / float64(all.Bounds().Dx()*all.Bounds().Dy()); share > 0.1 || worst > 16 {
		t.Errorf("%.3f of the pixels changed, the worst by %d of 255", share, worst)
	}
}

// A thin line keeps its color, however many shades are around it.
func TestFewColorsKeepAThinLine(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 400, 400))
	for y := range 400 {
		for x := range 400 {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 2), uint8(y / 2), 60, 255})
		}
	}
	line := color.RGBA{95, 167, 207, 255}
	for y := range 20 {
		img.SetRGBA(200, y, line)
	}
	r, g, b, _ := fewColors(img, 63).Convert(line).RGBA()
	if d := max(abs(int(r>>8)-95), abs(int(g>>8)-167), abs(int(b>>8)-207)); d > 40 {
		t.Errorf("the line becomes %d %d %d", r>>8, g>>8, b>>8)
	}
}

func abs(i int) int { return max(i, -i) }

func ExampleSideBySide() {
	left, err := History(Run{Name: "cross-entropy", Color: methodColor("cross-entropy"), History: madeUp(60, 15, 1)})
	if err != nil {
		panic(err)
	}
	right, err := History(Run{Name: "cross-entropy, twice as long", Color: methodColor("cross-entropy, twice as long"), History: madeUp(120, 15, 1)})
	if err != nil {
		panic(err)
	}
	both, err := SideBySide(left, right)
	if err != nil {
		panic(err)
	}
	_ = both // both.Save("figure.png") writes it; notebook.Show(both) shows it in a notebook
	// Output:
}

package plots

import (
	"context"
	"fmt"
	"image/color"
	"strings"
	"testing"

	"ngebm/data"
)

// landscapes is n color pictures of 32x32: sun, sky, a hill with stripes and a
// house, all of whole numbers, so that they are the same everywhere.
func landscapes(t testing.TB, n int) *data.Dataset {
	t.Helper()
	const side = 32
	d := data.Dataset{
		Info:  data.Info{Name: "painted landscapes", Split: "test", Source: "computed", License: "CC0-1.0", Classes: []string{"day", "evening"}},
		Shape: []int{side, side, 3}, MaxPixel: 255,
	}
	color := func(i, x, y int) color.NRGBA {
		evening := uint8(i % 2 * 70)
		sunX, sunY := 5+7*i%24, 6+i%4
		houseX := 4 + 11*i%18
		switch hill := 20 + (x-9-5*i%20)*(x-9-5*i%20)/60; {
		case x >= houseX && x < houseX+9 && y >= 15 && y < 25: // a house with a window
			if x-houseX >= 3 && x-houseX < 6 && y >= 18 && y < 21 {
				return color.NRGBA{20, 30, 60, 255}
			}
			return color.NRGBA{190 - evening, 60, 50, 255}
		case y >= hill: // with rows of crops
			if (x+2*y)%4 == 0 {
				return color.NRGBA{150, 190 - evening, 60, 255}
			}
			return color.NRGBA{40, 120 - evening, 40, 255}
		case (x-sunX)*(x-sunX)+(y-sunY)*(y-sunY) <= 12:
			return color.NRGBA{255, 230 - evening, 90, 255}
		}
		return color.NRGBA{uint8(70+4*y) + evening, uint8(130 + 3*y - int(evening)/2), 235 - evening, 255}
	}
	for i := range n {
		for p := range side * side {
			c := color(i, p%side, p/side)
			d.Pixels = append(d.Pixels, c.R, c.G, c.B)
		}
		d.Labels = append(d.Labels, int32(i%2))
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func testDigits(t testing.TB) *data.Dataset {
	t.Helper()
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return test
}

func TestCorruptionsGolden(t *testing.T) {
	f, err := Corruptions(testDigits(t), 4, 1)
	golden(t, "corruptions-digits", f, err)
	f, err = Corruptions(landscapes(t, 1), 0, 1)
	golden(t, "corruptions-color", f, err)
}

func TestSyntheticOODGolden(t *testing.T) {
	f, err := SyntheticOOD(testDigits(t), upTo(8), 1)
	golden(t, "synthetic-ood-digits", f, err)
	f, err = SyntheticOOD(landscapes(t, 8), upTo(8), 1)
	golden(t, "synthetic-ood-color", f, err)
}

// Every augmentation alone and all together, of one batch each. The crops and
// flips are drawn alike in every row.
func TestAugmentationsGolden(t *testing.T) {
	for name, d := range map[string]*data.Dataset{"digits": testDigits(t), "color": landscapes(t, 8)} {
		first, err := d.Subset(d.Split, upTo(8))
		if err != nil {
			t.Fatal(err)
		}
		pad, cutout := 4, 12
		if name == "digits" {
			pad, cutout = 1, 3
		}
		var rows []ImageRow
		for _, c := range []struct {
			name string
			aug  data.Augment
		}{
			{"none", data.Augment{}},
			{fmt.Sprintf("pad %d", pad), data.Augment{Pad: pad}},
			{"flip", data.Augment{Flip: true}},
			{"noise .1", data.Augment{Noise: .1}},
			{fmt.Sprintf("cutout %d", cutout), data.Augment{Cutout: cutout}},
			{"mixup 1", data.Augment{Mixup: 1}},
			{"all", data.Augment{Pad: pad, Flip: true, Noise: .1, Cutout: cutout, Mixup: 1}},
		} {
			batches, err := data.NewBatches(first, 8, 8, c.aug)
			if err != nil {
				t.Fatal(err)
			}
			batch := batches.At(0)
			seen, err := batch.Dataset(first)
			if err != nil {
				t.Fatal(err)
			}
			if c.aug.Mixup > 0 {
				c.name += fmt.Sprintf(" (λ = %.2f)", batch.Lambda)
			}
			rows = append(rows, tilesOf(c.name, seen, upTo(8)))
		}
		f, err := ImageTable(first.Name+" "+first.Split+", augmented", make([]string, 8), rows...)
		golden(t, "image-table-augmentations-"+name, f, err)
	}
}

func TestImageTableDegenerate(t *testing.T) {
	gray := stripes(t, 30, 8, 8, 1)
	one := ImageRow{"row", []Tile{{gray, 0}}}
	for _, test := range []struct {
		name    string
		columns []string
		rows    []ImageRow
		err     string
	}{
		{"one", []string{"column"}, []ImageRow{one}, ""},
		{"no names", []string{""}, []ImageRow{{"", one.Tiles}}, ""},
		{"long names", []string{strings.Repeat("column ", 9)}, []ImageRow{{strings.Repeat("row ", 99), one.Tiles}}, ""},
		{"an empty place", []string{"a", "b"}, []ImageRow{{"row", []Tile{{}, {gray, 1}}}, {"empty", []Tile{{}, {}}}}, ""},
		{"shapes of all sorts", []string{"a", "b", "c"}, []ImageRow{{"row", []Tile{{gray, 1}, {stripes(t, 1, 1, 40, 3), 0}, {stripes(t, 1, 300, 200, 1), 0}}}}, ""},
		{"forty columns", make([]string, 40), []ImageRow{{"row", make([]Tile, 40)}}, ""},
		{"no columns", nil, []ImageRow{one}, "needs a row and a column or more"},
		{"no rows", []string{"a"}, nil, "needs a row and a column or more"},
		{"a row too short", []string{"a", "b"}, []ImageRow{one}, `row 0, "row", has 1 images for 2 columns`},
		{"index beyond the end", []string{"a"}, []ImageRow{{"row", []Tile{{gray, 30}}}}, "index 30 is outside stripes"},
		{"points", []string{"a"}, []ImageRow{{"row", []Tile{{pointSet(t, 3, corners), 0}}}}, "an image has height, width and 1 or 3 channels"},
		{"too many", make([]string, 41), make([]ImageRow, 10), "410 images to draw: choose 1 to 400"},
		{"too wide", make([]string, 400), []ImageRow{{"row", make([]Tile, 400)}}, "400 columns of images have no room"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := ImageTable("title", test.columns, test.rows...)
			expect(t, f, err, test.err)
		})
	}
}

func TestShiftedRefuse(t *testing.T) {
	gray := stripes(t, 30, 8, 9, 1)
	if f, err := SyntheticOOD(gray, []int{1}, 1); err != nil || strings.Contains(f.Alt, "270") {
		t.Errorf("images that are not square give %v", err) // they cannot be given a quarter turn
	}
	for name, try := range map[string]func() (*Figure, error){
		"index 30 is outside stripes":               func() (*Figure, error) { return SyntheticOOD(gray, []int{30}, 1) },
		"index -1 is outside stripes":               func() (*Figure, error) { return Corruptions(gray, -1, 1) },
		`no synthetic OOD set "fog"`:                func() (*Figure, error) { return SyntheticOOD(gray, []int{0}, 1, "fog") },
		"shape [2]: an image has":                   func() (*Figure, error) { return Corruptions(pointSet(t, 3, corners), 0, 1) },
		"0 images to draw: choose 1 to 400":         func() (*Figure, error) { return SyntheticOOD(gray, nil, 1) },
		"an image has height, width and 1 or 3 cha": func() (*Figure, error) { return SyntheticOOD(pointSet(t, 3, corners), []int{0}, 1) },
	} {
		if _, err := try(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}

func ExampleCorruptions() {
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		panic(err)
	}
	figure, err := Corruptions(test, 4, 1)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

func ExampleSyntheticOOD() {
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		panic(err)
	}
	figure, err := SyntheticOOD(test, []int{0, 1, 2, 3}, 1, "rotated", "inverted", "uniform noise")
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: UCI digits test, and synthetic OOD sets made from it: a table of images. From top to bottom: original, rotated, inverted, uniform noise. From left to right: 0, 1, 3, 5.
}

func ExampleImageTable() {
	train, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		panic(err)
	}
	figure, err := ImageTable("digits", []string{"first", "second", "third"},
		ImageRow{"train", []Tile{{train, 0}, {train, 1}, {train, 2}}},
		ImageRow{"test", []Tile{{test, 0}, {test, 1}, {}}}, // the last place stays empty
	)
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: digits: a table of images. From top to bottom: train, test. From left to right: first, second, third.
}

package data

import (
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/data/tabular"
)

// says fails unless err is one line that holds every part.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error %q is not one line", err)
	}
}

func twoImages() Dataset {
	return Dataset{
		Info:  Info{Name: "two", Split: "train", Classes: []string{"a", "b"}},
		Shape: []int{1, 2, 1}, MaxPixel: 16,
		Pixels: []uint8{0, 4, 8, 16}, Labels: []int32{1, 0},
	}
}

func TestNewRefuses(t *testing.T) {
	points := func(d *Dataset) { d.Pixels, d.Points, d.Shape = nil, []float32{1, 2, 3, 4}, []int{2} }
	for _, c := range []struct {
		name  string
		spoil func(d *Dataset)
		want  string
	}{
		{"both", func(d *Dataset) { d.Points = []float32{1} }, "exactly one of Pixels and Points"},
		{"neither", func(d *Dataset) { d.Pixels = nil }, "exactly one of Pixels and Points"},
		{"empty", func(d *Dataset) { d.Labels = nil }, "no examples"},
		{"no classes", func(d *Dataset) { d.Classes = nil }, "no class names"},
		{"class that ends the line", func(d *Dataset) { d.Classes[0] = "a\x1b[2J\nb" }, `class 0 is called "a\x1b[2J\nb", which has unprintable characters: rename it`},
		{"two classes of one name", func(d *Dataset) { d.Classes = []string{"b", "a", "a"} }, `classes 1 and 2 (from 0) are both called "a": rename one`},
		{"label too high", func(d *Dataset) { d.Labels[1] = 2 }, "example 1 has label 2, but with 2 classes labels range from 0 to 1"},
		{"label below 0", func(d *Dataset) { d.Labels[0] = -1 }, "example 0 has label -1"},
		{"flat shape", func(d *Dataset) { d.Shape = []int{2, 1} }, "shape [2 1] is not an image shape"},
		{"zero shape", func(d *Dataset) { d.Shape = []int{0, 2, 1} }, "shape [0 2 1] is not an image shape"},
		{"shape whose product overflows", func(d *Dataset) { d.Shape = []int{1 << 31, 1 << 31, 4} }, "is not an image shape"},
		{"pixels missing", func(d *Dataset) { d.Pixels = d.Pixels[:3] }, "need 4 pixels, but there are 3"},
		{"no MaxPixel", func(d *Dataset) { d.MaxPixel = 0 }, "MaxPixel is 0"},
		{"pixel too high", func(d *Dataset) { d.Pixels[2] = 17 }, "example 1 has a pixel of 17, above MaxPixel 16"},
		{"points in space", func(d *Dataset) { points(d); d.Shape = []int{3} }, "points of shape [3] need 6 coordinates"},
		{"points in a grid", func(d *Dataset) { points(d); d.Shape = []int{2, 1} }, "shape [2 1] is not a point shape"},
		{"rows of another encoder", func(d *Dataset) {
			points(d)
			d.Encoder = &tabular.Encoder{Label: "y", Columns: []tabular.Column{{Name: "x", Deviation: 1}}}
		}, "its encoder makes 1 inputs of a row"},
		{"images with an encoder", func(d *Dataset) { d.Encoder = &tabular.Encoder{} }, "an encoder is for rows"},
		{"coordinate missing", func(d *Dataset) { points(d); d.Points = d.Points[:3] }, "need 4 coordinates, but there are 3"},
		{"not a number", func(d *Dataset) { points(d); d.Points[3] = float32(math.NaN()) }, "example 1 has the coordinate NaN"},
		{"infinite", func(d *Dataset) { points(d); d.Points[0] = float32(math.Inf(1)) }, "example 0 has the coordinate +Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := twoImages()
			c.spoil(&d)
			_, err := New(d)
			says(t, err, "data: two: ", c.want)
		})
	}
}

// Whatever a result can depend on changes the checksum; what a set is called
// does not.
func TestChecksumCovers(t *testing.T) {
	sum := func(change func(d *Dataset)) string {
		d := twoImages()
		change(&d)
		made, err := New(d)
		if err != nil {
			t.Fatal(err)
		}
		return made.Checksum
	}
	// SHA-256 of "[1 2 1] 16 2 [\"a\" \"b\"]\n", bytes 00 04 08 10, then 01000000 00000000,
	// by sha256sum.
	const plain = "0fba752cc68f9913c3a4b550ba437618ab483256264e3024ee5774187a6c9f1b"
	if got := sum(func(d *Dataset) {}); got != plain {
		t.Errorf("checksum %s, want %s", got, plain)
	}
	if got := sum(func(d *Dataset) { d.Name, d.Split, d.Source = "other", "test", "there" }); got != plain {
		t.Error("the checksum depends on the name")
	}
	for name, change := range map[string]func(d *Dataset){
		"shape":    func(d *Dataset) { d.Shape = []int{2, 1, 1} },
		"MaxPixel": func(d *Dataset) { d.MaxPixel = 17 },
		"classes":  func(d *Dataset) { d.Classes = []string{"b", "a"} },
		"pixel":    func(d *Dataset) { d.Pixels[3]-- },
		"label":    func(d *Dataset) { d.Labels[0] = 0 },
		"order":    func(d *Dataset) { slices.Reverse(d.Labels) },
	} {
		if sum(change) == plain {
			t.Errorf("the checksum does not depend on: %s", name)
		}
	}
}

func TestExampleInNetworkUnits(t *testing.T) {
	d, err := New(twoImages())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 2)
	d.Example(0, got)
	if want := []float32{-1, -.5}; !slices.Equal(got, want) {
		t.Errorf("pixels 0 and 4 of 16 became %v, want %v", got, want)
	}
	d.Example(1, got)
	if want := []float32{0, 1}; !slices.Equal(got, want) {
		t.Errorf("pixels 8 and 16 of 16 became %v, want %v", got, want)
	}
}

func TestSubset(t *testing.T) {
	d, err := New(twoImages())
	if err != nil {
		t.Fatal(err)
	}
	sub, err := d.Subset("part", []int{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if sub.Split != "part" || !slices.Equal(sub.Pixels, []uint8{8, 16, 8, 16}) || !slices.Equal(sub.Labels, []int32{0, 0}) {
		t.Errorf("got %v with pixels %v", sub, sub.Pixels)
	}
	if sub.Checksum == d.Checksum {
		t.Error("the part has the whole's checksum")
	}
	_, err = d.Subset("part", []int{2})
	says(t, err, "index 2 is out of range: two has 2 examples")
	for n, want := range map[int][]int32{1: {1}, 2: {1, 0}, 9: {1, 0}} {
		if first, err := d.First(n); err != nil || first.Split != d.Split || !slices.Equal(first.Labels, want) {
			t.Errorf("the first %d: %v (%v)", n, first, err)
		}
	}
	if _, err := d.First(0); err == nil {
		t.Error("the first 0 examples are no error")
	}
}

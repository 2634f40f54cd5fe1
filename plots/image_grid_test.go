package plots

import (
	"context"
	"image/color"
	"strings"
	"testing"

	"ngebm/data"
)

// stripes is n images of one bright column on dark ground, in so many channels.
func stripes(t testing.TB, n, height, width, channels int) *data.Dataset {
	t.Helper()
	d := data.Dataset{
		Info:  data.Info{Name: "stripes", Split: "test", Source: "computed", License: "CC0-1.0", Classes: []string{"left", "a name that is too long for its place"}},
		Shape: []int{height, width, channels}, MaxPixel: 16,
	}
	for i := range n {
		d.Labels = append(d.Labels, int32(i%2))
		for p := range height * width * channels {
			value := uint8(0)
			if column := p / channels % width; column == i%width && p%channels == i%channels {
				value = 16
			}
			d.Pixels = append(d.Pixels, value)
		}
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func upTo(n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return indices
}

func TestImagesGolden(t *testing.T) {
	t.Run("digits", func(t *testing.T) {
		_, test, err := data.Open(context.Background(), "digits", data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := Images(test, upTo(20), nil)
		golden(t, "images", f, err)
	})
	t.Run("color, captions", func(t *testing.T) {
		f, err := Images(stripes(t, 3, 6, 9, 3), upTo(3), []string{"red", "green", "blue is the last of the three"})
		golden(t, "images-color", f, err)
	})
}

// An image's pixels are squares of one color: nothing is smoothed.
func TestImagesCrisp(t *testing.T) {
	f, err := Images(stripes(t, 4, 8, 8, 1), upTo(4), []string{"", "", "", ""})
	if err != nil {
		t.Fatal(err)
	}
	img := checkDrawn(t, f)
	for x := range img.Bounds().Dx() {
		for y := range img.Bounds().Dy() {
			if g := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y; g != 0 && g != 0xff && g != frame.R {
				t.Fatalf("gray %d at %d, %d: only black, white and the frame were drawn", g, x, y)
			}
		}
	}
}

func TestImagesDegenerate(t *testing.T) {
	gray := stripes(t, 30, 8, 8, 1)
	for _, test := range []struct {
		name     string
		d        *data.Dataset
		indices  []int
		captions []string
		err      string
	}{
		{"one", gray, []int{3}, nil, ""},
		{"an image twice", gray, []int{3, 3}, nil, ""},
		{"the last row is short", gray, upTo(23), nil, ""},
		{"one pixel", stripes(t, 1, 1, 1, 1), []int{0}, []string{"a caption, so that there is something dark"}, ""},
		{"larger than its tile", stripes(t, 2, 300, 200, 3), upTo(2), nil, ""},
		{"very wide", stripes(t, 1, 1, 500, 1), upTo(1), nil, ""},
		{"no set", nil, upTo(1), nil, "no dataset"},
		{"points", pointSet(t, 3, corners), upTo(1), nil, "an image has height, width and 1 or 3 channels"},
		{"two channels", stripes(t, 1, 4, 4, 2), upTo(1), nil, "shape [4 4 2]"},
		{"no indices", gray, nil, nil, "0 images to draw: choose 1 to 400"},
		{"too many", stripes(t, 401, 1, 1, 1), upTo(401), nil, "401 images to draw"},
		{"index beyond the end", gray, []int{0, 30}, nil, "index 30 is outside stripes, which has 30 examples"},
		{"negative index", gray, []int{-1}, nil, "index -1"},
		{"captions missing", gray, upTo(2), []string{"a"}, "1 captions for 2 images"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Images(test.d, test.indices, test.captions)
			switch {
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error %v, want one with %q", err, test.err)
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err == "":
				checkDrawn(t, f)
			}
		})
	}
}

func ExampleImages() {
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		panic(err)
	}
	figure, err := Images(test, []int{0, 1, 2, 3}, []string{"p = 0.99", "p = 0.98", "p = 0.97", "p = 0.42"})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

package data

import (
	"math"
	"slices"
	"testing"
)

func TestResize(t *testing.T) {
	digits, _ := open(t, "digits", Options{})
	colour := images(t, 3, 8, 8, 3)
	for _, c := range []struct {
		d     *Dataset
		shape [3]int
		name  string
	}{
		{digits, [3]int{32, 32, 3}, "UCI digits, resized to 32x32x3"},
		{digits, [3]int{5, 9, 1}, "UCI digits, resized to 5x9x1"},
		{colour, [3]int{8, 8, 1}, "made, resized to 8x8x1"},
	} {
		r, err := c.d.Resize(c.shape[0], c.shape[1], c.shape[2])
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != c.name || !slices.Equal(r.Shape, c.shape[:]) || r.MaxPixel != 255 || !slices.Equal(r.Labels, c.d.Labels) || r.Split != c.d.Split {
			t.Errorf("%v became %v of %d levels, want %q", c.d, r, r.MaxPixel, c.name)
		}
		// A triangle filter keeps the mean but for the borders' part.
		mean := func(d *Dataset) (sum float64) {
			for _, p := range d.Pixels {
				sum += float64(p) / float64(d.MaxPixel) / float64(len(d.Pixels))
			}
			return sum
		}
		if math.Abs(mean(r)-mean(c.d)) > .03 {
			t.Errorf("%s: the mean went from %v to %v", c.name, mean(c.d), mean(r))
		}
	}
	if r, _ := digits.Resize(16, 16, 1); r.Source != digits.Source+"; resized from 8x8x1" {
		t.Errorf("the source is %q", r.Source)
	}
	if same, err := digits.Resize(8, 8, 1); err != nil || same != digits {
		t.Errorf("a set of this shape already gave %v, %v", same, err)
	}
}

// Red, green and blue become the luma of Rec. 601: .299, .587 and .114 of 255.
// Grey repeats, at full range.
func TestResizeChannels(t *testing.T) {
	d := images(t, 3, 1, 1, 3)
	copy(d.Pixels, []uint8{255, 0, 0, 0, 255, 0, 0, 0, 255})
	grey, err := d.Resize(2, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{76, 76, 76, 76, 150, 150, 150, 150, 29, 29, 29, 29}; !slices.Equal(grey.Pixels, want) {
		t.Errorf("red, green and blue became %v, want %v", grey.Pixels, want)
	}
	two, err := New(twoImages()) // 0 4 and 8 16 of 16
	if err != nil {
		t.Fatal(err)
	}
	colour, err := two.Resize(1, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{0, 0, 0, 64, 64, 64, 128, 128, 128, 255, 255, 255}; !slices.Equal(colour.Pixels, want) {
		t.Errorf("greys became %v, want %v", colour.Pixels, want)
	}
}

func TestResizeRefuses(t *testing.T) {
	moons, _ := open(t, "moons:10", Options{})
	for _, c := range []struct {
		d                       *Dataset
		height, width, channels int
		want                    string
	}{
		{moons, 8, 8, 1, "moons holds points, which cannot be resized"},
		{images(t, 2, 4, 4, 1), 0, 4, 1, "made cannot be resized to [0 4 1]: give [height width channels], each from 1 to 16384"},
		{images(t, 2, 4, 4, 1), 4, 1 << 15, 1, "cannot be resized to [4 32768 1]"},
		{images(t, 2, 4, 4, 1), 1 << 14, 1 << 14, 1, "give a smaller size"},
		{images(t, 5000, 1, 1, 1), 2048, 2048, 3, "5000 images of [2048 2048 3] are more than 8 GiB"},
		{images(t, 2, 1<<14, 1, 1), 1, 2048, 1, "made have 16384 rows, which is too many for a width of 2048: give a width of at most 1600"},
		{images(t, 2, 4, 4, 1), 4, 4, 2, "made has 1 channels, which cannot become 2: only gray (1) and color (3) are converted into each other"},
		{images(t, 2, 4, 4, 2), 4, 4, 3, "made has 2 channels"},
	} {
		_, err := c.d.Resize(c.height, c.width, c.channels)
		says(t, err, c.want)
	}
	if r, err := images(t, 2, 4, 4, 2).Resize(3, 3, 2); err != nil || !slices.Equal(r.Shape, []int{3, 3, 2}) {
		t.Errorf("two channels that stay give %v, %v", r, err)
	}
}

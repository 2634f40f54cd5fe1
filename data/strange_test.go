package data_test

import (
	"slices"
	"strings"
	"testing"

	"ngebm/data"
)

func TestStrange(t *testing.T) {
	images, err := data.New(data.Dataset{
		Info:  data.Info{Name: "two", Split: "test", Classes: []string{"a", "b"}},
		Shape: []int{2, 2, 1}, MaxPixel: 16,
		Pixels: []uint8{0, 1, 2, 3, 16, 16, 0, 0}, Labels: []int32{0, 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	// By hand: 01/23 turned counter-clockwise is 13/02; the mean of the two
	// images is the same for both.
	for kind, want := range map[string][]uint8{
		"inverted":     {16, 15, 14, 13, 0, 0, 16, 16},
		"rotated":      {1, 3, 0, 2, 16, 0, 16, 0},
		"interpolated": {8, 8, 1, 1, 8, 8, 1, 1},
	} {
		s, err := images.Strange(kind, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Pixels, want) || s.Name != "two, "+kind || s.Len() != 2 {
			t.Errorf("%s: %v with pixels %v, want %v", kind, s, s.Pixels, want)
		}
	}
	digits, _, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, kind := range digits.Strangers() {
		a, err := digits.Strange(kind, 1)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := digits.Strange(kind, 1)
		if a.Checksum != again.Checksum {
			t.Errorf("%s differs from call to call", kind)
		}
		if other, ok := seen[a.Checksum]; ok {
			t.Errorf("%s equals %s", kind, other)
		}
		seen[a.Checksum] = kind
		for _, p := range a.Pixels {
			if p > 16 {
				t.Fatalf("%s has a pixel of %d", kind, p)
			}
		}
	}
	shuffled, _ := digits.Strange("shuffled", 1)
	for i := range 3 {
		before, after := slices.Clone(digits.Pixels[64*i:64*i+64]), slices.Clone(shuffled.Pixels[64*i:64*i+64])
		slices.Sort(before)
		slices.Sort(after)
		if !slices.Equal(before, after) {
			t.Errorf("shuffling changed the values of image %d", i)
		}
	}
	if _, err := digits.Strange("upside down", 1); err == nil || !strings.Contains(err.Error(), `"upside down"`) || !strings.Contains(err.Error(), "inverted") {
		t.Errorf("an unknown kind gives %v", err)
	}
}

// No point far away lies in the box of the set, and none beyond three times it.
func TestStrangePoints(t *testing.T) {
	moons, _, err := data.Open(t.Context(), "moons", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	far, err := moons.Strange("far away", 1)
	if err != nil {
		t.Fatal(err)
	}
	var low, high [2]float32
	for i, v := range moons.Points {
		low[i%2], high[i%2] = min(low[i%2], v), max(high[i%2], v)
	}
	for i := 0; i < len(far.Points); i += 2 {
		inside, beyond := true, false
		for k, v := range far.Points[i : i+2] {
			width := high[k] - low[k]
			inside = inside && v >= low[k] && v <= high[k]
			beyond = beyond || v < low[k]-1.001*width || v > high[k]+1.001*width
		}
		if inside || beyond {
			t.Fatalf("point %d is %v", i/2, far.Points[i:i+2])
		}
	}
	if _, err := moons.Strange("rotated", 1); err == nil || !strings.Contains(err.Error(), "far away") {
		t.Errorf("rotating points gives %v", err)
	}
}

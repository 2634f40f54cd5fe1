package data_test

import (
	"slices"
	"strings"
	"testing"

	"ngebm/data"
)

func TestSynthesizeOOD(t *testing.T) {
	images, err := data.New(data.Dataset{
		Info:  data.Info{Name: "two", Split: "test", Classes: []string{"a", "b"}},
		Shape: []int{2, 2, 1}, MaxPixel: 16,
		Pixels: []uint8{0, 1, 2, 3, 16, 16, 0, 0}, Labels: []int32{0, 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	// By hand: 01/23 turned counter-clockwise is 13/02, then 32/10, then 20/31;
	// the mean of the two images is the same for both.
	for kind, want := range map[string][]uint8{
		"inverted":     {16, 15, 14, 13, 0, 0, 16, 16},
		"rotated":      {1, 3, 0, 2, 16, 0, 16, 0},
		"rotated 180":  {3, 2, 1, 0, 0, 0, 16, 16},
		"rotated 270":  {2, 0, 3, 1, 0, 16, 0, 16},
		"interpolated": {8, 8, 1, 1, 8, 8, 1, 1},
	} {
		s, err := images.SynthesizeOOD(kind, 1)
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
	for _, kind := range digits.OODKinds() {
		a, err := digits.SynthesizeOOD(kind, 1)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := digits.SynthesizeOOD(kind, 1)
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
	shuffled, _ := digits.SynthesizeOOD("shuffled", 1)
	for i := range 3 {
		before, after := slices.Clone(digits.Pixels[64*i:64*i+64]), slices.Clone(shuffled.Pixels[64*i:64*i+64])
		slices.Sort(before)
		slices.Sort(after)
		if !slices.Equal(before, after) {
			t.Errorf("shuffling changed the values of image %d", i)
		}
	}
	if _, err := digits.SynthesizeOOD("upside down", 1); err == nil || !strings.Contains(err.Error(), `"upside down"`) || !strings.Contains(err.Error(), "inverted") {
		t.Errorf("an unknown kind gives %v", err)
	}
}

// No point is in the bounding box of the set, and none outside of three times it.
func TestUniformBox(t *testing.T) {
	moons, _, err := data.Open(t.Context(), "moons", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	far, err := moons.SynthesizeOOD("uniform box", 1)
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
	if _, err := moons.SynthesizeOOD("rotated", 1); err == nil || !strings.Contains(err.Error(), "uniform box") {
		t.Errorf("rotating points gives %v", err)
	}
}

// Rotation keeps a pixel's channels together; 180 degrees need no square.
func TestRotationKeepsChannels(t *testing.T) {
	d, err := data.New(data.Dataset{
		Info:  data.Info{Name: "row", Split: "test", Classes: []string{"a"}},
		Shape: []int{1, 2, 3}, MaxPixel: 255,
		Pixels: []uint8{1, 2, 3, 4, 5, 6}, Labels: []int32{0},
	})
	if err != nil {
		t.Fatal(err)
	}
	half, err := d.SynthesizeOOD("rotated 180", 1)
	if err != nil || !slices.Equal(half.Pixels, []uint8{4, 5, 6, 1, 2, 3}) {
		t.Errorf("180 degrees give %v, %v", half.Pixels, err)
	}
	for _, kind := range []string{"rotated", "rotated 270"} {
		if _, err := d.SynthesizeOOD(kind, 1); err == nil || !strings.Contains(err.Error(), "needs square images") {
			t.Errorf("%s of 1x2 pixels gives %v", kind, err)
		}
	}
}

// Synthetic OOD sets must not change, because stored runs are compared on them. The sums were
// noted before blobs and two of the rotations were added, from the digits' training set with
// seed 1.
func TestOODFrozen(t *testing.T) {
	digits, _, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{
		"uniform noise":  "1651336a98086b3bae54aefa805df8175239fd4803f789bc019b8980b27bb0ae",
		"gaussian noise": "a6fbcd3b01690fcf178a202573fe7bd06ed701c9aa1f20673ec57b988fd3938b",
		"constant":       "f9eb3901b1b79be492e75142795e3af31b4cfe221eedc9fc93ad0d12d1bfa6f2",
		"inverted":       "801de0efd288bd0fe9de7f414df3989ab024328c03901df6965eed6a1f967a9d",
		"rotated":        "7ae8f4d9212f10a2c57ceda2e97c4cf6db3733869bbb8fffd90102e95d1e8aa5",
		"shuffled":       "d9befb793c724847e4129d1de60c7afe2a3074440836faef99393cafb8fa6b85",
		"interpolated":   "3b0260c734292c900a6d5788a9d14582a6da56f87556ff726b7aeb19d3fbb060",
	} {
		s, err := digits.SynthesizeOOD(kind, 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.Checksum != want {
			t.Errorf("%s has the checksum %s, want %s", kind, s.Checksum, want)
		}
	}
}

// Blobs are smooth and light on black: whatever is lit is at least .75, and what
// is next to it mostly is, too. How much is lit was noted from 8,000 images made
// with scipy.ndimage.gaussian_filter of scipy 1.17 and the same parameters: a
// share of .211 of 32x32x3, .361 of 8x8x1.
func TestBlobs(t *testing.T) {
	for _, c := range []struct {
		shape []int
		lit   float64
	}{{[]int{32, 32, 3}, .211}, {[]int{8, 8, 1}, .361}} {
		size := c.shape[0] * c.shape[1] * c.shape[2]
		d, err := data.New(data.Dataset{
			Info:  data.Info{Name: "black", Split: "test", Classes: []string{"a"}},
			Shape: c.shape, MaxPixel: 255, Pixels: make([]uint8, 2000*size), Labels: make([]int32, 2000),
		})
		if err != nil {
			t.Fatal(err)
		}
		blobs, err := d.SynthesizeOOD("blobs", 1)
		if err != nil {
			t.Fatal(err)
		}
		lit, pairs, both := 0., 0., 0.
		for i, p := range blobs.Pixels {
			if p > 0 && p < 191 { // .75 of 255
				t.Fatalf("a pixel of %d is neither black nor light", p)
			}
			if i%size < size-c.shape[2] {
				pairs++
				if (p > 0) == (blobs.Pixels[i+c.shape[2]] > 0) {
					both++
				}
			}
			if p > 0 {
				lit++
			}
		}
		if share := lit / float64(len(blobs.Pixels)); share < c.lit-.015 || share > c.lit+.015 {
			t.Errorf("%v: a share of %.3f is lit, want %v", c.shape, share, c.lit)
		}
		if both/pairs < .8 {
			t.Errorf("%v: a share of %.3f of neighbors are alike", c.shape, both/pairs)
		}
	}
}

// The old name of "uniform box" gives the same set, with the checksum that was noted before
// it was renamed: a run's hash covers the checksum.
func TestCheckOODKind(t *testing.T) {
	for kind, want := range map[string]string{
		"rotated": "", "uniform box": "", "far away": "",
		"rotatd": `"rotatd" (did you mean rotated?): choose one of uniform box, shifted, permuted columns, uniform noise`, "": "choose one of",
	} {
		if err := data.CheckOODKind(kind); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", kind, err, want)
		}
	}
}

func TestOODKindAlias(t *testing.T) {
	moons, _, err := data.Open(t.Context(), "moons", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "fe97ba3278ddd3b38eb569053cf1ccd3609b617ae2d4df8733246b915ac26288"
	for _, kind := range []string{"uniform box", "far away"} {
		s, err := moons.SynthesizeOOD(kind, 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.Checksum != want || s.Name != "moons, uniform box" {
			t.Errorf("%s: %s has the checksum %s, want %s", kind, s.Name, s.Checksum, want)
		}
	}
}

// The kinds that a dataset is said to accept are those that can be made of it.
func TestOODKindsFit(t *testing.T) {
	images := func(height, width int, labels ...int32) *data.Dataset {
		set, err := data.New(data.Dataset{
			Info:  data.Info{Name: "shapes", Split: "test", Classes: []string{"a", "b"}},
			Shape: []int{height, width, 1}, MaxPixel: 255, Labels: labels, Pixels: make([]uint8, height*width*len(labels)),
		})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	all := images(2, 2, 0, 1).OODKinds()
	for name, c := range map[string]struct {
		set   *data.Dataset
		lacks []string
		why   string
	}{
		"oblong":    {images(2, 3, 0, 1), []string{"rotated", "rotated 270"}, `needs square images, but those of shapes have the shape [2 3 1]: use "rotated 180"`},
		"one class": {images(2, 2, 1, 1), []string{"interpolated"}, "needs images of two classes, and all of shapes have one"},
	} {
		kinds := c.set.OODKinds()
		for _, kind := range all {
			_, err := c.set.SynthesizeOOD(kind, 1)
			if lacks := slices.Contains(c.lacks, kind); lacks == slices.Contains(kinds, kind) || lacks != (err != nil) {
				t.Errorf("%s, %s: %v, and the kinds are %v", name, kind, err, kinds)
			} else if err != nil && !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

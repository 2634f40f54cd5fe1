package data

import (
	"slices"
	"testing"
)

// pattern is a grey image that a formula makes, so that other programs can too.
func pattern(h, w int) []uint8 {
	var p []uint8
	for y := range h {
		for x := range w {
			p = append(p, uint8(37*y*y+101*x+13*x*y))
		}
	}
	return p
}

// The numbers are Pillow 13.0's: Image.fromarray(pattern).resize((w, h),
// Image.BILINEAR). It computes with fewer bits, hence the unit of tolerance.
func TestResample(t *testing.T) {
	for _, c := range []struct {
		h, w, toH, toW int
		want           []uint8
	}{
		{7, 9, 3, 4, []uint8{84, 111, 146, 119, 129, 129, 102, 105, 144, 118, 129, 113}},
		{3, 4, 7, 9, []uint8{0, 17, 62, 107, 152, 196, 142, 73, 47, 5, 23, 68, 112, 142, 170, 129, 77, 58, 21, 39, 88, 128, 111, 94, 91, 91, 90, 37, 56, 107, 143, 80, 17, 53, 104, 123, 85, 86, 91, 93, 81, 69, 71, 76, 78, 132, 116, 74, 43, 83, 122, 90, 48, 32, 148, 126, 69, 26, 83, 139, 96, 39, 17}},
		{6, 6, 1, 1, []uint8{118}},
		{5, 8, 5, 3, []uint8{91, 140, 164, 82, 137, 143, 86, 81, 75, 151, 140, 80, 148, 110, 160}},
		{4, 5, 4, 5, pattern(4, 5)},
	} {
		src := pattern(c.h, c.w)
		got := resample(src, c.h, c.w, 1, c.toH, c.toW)
		for i, v := range got {
			if d := int(v) - int(c.want[i]); len(got) != len(c.want) || d < -1 || d > 1 {
				t.Fatalf("%dx%d to %dx%d: got %v, want %v", c.h, c.w, c.toH, c.toW, got, c.want)
			}
		}
		if !slices.Equal(src, pattern(c.h, c.w)) {
			t.Errorf("%dx%d to %dx%d changed what it scaled", c.h, c.w, c.toH, c.toW)
		}
		// Channels do not mix, however many there are.
		for channels := 2; channels <= 5; channels++ {
			var many []uint8
			for _, v := range src {
				for k := range channels {
					many = append(many, v+uint8(40*k))
				}
			}
			scaled := resample(many, c.h, c.w, channels, c.toH, c.toW)
			for k := range channels {
				var one, alone []uint8
				for i := k; i < len(scaled); i += channels {
					one = append(one, scaled[i])
				}
				for _, v := range src {
					alone = append(alone, v+uint8(40*k))
				}
				if want := resample(alone, c.h, c.w, 1, c.toH, c.toW); !slices.Equal(one, want) {
					t.Errorf("channel %d of %d became %v, alone it becomes %v", k, channels, one, want)
				}
			}
		}
	}
}

// A set whose pixels end at 16 stays one.
func TestResampleKeepsRange(t *testing.T) {
	src := make([]uint8, 8*8)
	for i := range src {
		src[i] = 16 * uint8(i/2%2)
	}
	for _, size := range []int{1, 3, 7, 9, 20, 64} {
		if scaled := resample(src, 8, 8, 1, size, size); slices.Max(scaled) > 16 || len(scaled) != size*size {
			t.Errorf("at %dx%d there are %d values up to %d", size, size, len(scaled), slices.Max(scaled))
		}
	}
	if got := resample([]uint8{0, 16}, 1, 2, 1, 1, 1); got[0] != 8 {
		t.Errorf("the mean of 0 and 16 is %d", got[0])
	}
}

// The grey of colours is Pillow 13.0's convert("L").
func TestRecolor(t *testing.T) {
	colours := []uint8{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30, 1, 2, 3}
	grey := []uint8{76, 150, 29, 255, 18, 2}
	if got := recolor(colours, 3, 1); !slices.Equal(got, grey) {
		t.Errorf("got %v, want %v", got, grey)
	}
	if got := recolor([]uint8{7, 9}, 1, 3); !slices.Equal(got, []uint8{7, 7, 7, 9, 9, 9}) {
		t.Errorf("got %v", got)
	}
}

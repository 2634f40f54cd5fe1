package attack

import "testing"

// Sizes follow from how many images are left, of passes that are long enough to compile them.
func TestFitting(t *testing.T) {
	for _, c := range []struct {
		whole, images int
		cost          float64
		want          int
	}{
		{125, 500, 300, 125},
		{125, 125, 300, 125},
		{125, 100, 300, 125}, // 64, 32 and 8 would hold as many slots
		{125, 93, 300, 64},   // and 32
		{125, 70, 300, 64},   // and 8
		{125, 60, 300, 64},
		{125, 40, 300, 32}, // and 8
		{125, 30, 300, 32},
		{125, 9, 300, 16},
		{125, 1, 300, 8},
		{125, 1, 3, 125}, // FGSM
		{125, 115, 120, 125},
		{5, 1, 5000, 5},
		{12, 9, 5000, 12},
		{12, 8, 5000, 8},
		{1, 1, 5000, 1},
	} {
		if got := fitting(c.whole, c.images, c.cost); got != c.want {
			t.Errorf("%d images, full batches of %d, cost %v: %d, want %d", c.images, c.whole, c.cost, got, c.want)
		}
	}
	// Whatever the numbers, every image has a slot, and no more than a third of the slots are
	// empty, beyond the smallest batch.
	for whole := 1; whole <= 130; whole++ {
		for images := 1; images <= 300; images++ {
			slots, left := 0, images
			for left > 0 {
				size := fitting(whole, left, 5000)
				slots, left = slots+size, left-size
			}
			if slots < images || images < whole && 3*(slots-8) > 4*images {
				t.Fatalf("%d images, full batches of %d: %d slots", images, whole, slots)
			}
		}
	}
}

package data

import (
	"slices"
	"testing"
)

// The first two rows of numpy.arange(64).reshape(8,8)·4 after Pillow 13.0's
// resize((7,7), BOX).resize((8,8), BOX), and so with 6 and 5; .95 and .9 of 8 are
// both 7 pixels, .85 and .75 both 6.
func TestPixelateAgreesWithPillow(t *testing.T) {
	d := images(t, 1, 8, 8, 1)
	for i := range d.Pixels {
		d.Pixels[i] = uint8(4 * i)
	}
	seven := []uint8{0, 4, 8, 14, 14, 20, 24, 28, 32, 36, 40, 46, 46, 52, 56, 60}
	six := []uint8{0, 6, 6, 12, 16, 22, 22, 28, 48, 54, 54, 60, 64, 70, 70, 76}
	five := []uint8{18, 18, 24, 30, 30, 36, 42, 42, 18, 18, 24, 30, 30, 36, 42, 42}
	for i, want := range [][]uint8{seven, seven, six, six, five} {
		if got := corrupt(t, d, "pixelate", i+1).Pixels[:16]; !slices.Equal(got, want) {
			t.Errorf("severity %d gave %v, want %v", i+1, got, want)
		}
	}
}

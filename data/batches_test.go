package data

import (
	"context"
	"testing"
)

func photographs(t testing.TB, n int) *Dataset {
	t.Helper()
	d := Dataset{
		Info:  Info{Name: "made", Split: "train", Classes: []string{"a", "b"}},
		Shape: []int{32, 32, 3}, MaxPixel: 255,
		Pixels: make([]uint8, n*32*32*3), Labels: make([]int32, n),
	}
	rng := stream(forPoints, 1, 0, 0)
	for i := range d.Pixels {
		d.Pixels[i] = uint8(rng.Uint32())
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 2)
	}
	made, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// BenchmarkBatch prepares WRN-10-2's batches (64 images of 32x32x3) on one core.
func BenchmarkBatch(b *testing.B) {
	d := photographs(b, 10_000)
	for _, c := range []struct {
		name string
		aug  Augment
	}{
		{"plain", Augment{}},
		{"crop and flip", Augment{Pad: 4, Flip: true}},
		{"crop, flip and noise", Augment{Pad: 4, Flip: true, Noise: .03}},
	} {
		b.Run(c.name, func(b *testing.B) {
			batches, err := NewBatches(d, 64, 1, c.aug)
			if err != nil {
				b.Fatal(err)
			}
			for step := 0; b.Loop(); step++ {
				batches.At(step)
			}
			b.ReportMetric(float64(b.N)*64/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// BenchmarkBatchesFrom is the rate at which a consumer that does nothing gets
// them.
func BenchmarkBatchesFrom(b *testing.B) {
	batches, err := NewBatches(photographs(b, 10_000), 64, 1, Augment{Pad: 4, Flip: true, Noise: .03})
	if err != nil {
		b.Fatal(err)
	}
	for range batches.From(context.Background(), 0) {
		if !b.Loop() {
			break
		}
	}
	b.ReportMetric(float64(b.N)*64/b.Elapsed().Seconds(), "images/s")
}

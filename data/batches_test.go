package data

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"
)

// images makes n images of random pixels in two classes.
func images(t testing.TB, n, height, width, channels int) *Dataset {
	t.Helper()
	d := Dataset{
		Info:  Info{Name: "made", Split: "train", Classes: []string{"a", "b"}},
		Shape: []int{height, width, channels}, MaxPixel: 255,
		Pixels: make([]uint8, n*height*width*channels), Labels: make([]int32, n),
	}
	rng := stream(forToy2D, 1, 0, 0)
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

func batches(t testing.TB, d *Dataset, size int, seed uint64, aug Augment) *Batches {
	t.Helper()
	b, err := NewBatches(d, size, seed, aug)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNewBatchesRefuses(t *testing.T) {
	decoded := images(t, 10, 4, 6, 1)
	points, _ := open(t, "moons:10", Options{})
	for _, c := range []struct {
		name string
		d    *Dataset
		size int
		aug  Augment
		want string
	}{
		{"batch of none", decoded, 0, Augment{}, "the batch size is 0: give 1 or more"},
		{"batch larger than the data", decoded, 11, Augment{}, "the batch size 11 is larger than the 10 examples of made train: give a batch size of at most 10, or more data"},
		{"negative noise", decoded, 2, Augment{Noise: -1}, "the noise is -1: give a standard deviation"},
		{"noise is not a number", decoded, 2, Augment{Noise: math.NaN()}, "the noise is NaN"},
		{"noise without bound", decoded, 2, Augment{Noise: math.Inf(1)}, "the noise is +Inf"},
		{"negative padding", decoded, 2, Augment{Pad: -1}, "the padding is -1"},
		{"padding beyond the reflection", decoded, 2, Augment{Pad: 4}, "the padding of 4 pixels must be below the shorter side of 4x6 images: give 3 or less"},
		{"padded points", points, 2, Augment{Pad: 1}, "padding, flips and cutout are for images, but moons holds points"},
		{"negative cutout", decoded, 2, Augment{Cutout: -1}, "the cutout is -1"},
		{"cutout larger than the image", decoded, 2, Augment{Cutout: 7}, "the cutout of 7 pixels is larger than 4x6 images: give 6 or less"},
		{"cutout of points", points, 2, Augment{Cutout: 1}, "set pad and cutout to 0"},
		{"negative mixup", decoded, 2, Augment{Mixup: -.1}, "the mixup is -0.1: give the α of Beta(α,α)"},
		{"mixup is not a number", decoded, 2, Augment{Mixup: math.NaN()}, "the mixup is NaN"},
		{"mixup without bound", decoded, 2, Augment{Mixup: math.Inf(1)}, "the mixup is +Inf"},
		{"flipped points", points, 2, Augment{Flip: true}, "padding, flips and cutout are for images"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewBatches(c.d, c.size, 1, c.aug)
			says(t, err, c.want)
		})
	}
}

// An epoch shows each example once, but for the left-over, and each epoch in an
// order of its own.
func TestEpochs(t *testing.T) {
	d := images(t, 10, 1, 1, 1)
	for i := range d.Pixels {
		d.Pixels[i] = uint8(i) // tells the examples hashSplit
	}
	b := batches(t, d, 3, 1, Augment{})
	if got := b.StepsPerEpoch(); got != 3 {
		t.Fatalf("%d steps an epoch, want 3", got)
	}
	orders := map[string]bool{}
	for epoch := range 20 {
		var order []byte
		for step := epoch * 3; step < epoch*3+3; step++ {
			batch := b.At(step)
			for i, x := range batch.X {
				example := int(math.Round((float64(x) + 1) / 2 * 255))
				if batch.Labels[i] != d.Labels[example] {
					t.Fatalf("example %d came with label %d", example, batch.Labels[i])
				}
				order = append(order, byte(example))
			}
		}
		if seen := slices.Compact(slices.Sorted(slices.Values(order))); len(seen) != 9 {
			t.Errorf("epoch %d has the order %v, which repeats an example", epoch, order)
		}
		orders[string(order)] = true
	}
	if len(orders) != 20 {
		t.Errorf("20 epochs have %d different orders", len(orders))
	}
}

// A batch depends on the seed and the step alone: not on the batches before,
// nor on other goroutines.
func TestBatchIsFunctionOfStep(t *testing.T) {
	d := images(t, 50, 8, 8, 3)
	aug := Augment{Pad: 2, Flip: true, Noise: .1, Cutout: 3, Mixup: .5}
	straight := batches(t, d, 8, 5, aug)
	var want []Batch
	for step := range 40 {
		want = append(want, straight.At(step))
	}
	same := func(a, b Batch) bool {
		return slices.Equal(a.X, b.X) && slices.Equal(a.Labels, b.Labels) && slices.Equal(a.Partner, b.Partner) && a.Lambda == b.Lambda
	}
	backward := batches(t, d, 8, 5, aug)
	for step := 39; step >= 0; step-- {
		if !same(backward.At(step), want[step]) {
			t.Fatalf("step %d differs when asked for in another order", step)
		}
	}
	for _, first := range []int{0, 17} {
		next := first
		for step, batch := range batches(t, d, 8, 5, aug).From(t.Context(), first) {
			if step != next || !same(batch, want[step]) {
				t.Fatalf("From(%d) gave another batch at step %d (of number %d)", first, next, step)
			}
			if next++; next == 40 {
				break
			}
		}
	}
	if other := batches(t, d, 8, 6, aug).At(0); same(other, want[0]) {
		t.Error("the seed changes nothing")
	}
}

// The order of shuffling is part of what makes runs comparable: this one was
// noted when the algorithm was settled.
func TestBatchesStay(t *testing.T) {
	d, _ := open(t, "digits", Options{})
	got := batches(t, d, 12, 42, Augment{}).At(1000).Labels
	if want := []int32{2, 7, 9, 8, 9, 7, 3, 2, 5, 6, 8, 7}; !slices.Equal(got, want) {
		t.Errorf("step 1000 of digits has labels %v, want %v", got, want)
	}
}

// numpy.pad([0,1,2,3], 3, "reflect") is [3 2 1 0 1 2 3 2 1 0].
func TestReflect(t *testing.T) {
	var got []int
	for i := -3; i < 7; i++ {
		got = append(got, reflect(i, 4))
	}
	if want := []int{3, 2, 1, 0, 1, 2, 3, 2, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every crop of the padded image, flipped or not, comes up, and nothing else.
func TestCropAndFlip(t *testing.T) {
	// By numpy.pad([[0,1,2],[3,4,5]], 1, "reflect").
	padded := [][]uint8{
		{4, 3, 4, 5, 4},
		{1, 0, 1, 2, 1},
		{4, 3, 4, 5, 4},
		{1, 0, 1, 2, 1},
	}
	expected := map[string]bool{}
	for y := range 3 {
		for x := range 3 {
			upper, lower := slices.Clone(padded[y][x:x+3]), slices.Clone(padded[y+1][x:x+3])
			expected[string(upper)+string(lower)] = true
			slices.Reverse(upper)
			slices.Reverse(lower)
			expected[string(upper)+string(lower)] = true
		}
	}
	d, err := New(Dataset{
		Info:  Info{Name: "six", Classes: []string{"a"}},
		Shape: []int{2, 3, 1}, MaxPixel: 5,
		Pixels: []uint8{0, 1, 2, 3, 4, 5}, Labels: []int32{0},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := batches(t, d, 1, 1, Augment{Pad: 1, Flip: true})
	seen := map[string]bool{}
	for step := range 1000 {
		var got []byte
		for _, x := range b.At(step).X {
			got = append(got, byte(math.Round((float64(x)+1)/2*5)))
		}
		if !expected[string(got)] {
			t.Fatalf("step %d gave %v, which is no crop of the padded image", step, got)
		}
		seen[string(got)] = true
	}
	if len(seen) != len(expected) {
		t.Errorf("%d of %d crops came up in 1000 steps", len(seen), len(expected))
	}
}

// The noise is normal with the given deviation, for pixels in network units and
// for points in their own, and unrelated between positions and steps.
func TestNoise(t *testing.T) {
	points, _ := open(t, "moons", Options{})
	for _, d := range []*Dataset{images(t, 16, 16, 16, 3), points} {
		plain := batches(t, d, 16, 3, Augment{})
		noisy := batches(t, d, 16, 3, Augment{Noise: .25})
		var n, sum, squares, neighbors, before float64
		for step := range 2000 {
			a, b := plain.At(step), noisy.At(step)
			for i := range a.X {
				z := float64(b.X[i]-a.X[i]) / .25
				n, sum, squares, neighbors, before = n+1, sum+z, squares+z*z, neighbors+z*before, z
			}
			if n > 200_000 {
				break
			}
		}
		// Five standard errors of each figure.
		tolerance := 5 / math.Sqrt(n)
		if mean := sum / n; math.Abs(mean) > tolerance {
			t.Errorf("%s: mean %v, want 0 within %v", d.Name, mean, tolerance)
		}
		if variance := squares / n; math.Abs(variance-1) > math.Sqrt2*tolerance {
			t.Errorf("%s: variance %v, want 1 within %v", d.Name, variance, math.Sqrt2*tolerance)
		}
		if correlation := neighbors / n; math.Abs(correlation) > tolerance {
			t.Errorf("%s: correlation of neighbors %v, want 0 within %v", d.Name, correlation, tolerance)
		}
	}
}

// Whoever leaves the loop, for whatever reason, leaves no goroutine behind.
func TestFromStops(t *testing.T) {
	b := batches(t, images(t, 50, 8, 8, 3), 8, 1, Augment{Noise: .1})
	before := runtime.NumGoroutine()
	for range b.From(t.Context(), 0) {
		break
	}
	if after := settled(before); after > before {
		t.Errorf("%d goroutines before, %d after breaking off", before, after)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := 0
	for range b.From(ctx, 0) {
		if steps++; steps == 10 {
			cancel()
		}
	}
	if steps > 10 {
		t.Errorf("%d batches came after the context was done", steps-10)
	}
	if after := settled(before); after > before {
		t.Errorf("%d goroutines before, %d after the context was done", before, after)
	}
}

// settled is the number of goroutines once it has come down to want, or after five
// seconds. The last act of a goroutine that a WaitGroup has seen off is its own
// end, for which the runtime may take a moment.
func settled(want int) int {
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > want && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}

// BenchmarkBatch prepares WRN-10-2's batches (64 images of 32x32x3) on one core.
func BenchmarkBatch(b *testing.B) {
	d := images(b, 10_000, 32, 32, 3)
	for _, c := range []struct {
		name string
		aug  Augment
	}{
		{"plain", Augment{}},
		{"crop,flip", Augment{Pad: 4, Flip: true}},
		{"crop,flip,noise", Augment{Pad: 4, Flip: true, Noise: .03}},
		{"crop,flip,noise,cutout,mixup", Augment{Pad: 4, Flip: true, Noise: .03, Cutout: 16, Mixup: 1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			batches := batches(b, d, 64, 1, c.aug)
			for step := 0; b.Loop(); step++ {
				batches.At(step)
			}
			b.ReportMetric(float64(b.N)*64/b.Elapsed().Seconds(), "images/s")
		})
	}
	b.Run("points,noise", func(b *testing.B) {
		moons, _ := open(b, "moons:10000", Options{})
		batches := batches(b, moons, 128, 1, Augment{Noise: .03})
		for step := 0; b.Loop(); step++ {
			batches.At(step)
		}
		b.ReportMetric(float64(b.N)*128/b.Elapsed().Seconds(), "points/s")
	})
}

// BenchmarkBatchesFrom is the rate at which a consumer that does nothing gets
// them from all cores. It has to be ten times that of ngebm's BenchmarkStep,
// which takes batches of the same shape, or more.
func BenchmarkBatchesFrom(b *testing.B) {
	batches := batches(b, images(b, 10_000, 32, 32, 3), 64, 1, Augment{Pad: 4, Flip: true, Noise: .03})
	for range batches.From(b.Context(), 0) {
		if !b.Loop() {
			break
		}
	}
	b.ReportMetric(float64(b.N)*64/b.Elapsed().Seconds(), "images/s")
}

// A batch as a set shows what the network sees, to a step of 255.
func TestBatchDataset(t *testing.T) {
	moons, _ := open(t, "moons:100", Options{})
	digits, _ := open(t, "digits", Options{})
	for _, d := range []*Dataset{images(t, 20, 4, 6, 3), digits, moons} {
		batch := batches(t, d, 8, 1, Augment{Noise: .2}).At(3)
		seen, err := batch.Dataset(d)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Name != d.Name+", as in a batch" || seen.Len() != 8 || !slices.Equal(seen.Labels, batch.Labels) {
			t.Errorf("the batch became %v", seen)
		}
		x := make([]float32, d.Size())
		for i := range seen.Len() {
			seen.Example(i, x)
			for j, v := range x {
				want := batch.X[i*d.Size()+j]
				if d.IsImages() {
					want = min(max(want, -1), 1)
				}
				if math.Abs(float64(v-want)) > 1./255+1e-6 {
					t.Fatalf("%s: value %d of example %d is %v, the network sees %v", d.Name, j, i, v, want)
				}
			}
		}
	}
}

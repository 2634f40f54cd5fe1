package data

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// white is n fully lit images: 1 in the network's units, so that nothing in them
// is 0.
func white(t *testing.T, n, height, width, channels int) *Dataset {
	t.Helper()
	d := images(t, n, height, width, channels)
	for i := range d.Pixels {
		d.Pixels[i] = 255
	}
	return d
}

// What is cut out is one square of mid-gray, whole in the middle and clipped at
// the borders, the same in all channels; every place of its center comes up.
func TestCutout(t *testing.T) {
	const height, width, channels = 6, 9, 3
	for _, side := range []int{1, 2, 3, 4, 9} {
		b := batches(t, white(t, 10, height, width, channels), 10, 7, Augment{Cutout: side})
		entries := map[[4]int]bool{}
		for step := range 200 {
			x := b.At(step).X
			for image := range slices.Chunk(x, height*width*channels) {
				top, left, bottom, right := height, width, 0, 0
				for i, v := range image {
					if v == 0 {
						y, x := i/channels/width, i/channels%width
						top, left, bottom, right = min(top, y), min(left, x), max(bottom, y+1), max(right, x+1)
					}
				}
				for i, v := range image {
					y, x := i/channels/width, i/channels%width
					inside := y >= top && y < bottom && x >= left && x < right
					if want := float32(1); inside && v != 0 || !inside && v != want {
						t.Fatalf("side %d: pixel %d, %d is %v, the square goes from %d, %d to %d, %d", side, y, x, v, top, left, bottom, right)
					}
				}
				high, wide := bottom-top, right-left
				if high > side || wide > side || high < min(side, height) && top > 0 && bottom < height || wide < min(side, width) && left > 0 && right < width {
					t.Fatalf("side %d: the square goes from %d, %d to %d, %d", side, top, left, bottom, right)
				}
				entries[[4]int{top, left, bottom, right}] = true
			}
		}
		// A square as large as an axis and more has fewer entries that differ.
		if side <= 4 && len(entries) != height*width {
			t.Errorf("side %d: %d entries came up, want one for each of %d pixels", side, len(entries), height*width)
		}
	}
}

// The pixels that a square blots out, on average over uniform centers, by hand:
// along an axis of 8 pixels, 4 wide, 2+3+4+4+4+4+4+3 = 28 of 8, so 3.5² of 64.
func TestCutoutShare(t *testing.T) {
	b := batches(t, white(t, 100, 8, 8, 1), 100, 1, Augment{Cutout: 4})
	blotted, n := 0, 0
	for step := range 200 {
		for _, v := range b.At(step).X {
			n++
			if v == 0 {
				blotted++
			}
		}
	}
	if share, want := float64(blotted)/float64(n), 3.5*3.5/64; math.Abs(share-want) > .002 {
		t.Errorf("%.4f of the pixels are blotted out, want %.4f", share, want)
	}
}

// The mixed batch is exactly what it says it is: each example in two parts, with
// the class of either.
func TestMixup(t *testing.T) {
	moons, _ := open(t, "moons:200", Options{})
	for _, d := range []*Dataset{images(t, 50, 5, 4, 3), moons} {
		for _, aug := range []Augment{{}, {Pad: 2, Flip: true, Cutout: 2}} {
			if !d.IsImages() {
				aug = Augment{}
			}
			plain := batches(t, d, 8, 5, aug)
			aug.Mixup = .4
			mixed := batches(t, d, 8, 5, aug)
			moved := 0
			for step := range 50 {
				a, b := plain.At(step), mixed.At(step)
				if a.Partner != nil || a.Lambda != 1 {
					t.Fatalf("without mixup the partner is %v and λ %v", a.Partner, a.Lambda)
				}
				if !slices.Equal(a.Labels, b.Labels) || b.Lambda < 0 || b.Lambda > 1 {
					t.Fatalf("labels %v became %v, λ is %v", a.Labels, b.Labels, b.Lambda)
				}
				// Who was mixed with whom is drawn from the same stream.
				rng := stream(forMixup, 5, uint64(step), 0)
				distuv.Beta{Alpha: .4, Beta: .4, Src: rng}.Rand()
				size := d.Size()
				for i, j := range rng.Perm(8) {
					if i != j {
						moved++
					}
					if b.Partner[i] != a.Labels[j] {
						t.Fatalf("step %d: example %d is mixed with one of class %d, it says %d", step, i, a.Labels[j], b.Partner[i])
					}
					for k := range size {
						own, other := float64(a.X[i*size+k]), float64(a.X[j*size+k])
						want := float64(b.Lambda)*own + (1-float64(b.Lambda))*other
						if got := float64(b.X[i*size+k]); math.Abs(got-want) > 1e-6 {
							t.Fatalf("step %d: value %d of example %d is %v, want %v·%v and the rest %v", step, k, i, got, b.Lambda, own, other)
						}
					}
				}
			}
			if moved < 300 {
				t.Errorf("%d of 400 examples were mixed with another", moved)
			}
		}
	}
}

// λ is of Beta(α,α): by the distance of Kolmogorov and Smirnov, whose 1e-4
// quantile for n draws is 2.23/√n.
func TestMixupDistribution(t *testing.T) {
	d := images(t, 2, 1, 1, 1)
	for _, alpha := range []float64{.1, .4, 1, 3} {
		b := batches(t, d, 2, 11, Augment{Mixup: alpha})
		const n = 20_000
		lambdas := make([]float64, n)
		for step := range lambdas {
			lambdas[step] = float64(b.At(step).Lambda)
		}
		slices.Sort(lambdas)
		beta, distance := distuv.Beta{Alpha: alpha, Beta: alpha}, 0.
		for i, lambda := range lambdas {
			// At a tie with the border a float32 stands for an interval; there the
			// empirical distribution is compared at its far end only.
			if lambda == 1 {
				break
			}
			distance = max(distance, math.Abs(beta.CDF(lambda)-float64(i+1)/n))
		}
		if limit := 2.23 / math.Sqrt(n); distance > limit {
			t.Errorf("Beta(%v,%v): the distance is %v, the limit %v", alpha, alpha, distance, limit)
		}
		if mean, variance := stat.MeanVariance(lambdas, nil); math.Abs(mean-.5) > .02 || math.Abs(variance-beta.Variance()) > .01 {
			t.Errorf("Beta(%v,%v): mean %v and variance %v, want .5 and %v", alpha, alpha, mean, variance, beta.Variance())
		}
	}
	// With an α so small that both gamma variables underflow, λ is 0 or 1.
	b := batches(t, d, 2, 11, Augment{Mixup: 1e-4})
	seen := map[float32]int{}
	for step := range 200 {
		seen[b.At(step).Lambda]++
	}
	if seen[0]+seen[1] < 195 || seen[0] < 60 || seen[1] < 60 {
		t.Errorf("λ of Beta(1e-4,1e-4) came out as %v", seen)
	}
}

// Noise comes last, so it keeps its deviation whatever was mixed or cut out.
func TestNoiseAfterMixup(t *testing.T) {
	d := images(t, 64, 8, 8, 3)
	plain := batches(t, d, 64, 3, Augment{Cutout: 4, Mixup: 1})
	noisy := batches(t, d, 64, 3, Augment{Cutout: 4, Mixup: 1, Noise: .25})
	var noise []float64
	for step := range 20 {
		a, b := plain.At(step), noisy.At(step)
		for i := range a.X {
			noise = append(noise, float64(b.X[i]-a.X[i]))
		}
	}
	if _, variance := stat.MeanVariance(noise, nil); math.Abs(variance/.0625-1) > 5*math.Sqrt(2/float64(len(noise))) {
		t.Errorf("the noise has the variance %v, want .0625", variance)
	}
}

// Configurations from before cutout and mixup keep their text, from which their
// hashes are made.
func TestAugmentText(t *testing.T) {
	text, err := json.Marshal(Augment{Pad: 4, Flip: true, Noise: .03})
	if want := `{"pad":4,"flip":true,"noise":0.03}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	text, err = json.Marshal(Augment{Cutout: 8, Mixup: .2})
	if want := `{"pad":0,"flip":false,"noise":0,"cutout":8,"mixup":0.2}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

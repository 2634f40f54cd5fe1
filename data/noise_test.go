package data

import (
	"math"
	"strings"
	"testing"
)

// Noise has its deviation and no mean, is the same each time, differs between examples and
// seeds, and leaves the set as it was; the checksum tells sets apart.
func TestWithNoise(t *testing.T) {
	moons, _ := open(t, "moons:2000", Options{})
	for name, d := range map[string]*Dataset{"images": images(t, 50, 16, 16, 3), "points": moons} {
		noisy, err := d.WithNoise(.03, 1)
		if err != nil {
			t.Fatal(err)
		}
		clean, x, again := make([]float32, d.Size()), make([]float32, d.Size()), make([]float32, d.Size())
		var sum, squares, n float64
		for i := range d.Len() {
			d.Example(i, clean)
			noisy.Example(i, x)
			noisy.Example(i, again)
			for j := range x {
				if x[j] != again[j] {
					t.Fatalf("%s: example %d is another the second time", name, i)
				}
				e := float64(x[j]) - float64(clean[j])
				sum, squares, n = sum+e, squares+e*e, n+1
			}
		}
		if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 4*.03/math.Sqrt(n) || math.Abs(deviation/.03-1) > 4/math.Sqrt(2*n) {
			t.Errorf("%s: mean %v, deviation %v of %v values", name, mean, deviation, n)
		}
		other, err := d.WithNoise(.03, 2)
		if err != nil || other.Checksum == noisy.Checksum || noisy.Checksum == d.Checksum || noisy.Name != d.Name || !strings.HasSuffix(noisy.Source, "; normal noise of deviation 0.03, seed 1") {
			t.Errorf("%s: %+v, %+v (%v)", name, noisy.Info, other.Info, err)
		}
		if d.Example(0, again); d.noise != nil || again[0] != clean[0] && d.Len() == 1 {
			t.Errorf("%s: the set itself has noise", name)
		}
	}
}

// No other set is made of one with noise, which would lose it without a word.
func TestWithNoiseIsLast(t *testing.T) {
	noisy, err := images(t, 50, 16, 16, 3).WithNoise(.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for what, make := range map[string]func() (*Dataset, error){
		"part":    func() (*Dataset, error) { return noisy.First(10) },
		"noise":   func() (*Dataset, error) { return noisy.WithNoise(.1, 2) },
		"corrupt": func() (*Dataset, error) { return noisy.Corrupt("contrast", 1, 1) },
		"OOD":     func() (*Dataset, error) { return noisy.SynthesizeOOD("rotated", 1) },
		"resize":  func() (*Dataset, error) { return noisy.Resize(8, 8, 3) },
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), "do that first") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, sigma := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := images(t, 5, 4, 4, 1).WithNoise(sigma, 1); err == nil || !strings.Contains(err.Error(), "finite and above 0, such as .03") {
			t.Errorf("%v: %v", sigma, err)
		}
	}
}

// Batches would be without it.
func TestNoBatchesOfNoise(t *testing.T) {
	noisy, err := images(t, 8, 4, 4, 1).WithNoise(.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewBatches(noisy, 2, 1, Augment{})
	says(t, err, "noise was added to it")
}

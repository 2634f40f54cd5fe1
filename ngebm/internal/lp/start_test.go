package lp

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Starts are uniform in the Lp ball, for attacks and for training: in L∞ each value is, and
// in L2 the radius to the power of the dimensions is. With n = 4,000 draws the mean of a
// uniform value is ½ ± .0046, of which the test allows four.
func TestStartsAreUniform(t *testing.T) {
	const n, dims, epsilon = 4000, 5, .5
	for _, c := range []struct {
		name  string
		norm  Norm
		start func(threat ThreatModel, r *rand.Rand, x, y []float32)
	}{
		{"attack", Linf, ThreatModel.Start},
		{"attack", L2, ThreatModel.Start},
		{"training", Linf, trainingStart},
		{"training", L2, trainingStart},
	} {
		t.Run(c.name+"/"+string(c.norm), func(t *testing.T) {
			r, threat := rand.New(rand.NewPCG(1, 2)), New(c.norm, epsilon, false)
			x, y := []float32{1, 2, 3, 4, 5}, make([]float32, dims)
			var mean, signed float64
			for range n {
				c.start(threat, r, x, y)
				largest, length := sizes(x, y)
				distance, u := largest, math.Abs(float64(y[2])-3)/epsilon
				if c.norm == L2 {
					distance, u = length, math.Pow(length/epsilon, dims)
				}
				if distance > epsilon*(1+1e-6) {
					t.Fatalf("a start is %v away", distance)
				}
				mean += u / n
				signed += (float64(y[4]) - 5) / n
			}
			if math.Abs(mean-.5) > 4*.0046 || math.Abs(signed) > 4*epsilon/math.Sqrt(3*n) {
				t.Errorf("mean %v, want .5; mean of a coordinate %v, want 0", mean, signed)
			}
		})
	}
}

func trainingStart(threat ThreatModel, r *rand.Rand, x, y []float32) {
	copy(y, x)
	threat.TrainingStart(r, y)
}

// sizes are the L∞ and L2 norms of y-x.
func sizes(x, y []float32) (largest, length float64) {
	for j := range x {
		d := float64(y[j]) - float64(x[j])
		largest, length = max(largest, math.Abs(d)), length+d*d
	}
	return largest, math.Sqrt(length)
}

// APGD starts at the distance ε, where the range does not cut it.
func TestStartOnSurface(t *testing.T) {
	r, x, y := rand.New(rand.NewPCG(3, 4)), make([]float32, 50), make([]float32, 50)
	for range 100 {
		New(Linf, .1, true).StartOnSurface(r, x, y)
		if largest, _ := sizes(x, y); math.Abs(largest-.2) > 1e-6 {
			t.Fatalf("Linf: %v away, want .2", largest)
		}
		New(L2, .1, true).StartOnSurface(r, x, y)
		if _, length := sizes(x, y); math.Abs(length-.2) > 1e-6 {
			t.Fatalf("L2: %v away, want .2", length)
		}
	}
}

// Starts of images are images.
func TestStartsStayInRange(t *testing.T) {
	for _, norm := range []Norm{Linf, L2} {
		threat, r, white, y := New(norm, .5, true), rand.New(rand.NewPCG(5, 6)), make([]float32, 100), make([]float32, 100)
		for j := range white {
			white[j] = 1
		}
		for name, start := range map[string]func(ThreatModel, *rand.Rand, []float32, []float32){"attack": ThreatModel.Start, "training": trainingStart} {
			start(threat, r, white, y)
			for _, v := range y {
				if v < -1 || v > 1 {
					t.Fatalf("%s, %s: a start has the pixel %v, outside of [-1,1]", norm, name, v)
				}
			}
		}
	}
}

// The first values of fixed streams, as this package drew them when it was made of package
// attack's and package train's own code: a stored run resumes, and a stored attack is
// reproduced, only if they stay.
func TestStartsAreFrozen(t *testing.T) {
	for _, c := range []struct {
		name  string
		norm  Norm
		start func(ThreatModel, *rand.Rand, []float32, []float32)
		want  []float32
	}{
		{"attack", Linf, ThreatModel.Start, []float32{-0.98902863, -0.03423748, 0.4641338}},
		{"attack", L2, ThreatModel.Start, []float32{-0.9035669, -0.11341765, 0.3643314}},
		{"surface", Linf, ThreatModel.StartOnSurface, []float32{-1, -0.041718993, 0.5}},
		{"surface", L2, ThreatModel.StartOnSurface, []float32{-0.78290194, -0.005096595, 0.13794427}},
		{"training", Linf, trainingStart, []float32{-0.98902863, -0.03423748, 0.4641338}},
		{"training", L2, trainingStart, []float32{-0.8045525, -0.004154271, 0.16790721}},
	} {
		y := make([]float32, 3)
		c.start(New(c.norm, .1, true), rand.New(rand.NewPCG(7, 8)), []float32{-.9, 0, .3}, y)
		for j := range y {
			if y[j] != c.want[j] {
				t.Errorf("%s, %s: %v, want %v", c.name, c.norm, y, c.want)
				break
			}
		}
	}
}

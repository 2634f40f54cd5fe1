package softmax

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactly returns e^x with 200 bits: the series at x/2²⁰, squared 20 times.
func exactly(x float64) *big.Float {
	const bits, halvings = 200, 20
	y := new(big.Float).SetPrec(bits).SetFloat64(x)
	y.SetMantExp(y, -halvings)
	sum, term := big.NewFloat(1).SetPrec(bits), big.NewFloat(1).SetPrec(bits)
	for i := range 25 {
		term.Mul(term, y)
		term.Quo(term, big.NewFloat(float64(i+1)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

func TestExpIsTheNearestNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	missed := 0
	const n = 20000
	for range n {
		x := -rng.ExpFloat64() * 3
		if rng.IntN(10) == 0 {
			x = -700 * rng.Float64()
		}
		want, _ := exactly(x).Float64()
		got := exp(x)
		if got != want {
			missed++
		}
		if math.Abs(got-want) > 3e-16*want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	t.Logf("%d of %d are not the nearest", missed, n)
	if missed > n/100 {
		t.Errorf("%d of %d are not the nearest number", missed, n)
	}
	for x, want := range map[float64]float64{0: 1, math.Inf(-1): 0, -800: 0, -745: math.Exp(-745)} {
		if got := exp(x); got != want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestPairwiseSum(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 16, 100, 128, 129, 1000, 12345} {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i) // whole numbers: any order is exact
		}
		if got, want := pairwiseSum(x), float64(n)*float64(n-1)/2; got != want {
			t.Errorf("Σ 0 … %d is %v, want %v", n-1, got, want)
		}
	}
	// numpy 2.4.6: np.sum([.1]*n); one after the other gives .7999999999999999
	// and 99.9999999999986 for the first and last.
	for n, want := range map[int]float64{8: 0.8, 10: 1, 1000: 100.00000000000001} {
		x := make([]float64, n)
		for i := range x {
			x[i] = .1
		}
		if got := pairwiseSum(x); got != want {
			t.Errorf("%d times .1 is %v, want %v", n, got, want)
		}
	}
}

func TestReplace(t *testing.T) {
	p := []float64{math.Log(1), math.Log(3), -800}
	logSum := Replace(p, math.Log(3))
	if math.Abs(p[0]-.25) > 1e-16 || math.Abs(p[1]-.75) > 2e-16 || p[2] != 0 || math.Abs(logSum-math.Log(4./3)) > 2e-16 {
		t.Errorf("softmax (1/4, 3/4, 0): %v, log Σ = %v", p, logSum)
	}
}

func BenchmarkReplace(b *testing.B) {
	p := make([]float64, 10)
	for b.Loop() {
		for k := range p {
			p[k] = float64(k)
		}
		Replace(p, 9)
	}
}

package lp

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/internal/testdevice"
)

// The projection is in the box and on the hyperplane, and as long as bisection in float64 on
// λ says, for points at the ends of the range, weights of zero, and hyperplanes that the box
// does not meet.
func TestToHyperplane(t *testing.T) {
	const batch, n = 64, 12
	r := rand.New(rand.NewPCG(3, 1))
	for _, spec := range []string{"cpu", "go"} {
		for _, norm := range []Norm{Linf, L2} {
			for _, limit := range []float32{1, float32(math.Inf(1))} {
				t.Run(spec+" "+string(norm), func(t *testing.T) {
					x, w, c := make([]float32, batch*n), make([]float32, batch*n), make([]float32, batch)
					for k := range batch {
						size := math.Pow(10, 6*r.Float64()-3)
						for j := range n {
							x[k*n+j] = []float32{-1, 1, 2*r.Float32() - 1}[r.IntN(3)]
							w[k*n+j] = float32(size) * []float32{0, float32(r.NormFloat64()), float32(r.NormFloat64())}[r.IntN(3)]
						}
						c[k] = float32(size * 4 * r.NormFloat64())
					}
					exec := MustNewExec(testdevice.Open(t, spec), func(x, w, c, hi *Node) *Node { return norm.ToHyperplane(x, w, c, Neg(hi), hi) })
					out := exec.MustExec1(tensors.FromFlatDataAndDimensions(x, batch, n), tensors.FromFlatDataAndDimensions(w, batch, n),
						tensors.FromFlatDataAndDimensions(c, batch, 1), tensors.FromScalar(limit))
					d := tensors.MustCopyFlatData[float32](out)
					for k := range batch {
						x, w, d := x[k*n:][:n], w[k*n:][:n], d[k*n:][:n]
						want, meets := shortest(norm, x, w, float64(c[k]), float64(limit))
						got, sum, scale := 0., float64(c[k]), math.Abs(float64(c[k]))
						for j := range n {
							v := float64(d[j])
							if !(math.Abs(float64(x[j])+v) <= float64(limit)+1e-6) {
								t.Fatalf("point %d: value %d goes from %v by %v out of the box", k, j, x[j], v)
							}
							sum += v * float64(w[j])
							scale += math.Abs(v * float64(w[j]))
							if norm == Linf {
								got = max(got, math.Abs(v))
							} else {
								got = math.Hypot(got, v)
							}
						}
						if meets && math.Abs(sum) > 1e-5*scale {
							t.Errorf("point %d: w·d+c = %v of %v", k, sum, scale)
						}
						if math.Abs(got-want) > 1e-4*max(1, want) {
							t.Errorf("point %d: the change is %v long, want %v", k, got, want)
						}
					}
				})
			}
		}
	}
}

// shortest is the length of the shortest change onto the hyperplane in the box, and whether
// the box meets it.
func shortest(norm Norm, x, w []float32, c, limit float64) (length float64, meets bool) {
	change := func(lambda float64) (moved, length float64) {
		for j := range x {
			rate := 1.
			if norm == L2 {
				rate = math.Abs(float64(w[j]))
			}
			step := lambda * rate
			if !math.IsInf(limit, 1) {
				room := limit + float64(x[j])
				if (c >= 0) != (w[j] > 0) {
					room = limit - float64(x[j])
				}
				step = min(step, room)
			}
			if w[j] == 0 {
				continue
			}
			moved += step * math.Abs(float64(w[j]))
			if norm == Linf {
				length = max(length, step)
			} else {
				length = math.Hypot(length, step)
			}
		}
		return moved, length
	}
	if !slices.ContainsFunc(w, func(v float32) bool { return v != 0 }) {
		return 0, false
	}
	low, high := 0., 1e12
	if most, length := change(high); most < math.Abs(c) {
		return length, false
	}
	for range 200 {
		if middle := (low + high) / 2; middle == low || middle == high {
			break
		} else if moved, _ := change(middle); moved < math.Abs(c) {
			low = middle
		} else {
			high = middle
		}
	}
	_, length = change(high)
	return length, true
}

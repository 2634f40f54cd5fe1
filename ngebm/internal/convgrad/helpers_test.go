package convgrad_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// relativeError is max|got-want| / max|want|.
func relativeError(got, want []float64) float64 {
	largest, scale := 0., 0.
	for i := range want {
		largest, scale = max(largest, math.Abs(got[i]-want[i])), max(scale, math.Abs(want[i]))
	}
	if largest == 0 {
		return 0
	}
	return largest / scale
}

func dot(a, b *Node) *Node { return ReduceAllSum(Mul(a, b)) }

// array is numbers with a shape, to be fed in either precision.
type array struct {
	values []float64
	shape  []int
}

func normal(r *rand.Rand, shape ...int) array {
	a := array{make([]float64, shapeOf(shape).Size()), shape}
	for i := range a.values {
		a.values[i] = r.NormFloat64()
	}
	return a
}

// plus returns a + h·b.
func (a array) plus(h float64, b array) array {
	sum := array{slices.Clone(a.values), a.shape}
	for i := range sum.values {
		sum.values[i] += h * b.values[i]
	}
	return sum
}

// call runs a graph on arrays; the results come flat.
func call(t testing.TB, exec *Exec, dtype dtypes.DType, args ...array) [][]float64 {
	t.Helper()
	in := make([]any, len(args))
	for i, a := range args {
		if dtype == dtypes.Float64 {
			in[i] = tensors.FromFlatDataAndDimensions(a.values, a.shape...)
			continue
		}
		single := make([]float32, len(a.values))
		for j, v := range a.values {
			single[j] = float32(v)
		}
		in[i] = tensors.FromFlatDataAndDimensions(single, a.shape...)
	}
	out, err := exec.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	flat := make([][]float64, len(out))
	for i, o := range out {
		if dtype == dtypes.Float64 {
			flat[i] = tensors.MustCopyFlatData[float64](o)
			continue
		}
		for _, v := range tensors.MustCopyFlatData[float32](o) {
			flat[i] = append(flat[i], float64(v))
		}
	}
	return flat
}

package ood

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// ODIN's parameters as its authors chose them for most pairs of sets (Liang, Li &
// Srikant, ICLR 2018).
const (
	ODINTemperature = 1000.0
	ODINEpsilon     = 0.0014 // for pixels in [0,1]; twice that in [-1,1]
)

// ODINParameters are those of [ODIN]: its temperature, and its step as a share of the range of
// pixels.
type ODINParameters struct{ Temperature, Epsilon float64 }

// ODINCandidates are the parameters that OpenOOD v1.5 chooses from on an OOD validation split
// (its postprocessors/odin.yml).
func ODINCandidates() (all []ODINParameters) {
	for _, temperature := range []float64{1, 10, 100, 1000} {
		for _, epsilon := range []float64{.0014, .0028} {
			all = append(all, ODINParameters{temperature, epsilon})
		}
	}
	return all
}

// String is the definition of the score.
func (p ODINParameters) String() string {
	return fmt.Sprintf("max softmax f(x')/T, T = %g, one step of %g of the pixel range", p.Temperature, p.Epsilon)
}

// ODIN builds the score of Liang, Li & Srikant (ICLR 2018, arXiv 1706.02690), shaped
// [batch], of inputs x shaped [batch, …]: each input takes one step of ε along the
// sign of the gradient of log max softmax(f/T), which raises it more for inputs
// from the distribution. The score is max softmax(f/T) at the moved input. Larger means more
// in-distribution. ε is in the units of x. Pixels are not clipped, as in the authors' code.
func ODIN(logits func(x *Node) *Node, x *Node, temperature, epsilon float64) *Node {
	confidence := logMaxSoftmax(DivScalar(logits(x), temperature))
	step := MulScalar(Sign(Gradient(ReduceAllSum(confidence), x)[0]), epsilon)
	moved := StopGradient(Add(x, step))
	return Exp(logMaxSoftmax(DivScalar(logits(moved), temperature)))
}

// logMaxSoftmax is max f - logsumexp f, of which the first of equal logits is the largest. No
// gradient goes through a maximum: XLA may compute f twice with different rounding, so that
// no logit equals the largest, and its part of the gradient is lost. The largest logit's
// difference to itself is 0, so the sum is at least 1 and nothing overflows.
func logMaxSoftmax(f *Node) *Node {
	f = Sub(f, InsertAxes(StopGradient(ReduceMax(f, -1)), -1))
	largest := OneHot(ArgMax(f, -1), f.Shape().Dimensions[1], f.DType())
	return Sub(ReduceSum(Mul(f, largest), -1), Log(ReduceSum(Exp(f), -1)))
}

package convgrad

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// shifts computes K, the gradient of a 3×3 kernel, as one product of matrices. With p the
// padding in front,
//
//	dw[j, k] = Σ x[n, m+k−p]ᵀ · dy[n−j+p, m]   over batch, rows n of x and columns m of dy
//
// so x's three shifts by columns, side by side as channels, times dy's three shifts by rows
// hold all nine parts: [3·in, positions]·[positions, 3·out]. A product is near the
// processor's peak where both sides have many columns, and only three copies of either are
// made, where im2col makes nine.
type shifts struct {
	x, y, w tensor
	offset  []int
}

// minShifted is the least number of channels, in and out, for which copies are cheap
// compared with the product.
const minShifted = 16

// newShifts returns nil unless out is a kernel for which a product is faster.
func newShifts(f form, out operand) *shifts {
	x, y, w := f.tensors[X], f.tensors[Y], f.tensors[W]
	if out != W || len(w.spatial) != 2 || w.size(0) != 3 || w.size(1) != 3 || !onCPU(x.node) {
		return nil
	}
	if t := x.node.DType(); t != dtypes.Float32 && t != dtypes.Float64 {
		return nil
	}
	for axis := range w.spatial {
		if x.factor[axis] != 1 || y.factor[axis] != -1 || w.factor[axis] != -1 {
			return nil
		}
	}
	dims := w.node.Shape().Dimensions
	if min(dims[w.shared[X]], dims[w.shared[Y]]) < minShifted {
		return nil
	}
	return &shifts{x: x, y: y, w: w, offset: f.offset}
}

// inPlaceOf computes what plain is and leaves the gradient to it.
func (s *shifts) inPlaceOf(plain *Node) *Node {
	w, _ := InternalFusedOpCaller(s.product, func() *Node { return plain }, true)
	return w
}

func (s *shifts) product() *Node {
	x, y, w := s.x.arrange(Y, W), s.y.arrange(X, W), s.w.arrangeKernel(X, Y)
	rows, columns := x.size(0), y.size(1)
	in, out := x.node.Shape().Dimensions[3], y.node.Shape().Dimensions[3]
	var xs, ys []*Node
	for tap := range 3 {
		xs = append(xs, InsertAxes(shifted(x.node, 2, tap+s.offset[1], columns), 3))
		ys = append(ys, InsertAxes(shifted(y.node, 1, -tap-s.offset[0], rows), 3))
	}
	left := StopGradient(Reshape(Concatenate(xs, 3), -1, 3*in))
	right := StopGradient(Reshape(Concatenate(ys, 3), -1, 3*out))
	sides := DotGeneral(left, []int{0}, nil, right, []int{0}, nil)
	dw := TransposeAllAxes(Reshape(sides, 3, in, 3, out), 2, 0, 1, 3)
	return w.back(dw, s.w, X, Y)
}

// shifted has size positions along an axis, the n-th of which is v's n+by-th; it is
// zero outside of v.
func shifted(v *Node, axis, by, size int) *Node {
	pads := make([]compute.PadAxis, v.Rank())
	pads[axis] = compute.PadAxis{Start: -by, End: size + by - v.Shape().Dimensions[axis]}
	return Pad(v, ScalarZero(v.Graph(), v.DType()), pads...)
}

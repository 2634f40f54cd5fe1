package convgrad

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// shifts computes K, the gradient of a 3×3 kernel, by products of matrices. With p the
// padding in front and stride s,
//
//	dw[j, k] = Σ x[s·i + j − p, s·m + k − p]ᵀ · dy[i, m]   over batch, rows i and columns m of dy
//
// Three shifts of x by columns, side by side as channels, times shifts of dy by rows, one for
// each j, hold all nine parts: [3·in, positions]·[positions, 3·out]. A product is near the
// processor's peak where both sides have many columns, and only three copies of either are
// made, where im2col makes nine. With a stride, row n of x meets those j only that leave the
// remainder of n: a product for each remainder. Without, Winograd's way halves the products
// (see byTiles).
type shifts struct {
	x, y, w tensor // in the fast layout
	asked   tensor // the layout of the result
	offset  []int
}

// minShifted and, with a stride, minStrided are the least numbers of channels, in and out,
// for which copies are cheap compared with the product.
const minShifted, minStrided = 16, 64

// newShifts returns nil unless out is a kernel for which products are faster.
func newShifts(f form, out operand) *shifts {
	x, y, w := f.tensors[X], f.tensors[Y], f.tensors[W]
	if out != W || len(w.spatial) != 2 || w.size(0) != 3 || w.size(1) != 3 || !onCPU(x.node) {
		return nil
	}
	if t := x.node.DType(); t != dtypes.Float32 && t != dtypes.Float64 {
		return nil
	}
	least := minShifted
	for axis := range w.spatial {
		if x.factor[axis] != 1 || y.factor[axis] < -2 || w.factor[axis] != -1 {
			return nil
		}
		if y.factor[axis] == -2 {
			least = minStrided
		}
	}
	if dims := w.node.Shape().Dimensions; min(dims[w.shared[X]], dims[w.shared[Y]]) < least {
		return nil
	}
	return &shifts{x: x.arrange(Y, W), y: y.arrange(X, W), w: w.arrangeKernel(X, Y), asked: w, offset: f.offset}
}

// inPlaceOf computes what plain is and leaves the gradient to it.
func (s *shifts) inPlaceOf(plain *Node) *Node {
	how := s.products
	if s.tilesPay() {
		how = s.byTiles
	}
	w, _ := InternalFusedOpCaller(how, func() *Node { return plain }, true)
	return w
}

func (s *shifts) products() *Node {
	var taps [3]*Node // dw[j]
	stride := -s.y.factor[0]
	for remainder := range min(stride, s.x.size(0)) {
		s.product(stride, remainder, &taps)
	}
	for j, tap := range taps {
		if tap == nil { // x has one row
			in, out := s.channels()
			taps[j] = Zeros(s.x.node.Graph(), shapes.Make(s.x.node.DType(), 1, 3, in, out))
		}
	}
	return s.w.back(Concatenate(taps[:], 0), s.asked, X, Y)
}

// product computes those taps that meet the rows of x that leave a remainder.
func (s *shifts) product(stride, remainder int, taps *[3]*Node) {
	_, out := s.channels()
	x := SliceAxis(s.x.node, 1, AxisRange(remainder).Stride(stride))
	rows := x.Shape().Dimensions[1]
	var js []int
	var ys []*Node
	for j := range 3 {
		if n := remainder - j - s.offset[0]; n%stride == 0 { // row 0 of x's meets row n/stride of dy
			js = append(js, j)
			ys = append(ys, InsertAxes(spaced(s.y.node, 1, n/stride, 1, rows), 3))
		}
	}
	left := s.byColumns(x, s.offset[1])
	right := StopGradient(Reshape(Concatenate(ys, 3), -1, len(js)*out))
	all := s.parts(s.multiply(left, right))
	for i, j := range js {
		taps[j] = SliceAxis(all, 0, AxisElem(i))
	}
}

// byColumns are three shifts of x's rows by columns, the first by from, side by side: (batch,
// rows and columns of dy; 3, in).
func (s *shifts) byColumns(x *Node, from int) *Node {
	var side []*Node
	for k := range 3 {
		side = append(side, InsertAxes(spaced(x, 2, k+from, -s.y.factor[1], s.y.size(1)), 3))
	}
	in, _ := s.channels()
	return StopGradient(Reshape(Concatenate(side, 3), -1, 3*in))
}

// multiply is the product of shifts of x and of dy. Which side comes first makes one of 192
// or 384 columns by fewer up to twice as fast on an Intel Xeon, with the smaller one first. Products of 96
// columns by 64 and of 768 by 256 are slower so.
func (s *shifts) multiply(left, right *Node) *Node {
	if s.smallFirst() {
		left, right = right, left
	}
	return DotGeneral(left, []int{0}, nil, right, []int{0}, nil)
}

func (s *shifts) smallFirst() bool {
	in, _ := s.channels()
	return in == 64 || in == 128
}

// parts are the parts of the kernel's gradient in such a product: (shifts of dy, 3, in, out).
func (s *shifts) parts(product *Node) *Node {
	in, out := s.channels()
	if s.smallFirst() {
		return TransposeAllAxes(Reshape(product, -1, out, 3, in), 0, 2, 3, 1)
	}
	return TransposeAllAxes(Reshape(product, 3, in, -1, out), 2, 0, 1, 3)
}

// minTiled is the least sum of channels, in and out, for which tiles are faster.
const minTiled = 48

// tilesPay reports whether byTiles is faster than products.
func (s *shifts) tilesPay() bool {
	in, out := s.channels()
	return s.y.factor[0] == -1 && s.y.factor[1] == -1 && in+out >= minTiled && fewer(s.y.size(0))
}

// byTiles is products for stride 1 in half as many multiplications: tiles computes ⟨dy, C(x, w)⟩
// of a column as Σ (D·x)∘(K·w)∘(Rᵀ·dy), so the gradient of w is
//
//	dw = Kᵀ·Σ (D·x)∘(Rᵀ·dy)   over tiles of four rows
//
// which is six products of a quarter of the positions in place of three of all.
func (s *shifts) byTiles() *Node {
	_, out := s.channels()
	count := tilesOf(s.y.size(0))
	padded := spaced(spaced(s.x.node, 2, s.offset[1], 1, s.y.size(1)+2), 1, s.offset[0], 1, perTile*(count+1))
	x := tileRows(padded, len(inputRows))
	y := tileRows(spaced(s.y.node, 1, 0, 1, perTile*count), perTile)
	var products []*Node
	for i := range inputRows {
		dx := sum(inputRows[i], x)
		if i > 0 {
			dx = after(products[i-1], dx)
		}
		left := s.byColumns(dx, 0)
		right := StopGradient(Reshape(sum(column(resultRows[:], i), y), -1, out))
		products = append(products, s.multiply(left, right))
	}
	var taps []*Node
	for j := range 3 {
		taps = append(taps, s.parts(sum(column(kernelRows[:], j), products)))
	}
	return s.w.back(Concatenate(taps, 0), s.asked, X, Y)
}

// after is v, which the compiler computes after another node: it would compute all sides of
// byTiles first, and keep them, a fifth more memory in a step of WRN-16-4. (It drops
// [OptimizationBarriers] before it orders what it computes.)
func after(node, v *Node) *Node {
	first := slices.Repeat([]SliceAxisSpec{AxisElem(0)}, node.Rank())
	return Add(v, MulScalar(Reshape(Slice(node, first...)), 0))
}

func (s *shifts) channels() (in, out int) {
	return s.x.node.Shape().Dimensions[3], s.y.node.Shape().Dimensions[3]
}

// spaced has size positions along an axis, the n-th of which is v's stride·n+from-th; it is
// zero outside of v.
func spaced(v *Node, axis, from, stride, size int) *Node {
	pads := make([]compute.PadAxis, v.Rank())
	last := stride*(size-1) + from
	pads[axis] = compute.PadAxis{Start: -from, End: last + 1 - v.Shape().Dimensions[axis]}
	padded := Pad(v, ScalarZero(v.Graph(), v.DType()), pads...)
	return SliceAxis(padded, axis, AxisRange().Stride(stride))
}

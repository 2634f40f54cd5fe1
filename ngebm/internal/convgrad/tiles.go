package convgrad

import (
	"reflect"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Tiled is what y is, a node that [Convolve] or [ConvGeneral] made. On XLA's CPU a
// convolution of many channels with a 3×3 kernel at every position is computed in half
// as many multiplications, by Winograd's F(4, 3), unless the device has its own code for it; any other is y itself. The two agree but for
// rounding, in float32 within a few 10⁻⁶ of the largest value, and have the same gradients,
// of every order: y's.
func Tiled(y *Node) *Node {
	if y.Type() != NodeTypeConvGeneral || !onCPU(y) || y.DType() != dtypes.Float32 && y.DType() != dtypes.Float64 {
		return y
	}
	p := parametersOf(y)
	if !p.plain() || p.channelGroups > 1 || p.batchGroups > 1 {
		return y
	}
	f := p.form(y.Inputs()[0], y.Inputs()[1], y)
	x, w, o := f.tensors[X].arrange(Y, W), f.tensors[W].arrangeKernel(X, Y), f.tensors[Y].arrange(X, W)
	t := tiles{x.node, w.node, p.paddings}
	if !t.pay() || p.isFast() && byDevice(y.Inputs()[0], y.Inputs()[1]) {
		return y
	}
	tiled, _ := InternalFusedOpCaller(func() *Node { return o.back(t.convolve(), f.tensors[Y], X, W) }, func() *Node { return y }, true)
	return tiled
}

// plain reports whether a convolution has neither strides nor dilations.
func (p parameters) plain() bool {
	for axis := range p.strides {
		if p.strides[axis]*p.inputDilations[axis]*p.kernelDilations[axis] != 1 {
			return false
		}
	}
	return true
}

// isFast reports whether a convolution is in the fast layout, but for the order of the kernel's channels.
func (p parameters) isFast() bool {
	a := p.axes
	if a.KernelInputChannels > a.KernelOutputChannels {
		a.KernelInputChannels, a.KernelOutputChannels = a.KernelOutputChannels, a.KernelInputChannels
	}
	return reflect.DeepEqual(a, layout(len(p.strides)))
}

// IsPart reports whether a convolution or a product computes a convolution, or a part of
// one, which is in the graph too: who counts what a graph computes leaves it out.
func IsPart(node *Node) bool {
	switch in := node.Inputs(); node.Type() {
	case NodeTypeConvGeneral:
		return in[0].StopGradient()
	case NodeTypeDotGeneral:
		return in[0].StopGradient() && in[1].StopGradient()
	}
	return false
}

// part is a convolution in the fast layout that computes a part of another. Nothing is
// differentiated through it.
func part(x, w *Node, paddings [][2]int) *Node {
	ones := slices.Repeat([]int{1}, len(paddings))
	return ConvGeneral(StopGradient(x), w, layout(len(paddings)), ones, paddings, ones, ones, 1, 1)
}

// tiles computes a convolution of an image, in the fast layout, with a kernel of three
// rows. Four rows of the result come from six of the input at a time. In each column
//
//	y = R·((K·w) ∘ (D·x))
//
// with x the six rows, w the kernel's three, and ∘ the product of the six rows on either
// side, for which there is a convolution along the columns: 6 for what takes 12 row by
// row. (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray,
// arXiv 1509.09308, section 4.2, in both directions.)
//
// Measured on two cores with AVX-512, 32 images, 2.4 GFLOP: 6.8 ms for 11.3 plainly (8x8,
// 256 channels), 7.1 for 11.3 (16x16, 128), 8.0 for 12.5 (32x32, 64).
type tiles struct {
	x, w     *Node
	paddings [][2]int
}

// perTile is how many rows of the result a tile has.
const perTile = 4

var (
	inputRows = [6][]float64{ // D
		{4, 0, -5, 0, 1, 0},
		{0, -4, -4, 1, 1, 0},
		{0, 4, -4, -1, 1, 0},
		{0, -2, -1, 2, 1, 0},
		{0, 2, -1, -2, 1, 0},
		{0, 4, 0, -5, 0, 1},
	}
	kernelRows = [6][]float64{ // K
		{1. / 4, 0, 0},
		{-1. / 6, -1. / 6, -1. / 6},
		{-1. / 6, 1. / 6, -1. / 6},
		{1. / 24, 1. / 12, 1. / 6},
		{1. / 24, -1. / 12, 1. / 6},
		{0, 0, 1},
	}
	resultRows = [perTile][]float64{ // R
		{1, 1, 1, 1, 1, 0},
		{0, 1, -1, 2, -2, 0},
		{0, 1, 1, 4, 4, 0},
		{0, 1, -1, 8, -8, 1},
	}
)

// rows of the result.
func (t tiles) rows() int {
	return t.x.Shape().Dimensions[1] + t.paddings[0][0] + t.paddings[0][1] - 2
}

// tilesOf is how many tiles rows of the result take.
func tilesOf(rows int) int { return (rows + perTile - 1) / perTile }

// minChannels, in and out, below which adding up rows costs what the products save.
const minChannels = 64

func (t tiles) pay() bool {
	kernel := t.w.Shape().Dimensions
	if len(t.paddings) != 2 || kernel[0] != 3 || kernel[1] != 3 || min(kernel[2], kernel[3]) < minChannels {
		return false
	}
	return fewer(t.rows())
}

// fewer reports whether tiles of that number of rows of the result save a quarter of the
// multiplications at least: in the last tile rows may be unused.
func fewer(rows int) bool {
	return 6*tilesOf(rows)*4 <= 3*rows*3
}

// tileRows are rows 0, 1, … n-1 of each tile, of an image in the fast layout with the rows of
// whole tiles. Rows beyond a tile's four are the first of the next.
func tileRows(x *Node, n int) []*Node {
	dims := x.Shape().Dimensions
	batch, columns, channels := dims[0], dims[2], dims[3]
	count := dims[1] / perTile
	x = Reshape(x, batch, count, perTile, columns, channels)
	count -= (n - 1) / perTile // the last has no next
	var rows []*Node
	for i := range n {
		row := Slice(x, AxisRange(), AxisRange(i/perTile, i/perTile+count), AxisElem(i%perTile))
		rows = append(rows, Reshape(row, batch, count, columns, channels))
	}
	return rows
}

// column is a column of a matrix.
func column(rows [][]float64, i int) []float64 {
	var c []float64
	for _, row := range rows {
		c = append(c, row[i])
	}
	return c
}

func (t tiles) convolve() *Node {
	batch := t.x.Shape().Dimensions[0]
	rows := t.rows()
	count := tilesOf(rows)
	x := tileRows(spaced(t.x, 1, -t.paddings[0][0], 1, perTile*(count+1)), len(inputRows))
	var w []*Node
	for j := range t.w.Shape().Dimensions[0] {
		w = append(w, Slice(t.w, AxisElem(j)))
	}

	var products, results []*Node
	for i := range inputRows {
		products = append(products, part(sum(inputRows[i], x), sum(kernelRows[i], w), [][2]int{{}, t.paddings[1]}))
	}
	for _, weights := range resultRows {
		results = append(results, InsertAxes(sum(weights, products), 2))
	}
	y := Concatenate(results, 2) // batch, tile, row, column, channel
	shape := y.Shape().Dimensions
	y = Reshape(y, batch, count*perTile, shape[3], shape[4])
	return Slice(y, AxisRange(), AxisRange(0, rows))
}

// sum adds up weighted nodes.
func sum(weights []float64, of []*Node) *Node {
	var total *Node
	for i, weight := range weights {
		if weight == 0 {
			continue
		}
		term := of[i]
		if weight != 1 {
			term = MulScalar(term, weight)
		}
		if total == nil {
			total = term
		} else {
			total = Add(total, term)
		}
	}
	return total
}

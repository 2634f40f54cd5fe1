package cpuconv

import (
	"math"
	"runtime"
	"slices"
)

// convolution returns the call that replaces a convolution for which there is code, or an addition after
// it that no other call replaces. Operands are input, kernel, and the bias and the numbers to add, if there are.
func (g *graph) convolution(c conv, o *op, others map[*op]call) (call, bool) {
	if c.gradient || !c.fits() || !c.widened().fits() {
		return call{}, false
	}
	f, slope := g.newCall(convolution, o)
	f.kernel = kernel{shape: c.kernel, swapped: c.swapped}
	c = c.widened()
	group, scratch := c.scratch(slope)
	if scratch > maxScratch {
		return call{}, false
	}
	f.scratch, f.result = scratch, c.y
	var bias, sum int
	if add, other, ok := g.sum(f.in.result); ok && c.y[3] == f.kernel.shape[3] {
		if b, ok := g.channels(other, c.y[3]); ok {
			f.operands, f.types = append(f.operands, b), append(f.types, tensor(c.y[3:]))
			f.in, bias = add, 1
		}
	}
	if add, other, ok := g.sum(f.in.result); ok && c.y[3] == f.kernel.shape[3] {
		if _, taken := others[add]; !taken {
			f.operands, f.types = append(f.operands, other), append(f.types, add.out)
			f.in, sum = add, 1
		}
	}
	f.attributes = append(c.attributes(), bias, sum, int(math.Float32bits(slope)), group)
	return f, true
}

// widened has a multiple of 16 output channels, for which there is code.
func (c conv) widened() conv {
	if wide := (c.y[3] + 15) / 16 * 16; wide != c.y[3] {
		c.kernel, c.y = slices.Clone(c.kernel), slices.Clone(c.y)
		c.kernel[3], c.y[3] = wide, wide
	}
	return c
}

// Convolves reports whether there is code for convolutions with such a kernel (rows, columns, channels in and out), unless
// a tensor, or what is kept meanwhile, is larger than 1 GiB.
func Convolves(kernel []int) bool {
	positions := kernel[0] * kernel[1]
	return positions >= 1 && positions <= 9
}

// conv is a convolution of a program, or, if gradient, the gradient of one's kernel, which is y then, and kernel what
// arrives at its result.
type conv struct {
	x, kernel, y     []int // shapes; nil if not of float32
	strides, padding []int // padding: before and behind the rows, before and behind the columns
	gradient         bool
	swapped          bool // has the program's kernel its output channels first?
	ours             bool // in the layout that there is code for, without dilations and groups
}

// gradientLayout is how a convolution that is the gradient of a kernel names its axes.
const gradientLayout = "#stablehlo.conv<[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]>"

func parse(o *op) conv {
	value := attributes(o.attributes)
	c := conv{
		x: dims(o.in[0]), kernel: dims(o.in[1]), y: dims(o.out),
		strides:  integers(value["window_strides"]),
		padding:  integers(value["padding"]),
		gradient: value["dimension_numbers"] == gradientLayout,
		swapped:  value["dimension_numbers"] == "#stablehlo.conv<[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]>",
	}
	ones, dilations := integers(value["lhs_dilation"]), integers(value["rhs_dilation"])
	if c.gradient {
		c.strides, dilations = dilations, c.strides
	}
	c.ours = c.gradient || c.swapped || value["dimension_numbers"] == "#stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>"
	c.ours = c.ours && value["feature_group_count"] == "1 : i64" && value["batch_group_count"] == "1 : i64" &&
		value["window_reversal"] == "array<i1: false, false>" &&
		len(c.strides) == 2 && len(c.padding) == 4 && len(c.x) == 4 && len(c.kernel) == 4 && len(c.y) == 4
	for _, d := range slices.Concat(ones, dilations) {
		c.ours = c.ours && d == 1
	}
	if c.gradient {
		c.kernel, c.y = c.y, c.kernel
	}
	if c.swapped && c.ours {
		k := c.kernel
		c.kernel = []int{k[0], k[1], k[3], k[2]}
	}
	return c
}

// fits reports whether there is code for a convolution, or for the gradient of a kernel.
func (c conv) fits() bool {
	const maxNumbers = 1 << 28 // numbers in a tensor, and rows
	if !c.ours || !Convolves(c.kernel) || c.gradient && !HasGradient(c.kernel) {
		return false
	}
	if rows, _ := c.padded(); rows > maxNumbers/max(1, c.x[0]) {
		return false
	}
	for _, shape := range [][]int{c.x, c.kernel, c.y} {
		if n := product(shape); n < 1 || n > maxNumbers {
			return false
		}
	}
	return true
}

// winograd reports whether Winograd's method pays: transforming a kernel is worth it for some pixels.
func (c conv) winograd() bool {
	return c.kernel[0] == 3 && c.kernel[1] == 3 && c.strides[0] == 1 && c.strides[1] == 1 && slices.Min(c.padding) >= 0 &&
		c.kernel[2] >= 16 && c.x[0]*c.y[1]*c.y[2] >= 128
}

// attributes are those that both functions have.
func (c conv) attributes() []int {
	winograd := 0
	if c.winograd() {
		winograd = 1
	}
	return []int{c.strides[0], c.strides[1], c.padding[0], c.padding[2], winograd}
}

// padded returns the rows and columns from which a result is computed.
func (c conv) padded() (rows, columns int) {
	return (c.y[1]-1)*c.strides[0] + c.kernel[0], (c.y[2]-1)*c.strides[1] + c.kernel[1]
}

const (
	maxThreads = 64
	maxScratch = 1 << 28 // numbers: 1 GiB
)

// prepared is how many numbers are prepared at a time: 2 MiB stay in a cache.
const prepared = 1 << 19

// scratch is how many numbers the function keeps besides: for each thread the kernels of up to 32 output channels, and rows
// of the input that are transformed, or padded or changed by LeakyReLU, of the images of a group.
func (c conv) scratch(slope float32) (group, numbers int) {
	images, rows, columns, in := c.x[0], c.y[1], c.y[2], c.kernel[2]
	panel := product(c.kernel[:3]) * min(c.y[3], 32)
	image := 0
	if c.winograd() {
		panel *= 2 // six rows for three
		image = ((rows + 3) / 4) * 6 * (columns + 2) * in
	} else if h, w := c.padded(); slope != 1 || c.padding[0] != 0 || c.padding[2] != 0 || h > c.x[1] || w > c.x[2] {
		image = h * w * in
	}
	group = min(max(1, prepared/max(1, image)), images)
	return group, group*image + panel*max(1, min(runtime.NumCPU(), maxThreads, maxScratch/16/panel))
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Package fewimages computes convolutions of few images on all cores of the CPU. XLA computes
// those of one image on one core, one after the other.
//
// [Rewrite] puts a call of a function of this package in place of each convolution of a program for
// which there is code: of 1 to [Max] images of float32, without dilations and groups, with kernels of up to 9
// positions and a multiple of 16 output channels. The call also does what networks do before and after a convolution:
// LeakyReLU of the input, the bias, and the sum with another tensor. [Register] makes the plugin know the function, by
// XLA's interface for that (FFI). It runs on XLA's thread and on threads of this package, up to one fewer than XLA has,
// which sleep when there is nothing to do.
//
// A convolution is computed by tiles that stay in the processor's registers, 3x3 kernels without strides in
// half as many multiplications (conv_linux_amd64.h). Results are the same bit for bit with any number of threads,
// and differ from XLA's by rounding: a few 10⁻⁷ of the largest value, with Winograd's method a few 10⁻⁶. With that
// method a value that is not finite, or is above 6e37, spoils the four rows of the result that are computed together.
//
// The time of one image with WRN-10-2 and why this exists are in package bench.
package fewimages

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Max is the largest number of images for which a convolution is computed here.
const Max = 8

// function is the name of the function that programs call. A new meaning of its attribute wants a new name: compiled
// programs are kept.
const function = "ngebm_convolution_of_few_images_2"

// oneDevice begins a program for one device; those for more have attributes there.
var oneDevice = regexp.MustCompile(`^module @\S+ \{\n`)

// Rewrite returns a program in which convolutions of few images call the function of this package. A program that
// is not what go-xla writes for one device is returned as it is.
func Rewrite(program []byte) []byte {
	if !oneDevice.Match(program) || !mayHave(program) {
		return program
	}
	g := read(program)
	calls := make(map[*op]call) // by the ops that they replace
	for i := range g.ops {
		if c, ok := g.call(&g.ops[i], calls); ok {
			calls[c.in] = c
		}
	}
	var out []byte
	done := 0
	for i := range g.ops {
		if c, ok := calls[&g.ops[i]]; ok {
			out = append(append(out, program[done:c.in.start]...), c.text()...)
			done = c.in.end
		}
	}
	if done == 0 {
		return program
	}
	return append(out, program[done:]...)
}

// mayHave reports whether a convolution of few images is in a program: large ones take a while to read.
func mayHave(program []byte) bool {
	for _, op := range bytes.Split(program, []byte(`"stablehlo.convolution"(`))[1:] {
		_, types, _ := bytes.Cut(op, []byte("} : (tensor<"))
		images, _, _ := bytes.Cut(types, []byte("x"))
		if n, err := strconv.Atoi(string(images)); err == nil && n <= Max {
			return true
		}
	}
	return false
}

// A call computes a convolution, perhaps of LeakyReLU of its input, and what is added to it.
type call struct {
	conv      conv
	operands  []string // input, kernel, and the bias and the numbers to add, if there are
	types     []string
	bias, sum bool
	slope     float32 // 1 leaves the input as it is
	in        *op     // the op in whose place it is
}

// call returns the call that replaces a convolution for which there is code, or an addition after it that no other call
// replaces.
func (g *graph) call(o *op, others map[*op]call) (call, bool) {
	if o.name != "convolution" {
		return call{}, false
	}
	c := call{conv: parse(o), operands: slices.Clone(o.operands), types: slices.Clone(o.in), slope: 1, in: o}
	if x, slope, ok := g.leaky(c.operands[0]); ok {
		c.operands[0], c.slope = x, slope
	}
	if !c.conv.fits() || c.scratch() > maxScratch {
		return call{}, false
	}
	if add, other, ok := g.sum(c.in.result); ok {
		if bias, ok := g.channels(other, c.conv.y[3]); ok {
			c.operands, c.types = append(c.operands, bias), append(c.types, fmt.Sprintf("tensor<%dxf32>", c.conv.y[3]))
			c.bias, c.in = true, add
		}
	}
	if add, other, ok := g.sum(c.in.result); ok {
		if _, taken := others[add]; !taken {
			c.operands, c.types = append(c.operands, other), append(c.types, add.out)
			c.sum, c.in = true, add
		}
	}
	return c, true
}

// text is the call in go-xla's manner.
func (c call) text() []byte {
	yes := map[bool]int{true: 1}
	var layouts []string
	for _, t := range c.types {
		layout := "dense<[3, 2, 1, 0]> : tensor<4xindex>"
		if len(dims(t)) == 1 {
			layout = "dense<0> : tensor<1xindex>"
		}
		layouts = append(layouts, layout)
	}
	return fmt.Appendf(bytes.Repeat([]byte(" "), c.in.indent), `%%few$%[1]s:2 = "stablehlo.custom_call"(%[2]s) {
      api_version = 4 : i32,
      backend_config = {convolution = array<i64: %[3]d, %[4]d, %[5]d, %[6]d, %[7]d, %[8]d, %[9]d, %[10]d>},
      call_target_name = %[11]q,
      operand_layouts = [%[12]s],
      result_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>, dense<0> : tensor<1xindex>]
    } : (%[13]s) -> (%[14]s, tensor<%[15]dxf32>)
    %%%[1]s = "stablehlo.reshape"(%%few$%[1]s#0) : (%[14]s) -> %[14]s`,
		c.in.result[1:], strings.Join(c.operands, ", "), c.conv.strides[0], c.conv.strides[1], c.conv.padding[0], c.conv.padding[2],
		yes[c.conv.winograd()], yes[c.bias], yes[c.sum], math.Float32bits(c.slope), function, strings.Join(layouts, ", "),
		strings.Join(c.types, ", "), c.in.out, c.scratch())
}

// conv is a convolution of a program.
type conv struct {
	x, kernel, y     []int // shapes; nil if not of float32
	strides, padding []int // padding: before and behind the rows, before and behind the columns
	ours             bool  // in the layout that there is code for, without dilations and groups
}

func parse(o *op) conv {
	value := attributes(o.attributes)
	c := conv{
		x: dims(o.in[0]), kernel: dims(o.in[1]), y: dims(o.out),
		strides: integers(value["window_strides"]),
		padding: integers(value["padding"]),
		ours: value["dimension_numbers"] == "#stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>" &&
			value["feature_group_count"] == "1 : i64" && value["batch_group_count"] == "1 : i64" &&
			value["window_reversal"] == "array<i1: false, false>",
	}
	for _, d := range append(integers(value["lhs_dilation"]), integers(value["rhs_dilation"])...) {
		c.ours = c.ours && d == 1
	}
	return c
}

// fits reports whether there is code for a convolution.
func (c conv) fits() bool {
	const most = 1 << 28 // numbers in a tensor
	if !c.ours || len(c.strides) != 2 || len(c.padding) != 4 || len(c.x) != 4 || len(c.kernel) != 4 || len(c.y) != 4 || c.x[0] > Max || c.y[3]%16 != 0 {
		return false
	}
	if positions := c.kernel[0] * c.kernel[1]; positions < 1 || positions > 9 {
		return false
	}
	for _, shape := range [][]int{c.x, c.kernel, c.y} {
		if n := product(shape); n < 1 || n > most {
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

const (
	maxThreads = 64
	maxScratch = 1 << 26 // numbers: 256 MiB
)

// scratch is how many numbers the function keeps besides: for each thread the kernels of up to 32 output channels, and
// rows of the input that are transformed, or padded or changed by LeakyReLU.
func (c call) scratch() int {
	images, rows, columns, in := c.conv.x[0], c.conv.y[1], c.conv.y[2], c.conv.kernel[2]
	panel := product(c.conv.kernel[:3]) * min(c.conv.y[3], 32)
	n := 0
	if c.conv.winograd() {
		panel *= 2 // six rows for three
		n = images * ((rows + 3) / 4) * 6 * (columns + 2) * in
	} else if h, w := (rows-1)*c.conv.strides[0]+c.conv.kernel[0], (columns-1)*c.conv.strides[1]+c.conv.kernel[1]; c.slope != 1 ||
		c.conv.padding[0] != 0 || c.conv.padding[2] != 0 || h > c.conv.x[1] || w > c.conv.x[2] {
		n = images * h * w * in
	}
	return n + panel*max(1, min(runtime.NumCPU(), maxThreads, maxScratch/4/panel))
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// dims returns the axes of "tensor<3x3x16x32xf32>".
func dims(tensor string) []int {
	shape, ok := strings.CutSuffix(strings.TrimPrefix(tensor, "tensor<"), "xf32>")
	if !ok {
		return nil
	}
	var out []int
	for _, d := range strings.Split(shape, "x") {
		n, err := strconv.Atoi(d)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}

var (
	aroundNumbers = regexp.MustCompile(`^[^:\[]*[:\[]|> : .*$`) // the types in an attribute
	number        = regexp.MustCompile(`-?\d+`)
)

// integers returns the numbers of "array<i64: 1, 1>" and of "dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>".
func integers(attribute string) []int {
	var out []int
	for _, digits := range number.FindAllString(aroundNumbers.ReplaceAllString(attribute, ""), -1) {
		n, _ := strconv.Atoi(digits)
		out = append(out, n)
	}
	return out
}

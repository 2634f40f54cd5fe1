// Package fewimages computes convolutions of few images on all cores of the CPU. XLA computes
// those of one image on one core, one after the other.
//
// [Rewrite] puts a call of a function of this package in place of each convolution of a program for
// which there is code: of 1 to [Max] images of float32, without dilations and groups, with kernels of up to 9
// positions and a multiple of 16 output channels. [Register] makes the plugin know the function, by
// XLA's interface for that (FFI). The function runs on XLA's own threads.
//
// A convolution is computed by tiles that stay in the processor's registers, 3x3 kernels without strides in
// half as many multiplications (conv_linux_amd64.h). Results are the same bit for bit with any number of threads,
// and differ from XLA's by rounding: a few 10⁻⁷ of the largest value, with Winograd's method a few 10⁻⁶. With that
// method a value that is not finite, or is above 6e37, spoils the four rows of the result that are computed together.
//
// The time of one image with WRN-10-2 and why this exists are in package bench.
package fewimages

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Max is the largest number of images for which a convolution is computed here.
const Max = 8

// function is the name of the function that programs call. A new meaning of its attribute wants a new name: compiled
// programs are kept.
const function = "ngebm_convolution_of_few_images_1"

// A convolution as go-xla writes it: result, input, kernel, attributes, and the three shapes.
var convolution = regexp.MustCompile(`(%\w+) = "stablehlo\.convolution"\((%\w+), (%\w+)\) \{\n([^{}]*)\n\s*\} : ` +
	`\(tensor<([\dx]+)xf32>, tensor<([\dx]+)xf32>\) -> tensor<([\dx]+)xf32>`)

// oneDevice begins a program for one device; those for more have attributes there.
var oneDevice = regexp.MustCompile(`^module @\S+ \{\n`)

// Rewrite returns a program in which convolutions of few images call the function of this package. A program that
// is not what go-xla writes for one device is returned as it is.
func Rewrite(program []byte) []byte {
	if !oneDevice.Match(program) {
		return program
	}
	return convolution.ReplaceAllFunc(program, func(op []byte) []byte {
		m := convolution.FindSubmatch(op)
		c := parse(string(m[4]), string(m[5]), string(m[6]), string(m[7]))
		if !c.fits() {
			return op
		}
		result, byRows := m[1][1:], 0
		if c.byRows() {
			byRows = 1
		}
		return fmt.Appendf(nil, `%%few$%[1]s:2 = "stablehlo.custom_call"(%[2]s, %[3]s) {
      api_version = 4 : i32,
      backend_config = {convolution = array<i64: %[4]d, %[5]d, %[6]d, %[7]d, %[8]d>},
      call_target_name = %[9]q,
      operand_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>, dense<[3, 2, 1, 0]> : tensor<4xindex>],
      result_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>, dense<0> : tensor<1xindex>]
    } : (tensor<%[10]sxf32>, tensor<%[11]sxf32>) -> (tensor<%[12]sxf32>, tensor<%[13]dxf32>)
    %%%[1]s = "stablehlo.reshape"(%%few$%[1]s#0) : (tensor<%[12]sxf32>) -> tensor<%[12]sxf32>`,
			result, m[2], m[3], c.strides[0], c.strides[1], c.padding[0], c.padding[2], byRows, function, m[5], m[6], m[7], c.scratch())
	})
}

// conv is a convolution of a program.
type conv struct {
	x, kernel, y         []int // shapes
	strides, padding     []int // padding: before and behind the rows, before and behind the columns
	dilated, inOurLayout bool
}

func parse(attributes, x, kernel, y string) conv {
	value := make(map[string]string)
	for _, line := range strings.Split(attributes, ",\n") {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " = ")
		value[name] = text
	}
	c := conv{
		x: dims(x), kernel: dims(kernel), y: dims(y),
		strides: integers(value["window_strides"]),
		padding: integers(value["padding"]),
		inOurLayout: value["dimension_numbers"] == "#stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>" &&
			value["feature_group_count"] == "1 : i64" && value["batch_group_count"] == "1 : i64" &&
			value["window_reversal"] == "array<i1: false, false>",
	}
	for _, d := range append(integers(value["lhs_dilation"]), integers(value["rhs_dilation"])...) {
		c.dilated = c.dilated || d != 1
	}
	return c
}

// fits reports whether there is code for a convolution.
func (c conv) fits() bool {
	const most = 1 << 28 // numbers in a tensor
	if !c.inOurLayout || c.dilated || len(c.strides) != 2 || len(c.padding) != 4 || c.x[0] > Max || c.y[3]%16 != 0 {
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

// byRows reports whether Winograd's method pays, and takes no more than 64 MiB: transforming a kernel is worth it for
// some pixels.
func (c conv) byRows() bool {
	return c.rowScratch() <= 1<<24 && c.kernel[0] == 3 && c.kernel[1] == 3 && c.strides[0] == 1 && c.strides[1] == 1 && slices.Min(c.padding) >= 0 &&
		c.kernel[2] >= 16 && c.x[0]*c.y[1]*c.y[2] >= 128
}

// scratch is how many numbers the function keeps besides: the kernel in its own order, and transformed rows.
func (c conv) scratch() int {
	if c.byRows() {
		return c.rowScratch()
	}
	return product(c.kernel)
}

func (c conv) rowScratch() int {
	tiles := c.x[0] * ((c.y[1] + 3) / 4)
	return 18*c.kernel[2]*c.kernel[3] + tiles*6*(c.y[2]+2)*c.kernel[2]
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// dims returns the axes of "3x3x16x32".
func dims(shape string) []int {
	var out []int
	for _, d := range strings.Split(shape, "x") {
		n, _ := strconv.Atoi(d) // digits, by the expression
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

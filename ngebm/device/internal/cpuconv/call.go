package cpuconv

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A call is one of a function of this package.
type call struct {
	function   string
	operands   []string
	types      []string
	kernel     kernel // the second operand, for convolutions
	attributes []int  // what the function wants to know
	result     []int  // its shape
	scratch    int    // numbers that it keeps besides
	in         *op    // the op in whose place it is
}

// newCall is a call with an op's operands, but with what the first is LeakyReLU of in its place, and the slope; 1 leaves the
// input as it is.
func (g *graph) newCall(function string, o *op) (f call, slope float32) {
	f = call{function: function, operands: slices.Clone(o.operands), types: slices.Clone(o.in), in: o}
	if x, slope, ok := g.leaky(o.operands[0]); ok {
		f.operands[0] = x
		return f, slope
	}
	return f, 1
}

// A kernel is one of a program.
type kernel struct {
	shape   []int // rows, columns, channels in and out; nil if nothing is done with it
	swapped bool  // are its output channels first?
}

// text is the call in go-xla's manner. Before it the kernel gets the layout that the function wants, and more output channels,
// which are cut off after it.
func (c call) text() []byte {
	name, indent := c.in.result[1:], strings.Repeat(" ", c.in.indent)
	var text []byte
	line := func(format string, values ...any) { text = fmt.Appendf(text, indent+format+"\n", values...) }
	operands, types := slices.Clone(c.operands), slices.Clone(c.types)
	if c.kernel.swapped {
		to := tensor(c.kernel.shape)
		line(`%%swapped$%s = "stablehlo.transpose"(%s) {permutation = array<i64: 0, 1, 3, 2>} : (%s) -> %s`, name, operands[1], types[1], to)
		operands[1], types[1] = "%swapped$"+name, to
	}
	widened := 0
	if k := c.kernel.shape; k != nil {
		widened = c.result[3] - k[3]
	}
	if widened > 0 {
		to := tensor(append(slices.Clone(c.kernel.shape[:3]), c.result[3]))
		line(`%%zero$%s = "stablehlo.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>`, name)
		line(`%%widened$%s = "stablehlo.pad"(%s, %%zero$%s) {edge_padding_low = array<i64: 0, 0, 0, 0>, edge_padding_high = array<i64: 0, 0, 0, %d>, interior_padding = array<i64: 0, 0, 0, 0>} : (%s, tensor<f32>) -> %s`,
			name, operands[1], name, widened, types[1], to)
		operands[1], types[1] = "%widened$"+name, to
	}
	var layouts []string
	for _, t := range types {
		layout := "dense<[3, 2, 1, 0]> : tensor<4xindex>"
		if len(dims(t)) == 1 {
			layout = "dense<0> : tensor<1xindex>"
		}
		layouts = append(layouts, layout)
	}
	result := tensor(c.result)
	line(`%%ours$%s:2 = "stablehlo.custom_call"(%s) {
      api_version = 4 : i32,
      backend_config = {convolution = array<i64: %s>},
      call_target_name = %q,
      operand_layouts = [%s],
      result_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>, dense<0> : tensor<1xindex>]
    } : (%s) -> (%s, tensor<%dxf32>)`,
		name, strings.Join(operands, ", "), commas(c.attributes),
		c.function, strings.Join(layouts, ", "), strings.Join(types, ", "), result, c.scratch)
	if widened > 0 {
		line(`%%%s = "stablehlo.slice"(%%ours$%s#0) {start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: %s>, strides = array<i64: 1, 1, 1, 1>} : (%s) -> %s`,
			name, name, commas(dims(c.in.out)), result, c.in.out)
	} else {
		line(`%%%s = "stablehlo.reshape"(%%ours$%s#0) : (%s) -> %s`, name, name, result, c.in.out)
	}
	return bytes.TrimSuffix(text, []byte("\n"))
}

func commas(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

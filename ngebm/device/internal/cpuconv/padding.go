package cpuconv

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var negativePadding = regexp.MustCompile(`\bpadding = dense<[^>]*-`)

// Crop returns a program in which no convolution has negative padding: a slice of the input takes its place. XLA's own code
// for float32 reads outside of the input with some negative padding, and returns anything (-1 before and 1 behind
// is enough; plugin of 2026-06-23).
func Crop(program []byte) []byte {
	if !negativePadding.Match(program) {
		return program
	}
	var out []byte
	done := 0
	for _, o := range read(program).ops {
		if o.name != "convolution" {
			continue
		}
		if text, ok := cropped(program, o); ok {
			out = append(append(out, program[done:o.start]...), text...)
			done = o.end
		}
	}
	if done == 0 {
		return program
	}
	return append(out, program[done:]...)
}

// cropped is a convolution's text with a slice before it, if it has negative padding.
func cropped(program []byte, o op) (text string, ok bool) {
	value := attributes(o.attributes)
	padding, dilations := integers(value["padding"]), integers(value["lhs_dilation"])
	shape, element := axes(o.in[0])
	spatial := spatialAxes(value["dimension_numbers"])
	if slices.Min(append(padding, 0)) == 0 || len(spatial) == 0 || len(padding) != 2*len(spatial) || len(dilations) != len(spatial) || slices.Max(spatial) >= len(shape) {
		return "", false
	}
	from, to, padded := make([]int, len(shape)), slices.Clone(shape), slices.Clone(padding)
	for i, axis := range spatial {
		before, behind, dilation, size := padding[2*i], padding[2*i+1], dilations[i], shape[axis]
		// There are dilation-1 zeros between two numbers of the input. What remains may begin and end between two.
		first, last := (max(0, -before)+dilation-1)/dilation, (max(0, -behind)+dilation-1)/dilation
		if first+last < size {
			from[axis], to[axis] = first, size-last
			padded[2*i], padded[2*i+1] = before+first*dilation, behind+last*dilation
		} else {
			to[axis] = 0 // nothing remains but padding
			padded[2*i], padded[2*i+1] = before+(size-1)*dilation+1+behind, 0
		}
	}
	var pairs []string
	for pair := range slices.Chunk(padded, 2) {
		pairs = append(pairs, fmt.Sprintf("[%d, %d]", pair[0], pair[1]))
	}
	size := make([]string, len(shape))
	for axis := range shape {
		size[axis] = strconv.Itoa(to[axis] - from[axis])
	}
	name, sliced := "%cropped$"+o.result[1:], "tensor<"+strings.Join(append(size, element), "x")+">"
	_, kind, _ := strings.Cut(value["padding"], "> : ")
	text = string(program[o.start:o.end])
	text = strings.Replace(text, "("+o.operands[0]+",", "("+name+",", 1)
	text = strings.Replace(text, "padding = "+value["padding"], "padding = dense<["+strings.Join(pairs, ", ")+"]> : "+kind, 1)
	text = strings.Replace(text, " : ("+o.in[0]+",", " : ("+sliced+",", 1)
	return fmt.Sprintf(`%s%s = "stablehlo.slice"(%s) {start_indices = array<i64: %s>, limit_indices = array<i64: %s>, strides = array<i64: %s>} : (%s) -> %s`+"\n%s",
		strings.Repeat(" ", o.indent), name, o.operands[0], commas(from), commas(to), commas(slices.Repeat([]int{1}, len(shape))), o.in[0], sliced, text), true
}

// spatialAxes returns where the input has its positions, in their order: 1 and 2 for "#stablehlo.conv<[b, 0, 1, f]x…".
func spatialAxes(dimensions string) []int {
	_, input, _ := strings.Cut(dimensions, "[")
	input, _, _ = strings.Cut(input, "]")
	names := strings.Split(input, ", ")
	var out []int
	for axis := slices.Index(names, "0"); axis >= 0; axis = slices.Index(names, strconv.Itoa(len(out))) {
		out = append(out, axis)
	}
	return out
}

package cpuconv

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An op is one operation of a program, as go-xla writes those without inner functions.
type op struct {
	result, name string
	operands     []string
	attributes   string
	in           []string // types of the operands
	out          string   // type of the result
	start, end   int      // of its text
	indent       int      // blanks before it
}

// operation matches an op: result, name, operands, attributes, types of operands, type of the result.
var operation = regexp.MustCompile(`(?m)^ +(%\w+) = "stablehlo\.(\w+)"\(([^()]*)\)(?: \{([^{}]*)\})? : \(([^()]*)\) -> (tensor<[^<>]*>)$`)

var valueName = regexp.MustCompile(`%\w+`)

// A graph is what is known of a program. If that has several functions, in which a name may have several meanings, only
// the ops are known.
type graph struct {
	ops  []op
	by   map[string]*op   // by results
	uses map[string]int   // of values, without those by ops whose results are unused
	to   map[string][]*op // the ops among those uses
}

func read(program []byte) *graph {
	text := string(program)
	g := &graph{by: make(map[string]*op), uses: make(map[string]int), to: make(map[string][]*op)}
	for _, m := range operation.FindAllStringSubmatchIndex(text, -1) {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		g.ops = append(g.ops, op{part(1), part(2), list(part(3)), part(4), list(part(5)), part(6), m[0], m[1], m[2] - m[0]})
	}
	if strings.Count(text, "func.func @") > 1 {
		return g
	}
	for i := range g.ops {
		g.by[g.ops[i].result] = &g.ops[i]
	}
	for _, name := range valueName.FindAllString(text, -1) {
		g.uses[name]++
	}
	for _, o := range g.ops {
		g.uses[o.result]-- // it is not a use
	}
	for _, o := range slices.Backward(g.ops) {
		if g.uses[o.result] > 0 {
			continue
		}
		for _, x := range o.operands {
			g.uses[x]--
		}
	}
	for i := range g.ops {
		if o := &g.ops[i]; g.uses[o.result] > 0 {
			for _, x := range o.operands {
				g.to[x] = append(g.to[x], o)
			}
		}
	}
	return g
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ", ")
}

// is returns the op of a value if it has that name.
func (g *graph) is(value, name string) (*op, bool) {
	o := g.by[value]
	return o, o != nil && o.name == name
}

// sum returns the op that adds a value and another one, and the other one, if that is the value's only use.
func (g *graph) sum(value string) (add *op, other string, ok bool) {
	if g.uses[value] != 1 || len(g.to[value]) != 1 {
		return nil, "", false
	}
	add = g.to[value][0]
	if add.name != "add" || add.indent != g.by[value].indent || !slices.Equal(add.in, []string{add.out, add.out}) {
		return nil, "", false
	}
	return add, add.operands[1-slices.Index(add.operands, value)], true
}

// channels returns the vector that is repeated for all pixels of a value of that many channels.
func (g *graph) channels(value string, n int) (string, bool) {
	b, ok := g.is(value, "broadcast_in_dim")
	if !ok || attributes(b.attributes)["broadcast_dimensions"] != "array<i64: 0, 1, 2, 3>" || b.in[0] != "tensor<1x1x1x"+strconv.Itoa(n)+"xf32>" {
		return "", false
	}
	r, ok := g.is(b.operands[0], "reshape")
	if !ok || r.in[0] != "tensor<"+strconv.Itoa(n)+"xf32>" {
		return "", false
	}
	return r.operands[0], true
}

// constant returns the constant of which all numbers of a value are copies.
func (g *graph) constant(value string) (float32, bool) {
	b, ok := g.is(value, "broadcast_in_dim")
	if !ok || b.in[0] != "tensor<f32>" {
		return 0, false
	}
	c, ok := g.is(b.operands[0], "constant")
	if !ok {
		return 0, false
	}
	text, _ := strings.CutPrefix(attributes(c.attributes)["value"], "dense<")
	text, ok = strings.CutSuffix(text, "> : tensor<f32>")
	x, err := strconv.ParseFloat(text, 32)
	return float32(x), ok && err == nil
}

// leaky returns what a value is LeakyReLU of, x where x > 0 and slope·x elsewhere, and the slope.
func (g *graph) leaky(value string) (x string, slope float32, ok bool) {
	s, ok := g.is(value, "select")
	if !ok {
		return "", 0, false
	}
	positive, isCompare := g.is(s.operands[0], "compare")
	scaled, isProduct := g.is(s.operands[2], "multiply")
	x = s.operands[1]
	if !isCompare || !isProduct || positive.operands[0] != x || scaled.operands[0] != x ||
		!strings.Contains(positive.attributes, "comparison_direction GT>") || !strings.Contains(positive.attributes, "comparison_type FLOAT>") {
		return "", 0, false
	}
	zero, ok := g.constant(positive.operands[1])
	if !ok || zero != 0 {
		return "", 0, false
	}
	slope, ok = g.constant(scaled.operands[1])
	return x, slope, ok
}

// attributes returns the attributes of an op by their names.
func attributes(text string) map[string]string {
	out := make(map[string]string)
	for _, line := range strings.Split(text, ",\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		out[name] = value
	}
	return out
}

// tensor is the type of a tensor of float32.
func tensor(dims []int) string {
	text := "tensor<"
	for _, d := range dims {
		text += strconv.Itoa(d) + "x"
	}
	return text + "f32>"
}

// dims returns the axes of a tensor of float32.
func dims(tensor string) []int {
	sizes, element := axes(tensor)
	if element != "f32" {
		return nil
	}
	return sizes
}

// axes returns the axes of "tensor<3x3x16x32xf32>", and "f32".
func axes(tensor string) (sizes []int, element string) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(tensor, "tensor<"), ">"), "x")
	for _, part := range parts[:len(parts)-1] {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, ""
		}
		sizes = append(sizes, n)
	}
	return sizes, parts[len(parts)-1]
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

package netgraph

import (
	"crypto/sha256"
	"fmt"

	"github.com/gomlx/compute"
)

// recorder is a backend that writes down the constants of the functions that are built
// on it. GoMLX's nodes show the values of small ones only.
type recorder struct {
	compute.Backend
	lines []string
}

// Builder implements [compute.Backend].
func (r *recorder) Builder(name string) compute.Builder {
	return &builder{r.Backend.Builder(name), r}
}

type builder struct {
	compute.Builder
	recorder *recorder
}

// Main implements [compute.Builder].
func (b *builder) Main() compute.Function { return &function{b.Builder.Main(), b.recorder} }

// NewFunction implements [compute.Builder].
func (b *builder) NewFunction(name string) (compute.Function, error) {
	f, err := b.Builder.NewFunction(name)
	return wrap(f, err, b.recorder)
}

type function struct {
	compute.Function
	recorder *recorder
}

func wrap(f compute.Function, err error, r *recorder) (compute.Function, error) {
	if err != nil {
		return nil, err
	}
	return &function{f, r}, nil
}

// unwrap is the backend's own function, which is all that it takes.
func unwrap(f compute.Function) compute.Function {
	if f, ok := f.(*function); ok {
		return f.Function
	}
	return f
}

// Closure implements [compute.Function].
func (f *function) Closure() (compute.Function, error) {
	closure, err := f.Function.Closure()
	return wrap(closure, err, f.recorder)
}

// Constant implements [compute.Function].
func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	f.recorder.lines = append(f.recorder.lines, fmt.Sprintf("constant %T%v %x", flat, dims, sha256.Sum256(fmt.Append(nil, flat))))
	return f.Function.Constant(flat, dims...)
}

// Call implements [compute.Function].
func (f *function) Call(called compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Call(unwrap(called), inputs...)
}

// Sort implements [compute.Function].
func (f *function) Sort(comparator compute.Function, axis int, isStable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Sort(unwrap(comparator), axis, isStable, inputs...)
}

// While implements [compute.Function].
func (f *function) While(condition, body compute.Function, initial ...compute.Value) ([]compute.Value, error) {
	return f.Function.While(unwrap(condition), unwrap(body), initial...)
}

// If implements [compute.Function].
func (f *function) If(condition compute.Value, then, otherwise compute.Function) ([]compute.Value, error) {
	return f.Function.If(condition, unwrap(then), unwrap(otherwise))
}

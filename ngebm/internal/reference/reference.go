// Package reference reads the values that tests hold this project's to: arrays of an
// NPZ file, float64 or int64, as a script beside it wrote them.
package reference

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/sbinet/npyio/npz"
)

// Array is one array of a file.
type Array struct {
	Values []float64
	Shape  []int
}

// Read returns a file's arrays by name.
func Read(t testing.TB, path string) map[string]Array {
	t.Helper()
	f, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arrays := map[string]Array{}
	for _, key := range f.Keys() {
		h := f.Header(key)
		a := Array{Shape: h.Descr.Shape}
		switch {
		case strings.Contains(h.Descr.Type, "i8"):
			var whole []int64
			err = f.Read(key, &whole)
			for _, v := range whole {
				a.Values = append(a.Values, float64(v))
			}
		case len(a.Shape) == 0:
			a.Values = make([]float64, 1)
			err = f.Read(key, &a.Values[0])
		default:
			err = f.Read(key, &a.Values)
		}
		if err != nil {
			t.Fatalf("%s in %s: %v", key, path, err)
		}
		arrays[strings.TrimSuffix(key, ".npy")] = a
	}
	return arrays
}

// Singles returns the values in float32.
func (a Array) Singles() []float32 {
	values := make([]float32, len(a.Values))
	for i, v := range a.Values {
		values[i] = float32(v)
	}
	return values
}

// Labels returns the values as classes.
func (a Array) Labels() []int32 {
	values := make([]int32, len(a.Values))
	for i, v := range a.Values {
		values[i] = int32(v)
	}
	return values
}

// Tensor returns the array in float32 or float64.
func (a Array) Tensor(dtype dtypes.DType) *tensors.Tensor {
	if dtype == dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(append([]float64{}, a.Values...), a.Shape...)
	}
	return tensors.FromFlatDataAndDimensions(a.Singles(), a.Shape...)
}

// Weights makes the variables of a network in scope "net" from the arrays whose names
// begin with prefix, each followed by one of names: layer and weight, with a point
// between them.
func Weights(t testing.TB, arrays map[string]Array, prefix string, names []string, dtype dtypes.DType) *model.Store {
	t.Helper()
	store := model.NewStore()
	for _, name := range names {
		a, ok := arrays[prefix+name]
		if !ok {
			t.Fatalf("the reference has no %s%s", prefix, name)
		}
		if _, err := store.CreateVariable("/net/"+strings.Replace(name, ".", "/", 1), a.Tensor(dtype)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// Names returns what follows prefix in the names that begin with it, sorted.
func Names(arrays map[string]Array, prefix string) []string {
	var names []string
	for name := range arrays {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}

// Hold fails the test where max|got-want| is more than tolerance·max|want|.
func Hold(t testing.TB, what string, got *tensors.Tensor, want Array, tolerance float64) {
	t.Helper()
	values := Values(t, got)
	if len(values) != len(want.Values) {
		t.Errorf("%s: %d values, want %d", what, len(values), len(want.Values))
		return
	}
	worst, scale := 0., 0.
	for i, v := range values {
		d := math.Abs(v - want.Values[i])
		if !(d <= worst) { // NaN too
			worst = d
		}
		scale = max(scale, math.Abs(want.Values[i]))
	}
	if !(worst <= tolerance*scale) {
		t.Errorf("%s: max|a-b| is %.3g, more than %.0e of max|b| = %.3g", what, worst, tolerance, scale)
	}
}

// Values returns a tensor's values in float64.
func Values(t testing.TB, x *tensors.Tensor) []float64 {
	t.Helper()
	var out []float64
	x.MustConstFlatData(func(values any) {
		switch v := values.(type) {
		case []float64:
			out = append(out, v...)
		case []float32:
			for _, f := range v {
				out = append(out, float64(f))
			}
		default:
			t.Fatalf("unexpected values %T", values)
		}
	})
	return out
}

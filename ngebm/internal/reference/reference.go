// Package reference reads expected values for tests: float64 or int64 arrays of an NPZ
// file that another program (PyTorch, NumPy) wrote.
package reference

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/format"
)

// Array is one array of a file, in row-major order. A scalar has no dimensions.
type Array struct {
	Values []float64
	Shape  []int
}

// maxBytes bounds an array.
const maxBytes = 64 << 20

// Read returns a file's arrays by name. Arrays that NumPy stored in Fortran order, as it
// does with some transposed ones, become row-major.
func Read(t testing.TB, path string) map[string]Array {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	z, err := format.OpenNPZ(f, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	arrays := map[string]Array{}
	for _, name := range z.Names() {
		a, err := z.Read(name, maxBytes)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		arrays[name] = Array{a.Floats(), a.Shape}
	}
	return arrays
}

// Float32 returns the values in float32.
func (a Array) Float32() []float32 {
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

// Transposed returns a matrix with rows and columns exchanged, such as PyTorch's linear
// weights [out, in] in this project's layout [in, out].
func (a Array) Transposed() Array {
	rows, columns := a.Shape[0], a.Shape[1]
	out := Array{make([]float64, len(a.Values)), []int{columns, rows}}
	for i := range rows {
		for j := range columns {
			out.Values[j*rows+i] = a.Values[i*columns+j]
		}
	}
	return out
}

// Tensor returns the array in float32 or float64.
func (a Array) Tensor(dtype dtypes.DType) *tensors.Tensor {
	if dtype == dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(slices.Clone(a.Values), a.Shape...)
	}
	return tensors.FromFlatDataAndDimensions(a.Float32(), a.Shape...)
}

// Weights creates a network's variables in scope "net" from the arrays named prefix+name.
// A name is layer and weight, separated by a point.
func Weights(t testing.TB, arrays map[string]Array, prefix string, names []string, dtype dtypes.DType) *model.Store {
	t.Helper()
	store := model.NewStore()
	for _, name := range names {
		a, ok := arrays[prefix+name]
		if !ok {
			t.Fatalf("the reference does not have %s%s", prefix, name)
		}
		if _, err := store.CreateVariable("/net/"+strings.Replace(name, ".", "/", 1), a.Tensor(dtype)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// Names returns the rest of each name that begins with prefix, sorted.
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

// CheckClose fails the test if max|got-want| exceeds tolerance·max|want|.
func CheckClose(t testing.TB, name string, got *tensors.Tensor, want Array, tolerance float64) {
	t.Helper()
	values := Values(t, got)
	if len(values) != len(want.Values) {
		t.Errorf("%s: %d values, want %d", name, len(values), len(want.Values))
		return
	}
	largest, scale := 0., 0.
	for i, v := range values {
		d := math.Abs(v - want.Values[i])
		if !(d <= largest) { // NaN too
			largest = d
		}
		scale = max(scale, math.Abs(want.Values[i]))
	}
	if !(largest <= tolerance*scale) {
		t.Errorf("%s: max|a-b| is %.3g, more than %.0e of max|b| = %.3g", name, largest, tolerance, scale)
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

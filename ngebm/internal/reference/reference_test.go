package reference

import (
	"slices"
	"testing"
)

// Arrays are row-major in whichever order NumPy stored them (testdata/orders.py).
func TestReadOrders(t *testing.T) {
	rising := make([]float64, 24)
	for i := range rising {
		rising[i] = float64(i)
	}
	arrays := Read(t, "testdata/orders.npz")
	for name, want := range map[string]Array{
		"c":       {rising, []int{2, 3, 4}},
		"fortran": {rising, []int{2, 3, 4}},
		"kernel":  {[]float64{0, 2, 4, 1, 3, 5}, []int{1, 1, 2, 3}},
		"labels":  {[]float64{2, 0, 1}, []int{3}},
		"scalar":  {[]float64{1.5}, nil},
	} {
		if got := arrays[name]; !slices.Equal(got.Values, want.Values) || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s is %v shaped %v, want %v shaped %v", name, got.Values, got.Shape, want.Values, want.Shape)
		}
	}
	if len(arrays) != 5 {
		t.Errorf("%d arrays, want 5", len(arrays))
	}
}

func TestTransposed(t *testing.T) {
	got := Array{[]float64{1, 2, 3, 4, 5, 6}, []int{2, 3}}.Transposed()
	if !slices.Equal(got.Values, []float64{1, 4, 2, 5, 3, 6}) || !slices.Equal(got.Shape, []int{3, 2}) {
		t.Errorf("%v", got)
	}
}

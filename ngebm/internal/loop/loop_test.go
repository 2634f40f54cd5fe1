package loop_test

import (
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/loop"
	"ngebm/ngebm/internal/testdevice"
)

// Three rounds, by hand: w starts at 1 and is doubled in each, after w·xᵢ was noted; the
// unused fourth place stays 0. Variables keep what the last round left, and a second
// execution goes on from there; a variable that no round changes stays as it is.
func TestTimes(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	store := model.NewStore()
	variable := func(path string, value float32) *model.Variable {
		v, err := store.CreateVariable(path, tensors.MustFromAnyValue(value))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	w, two := variable("/w", 1), variable("/two", 2)
	exec, err := model.NewExec(backend, store, func(_ *model.Scope, n, x *Node) *Node {
		state := []*Node{Const(n.Graph(), make([]float32, 4)), x}
		return loop.Times(n, []*model.Variable{w, two}, state, func(i *Node, state []*Node) []*Node {
			value := w.NodeValue(i)
			w.SetNodeValue(Mul(value, two.NodeValue(i)))
			return []*Node{loop.SetAt(state[0], i, Mul(value, loop.At(state[1], i))), state[1]}
		})[0]
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n           int32
		want        []float32
		left, fixed float32
	}{
		{3, []float32{10, 2 * 20, 4 * 30, 0}, 8, 2},
		{0, []float32{0, 0, 0, 0}, 8, 2},
		{1, []float32{8 * 10, 0, 0, 0}, 16, 2},
	} {
		out, err := exec.Exec(c.n, []float32{10, 20, 30, 40})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d rounds give %v, want %v", c.n, got, c.want)
		}
		for v, want := range map[*model.Variable]float32{w: c.left, two: c.fixed} {
			value, err := v.Value()
			if err != nil {
				t.Fatal(err)
			}
			if got := tensors.MustCopyFlatData[float32](value)[0]; got != want {
				t.Errorf("after %d rounds %s is %v, want %v", c.n, v.Path(), got, want)
			}
		}
	}
}

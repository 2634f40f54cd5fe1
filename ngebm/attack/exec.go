package attack

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/internal/explain"
)

// forward returns the logits of the first count examples of a batch.
func (s *search) forward(x []float32, count int) ([][]float32, error) {
	in := s.upload(x)
	defer free(in)
	out, err := s.call("forward", func(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
		return []*graph.Node{logits(in[0])}
	}, in)
	if err != nil {
		return nil, err
	}
	defer free(out...)
	flat, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return nil, err
	}
	rows, classes := make([][]float32, count), len(flat)/s.batch
	for k := range rows {
		rows[k] = flat[k*classes : (k+1)*classes]
	}
	return rows, nil
}

// call runs a graph, which is built once for each name.
func (s *search) call(name string, build builder, in ...*tensors.Tensor) ([]*tensors.Tensor, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: stopped: %w", s.task, err)
	}
	exec, ok := s.execs[name]
	if !ok {
		var err error
		exec, err = s.model.NewExec(func(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
			return build(func(x *graph.Node) *graph.Node {
				f := logits(x)
				if f.Rank() != 2 || f.Shape().Dimensions[0] != x.Shape().Dimensions[0] {
					panic(fmt.Errorf("its logits are shaped %s for a batch of %d, want [batch, classes]", f.Shape(), x.Shape().Dimensions[0]))
				}
				return graph.ConvertDType(f, dtypes.Float32)
			}, in)
		})
		if err != nil {
			return nil, s.fault(err)
		}
		exec.SetMaxCache(-1) // a graph for each size of a batch, however many sets are attacked
		s.execs[name] = exec
	}
	args := make([]any, len(in))
	for i, t := range in {
		args[i] = t
	}
	out, err := exec.Exec(args...)
	if err != nil {
		return nil, s.fault(err)
	}
	return out, nil
}

// fault makes one line of GoMLX's errors, which carry stacks of calls. What fails before any logits
// are known is most likely the shape.
func (s *search) fault(err error) error {
	if len(s.logits) == 0 {
		return fmt.Errorf("%s: the classifier does not take a batch of examples of shape %v; use a dataset of the shape it was trained on: %w", s.task, s.d.Shape, explain.Error(err))
	}
	return fmt.Errorf("%s: a batch of %d examples: %w", s.task, s.batch, explain.Error(err))
}

// upload makes a tensor of one batch of examples.
func (s *search) upload(x []float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(x, append([]int{s.batch}, s.d.Shape...)...)
}

// free releases tensors here and on the device at once: the garbage collector
// does not see the device's memory. There is nothing to do about an error.
func free(ts ...*tensors.Tensor) {
	for _, t := range ts {
		_ = t.FinalizeAll()
	}
}

func finite(values []float32) bool {
	for _, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}

// argMax returns the index of the largest value, the first of equals.
func argMax(row []float32) int {
	best := 0
	for k, f := range row {
		if f > row[best] {
			best = k
		}
	}
	return best
}

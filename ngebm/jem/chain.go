package jem

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/innerloop"
)

// Model is a network with its weights, as chains follow its gradients.
type Model = innerloop.Model

// Chain moves a batch of samples by a number of SGLD steps at a time.
type Chain struct {
	loop        *innerloop.Loop
	steps       int
	conditional bool
}

// NewChain returns a chain of the given number of steps a call. A conditional one follows
// log p(x|y), the gradient of the logit of each sample's class.
func NewChain(m Model, steps int, conditional bool) (*Chain, error) {
	loop, err := innerloop.New(m, steps, true, func(x, noise *Node, same []*Node) (next, slope *Node) {
		step, deviation := same[0], same[1]
		f := m.Logits(x)
		e := energy.LogSumExp(f)
		if conditional {
			e = energy.ClassLogit(f, same[2])
		}
		g := energy.InputGradient(e, x)
		return Add(Add(x, Mul(g, step)), Mul(noise, deviation)), energy.Norm(g)
	})
	if err != nil {
		return nil, fmt.Errorf("jem: %w", err)
	}
	return &Chain{loop, steps, conditional}, nil
}

// Run moves x, shaped [batch, …], by the chain's steps of the given size and noise.
// normals are standard normal, steps × the size of x values; labels are the classes,
// [batch], for a conditional chain. It returns the samples, and the gradient norm
// ‖∂E/∂x‖₂ of each before the last step, [batch]. The caller frees both.
func (c *Chain) Run(x *tensors.Tensor, step, noise float64, normals []float32, labels []int32) (end, slopes *tensors.Tensor, err error) {
	same := []*tensors.Tensor{tensors.FromScalar(float32(step)), tensors.FromScalar(float32(noise))}
	if c.conditional {
		same = append(same, tensors.FromFlatDataAndDimensions(labels, len(labels)))
	}
	end, slopes, err = c.loop.Run(x, normals, same...)
	if err != nil {
		return nil, nil, fmt.Errorf("jem: a chain of %d steps: %w", c.steps, err)
	}
	for _, t := range same {
		if err := t.FinalizeAll(); err != nil {
			return nil, nil, err
		}
	}
	return end, slopes, nil
}

// Close frees what was compiled.
func (c *Chain) Close() { c.loop.Close() }

package jem

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
)

// Refinement moves an input before it is classified, as the authors of JEM and NG-EBM
// evaluate robustness: noisy copies take SGLD steps up the energy, and their logits are
// averaged. Steps = 0 is the plain forward pass; other settings of 0 are the authors'.
//
// Its robustness is easily overestimated. An attack must differentiate through the
// refinement, so the steps are part of the graph, and gradients are averaged over the
// copies (expectation over transformation, Athalye et al. 2018, arXiv 1802.00420). The
// authors' code detaches the steps. Even so, long chains mask gradients, and most
// test-time defenses were broken by adaptive attacks (Croce et al. 2022, arXiv
// 2202.13711). Report the plain metric too, and use attacks without gradients (Square).
type Refinement struct {
	Steps  int     `json:"steps"`  // unrolled in the graph: compilation time is proportional
	Step   float64 `json:"step"`   // size of a step; 1
	Noise  float64 `json:"noise"`  // standard deviation of the noise in each step; .01
	Spread float64 `json:"spread"` // standard deviation of the noise of the copies; .03
	Copies int     `json:"copies"` // of each input; 5
	// Seed of the noise, which is drawn in Go for each copy and step and is the same for
	// every example and call. A refined classifier is thus a function, and attacks know
	// the noise, which can only lower the measured robustness.
	Seed uint64 `json:"seed"`
}

// WithDefaults replaces settings of 0 by the authors'.
func (r Refinement) WithDefaults() Refinement {
	for _, s := range []struct {
		value    *float64
		standard float64
	}{{&r.Step, 1}, {&r.Noise, .01}, {&r.Spread, .03}} {
		if *s.value == 0 {
			*s.value = s.standard
		}
	}
	if r.Copies == 0 {
		r.Copies = 5
	}
	return r
}

// Validate returns an error that names the first invalid setting.
func (r Refinement) Validate() error {
	r = r.WithDefaults()
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch {
	case r.Steps < 0 || r.Copies < 1:
		return fmt.Errorf("jem: refinement with %d steps and %d copies; steps must be 0 (none) or more, copies 1 or more", r.Steps, r.Copies)
	case !positive(r.Step) || !positive(r.Noise) || !positive(r.Spread):
		return fmt.Errorf("jem: refinement with step %g, noise %g and spread %g; all must be finite and above 0", r.Step, r.Noise, r.Spread)
	}
	return nil
}

// String describes it: "10 SGLD steps of 1 with noise 0.01, mean of 5 copies with noise 0.03".
func (r Refinement) String() string {
	if r.Steps == 0 {
		return "no refinement"
	}
	r = r.WithDefaults()
	return fmt.Sprintf("%d SGLD steps of %g with noise %g, mean of %d copies with noise %g", r.Steps, r.Step, r.Noise, r.Copies, r.Spread)
}

// Logits builds the refined logits of x, shaped [batch, …], from a function that
// builds the plain ones. It returns [batch, classes].
func (r Refinement) Logits(plain func(x *Node) *Node, x *Node) *Node {
	if r.Steps == 0 {
		return plain(x)
	}
	if err := r.Validate(); err != nil {
		panic(err)
	}
	r = r.WithDefaults()
	batch, one := x.Shape().Dimensions[0], x.Shape().Dimensions[1:]
	rng := stream(forRefinement, r.Seed, 0, 0)
	each := append([]int{1, r.Copies}, one...)
	all := append([]int{batch, r.Copies}, one...)
	together := append([]int{batch * r.Copies}, one...)
	noise := func(deviation float64) *Node {
		size := r.Copies * x.Shape().Size() / batch
		drawn := Const(x.Graph(), tensors.FromFlatDataAndDimensions(normals(rng, size), each...))
		return MulScalar(BroadcastToDims(ConvertDType(drawn, x.DType()), all...), deviation)
	}
	at := Reshape(Add(BroadcastToDims(InsertAxes(x, 1), all...), noise(r.Spread)), together...)
	for range r.Steps {
		up := energy.InputGradient(energy.LogSumExp(plain(at)), at)
		at = Add(Add(at, MulScalar(up, r.Step)), Reshape(noise(r.Noise), together...))
	}
	f := plain(at)
	return ReduceMean(Reshape(f, batch, r.Copies, f.Shape().Dimensions[1]), 1)
}

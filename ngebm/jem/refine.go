package jem

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
)

// Refinement moves an input before it is classified, as the authors of JEM and of
// NG-EBM evaluate robustness: copies of it, each with its noise, go some SGLD steps up
// the energy, and their logits are averaged. The zero Steps is the plain forward pass;
// the other settings default to the authors' where they are 0.
//
// The gain that it shows is easily a mirage. An attack has to see the refinement: one
// on the plain network alone finds examples for another function. So the steps are a
// part of the graph, and gradients go through them and over all copies, the expectation
// over transformation of Athalye et al. (2018, arXiv 1802.00420). (The authors' code
// moves x without a record, so that gradients pass its steps as if they were none.)
// Even then long chains bend gradients until they lead nowhere, gradients that are
// masked and not missing, and defenses that act at test time have mostly fallen to
// attacks made for them (Croce et al. 2022, arXiv 2202.13711). Report a refined figure
// together with the plain one only, and with attacks that need no gradients (Square).
type Refinement struct {
	Steps  int     `json:"steps"`  // each is unrolled in the graph, so that compiling takes time in proportion: keep it small
	Step   float64 `json:"step"`   // size of a step; 1
	Noise  float64 `json:"noise"`  // standard deviation of the noise in each step; .01
	Spread float64 `json:"spread"` // standard deviation of the noise that makes the copies differ; .03
	Copies int     `json:"copies"` // of each input; 5
	// Seed gives the noise. It is drawn in Go, once for each copy and step, and held
	// constant: the same for every example and in every call. So a refined classifier
	// is a function, the one that an attack differentiates is the one that is evaluated,
	// and an attacker is taken to know the noise, which can only lower the figure.
	Seed uint64 `json:"seed"`
}

// WithDefaults fills in the authors' settings where there are none.
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

// Validate reports the first setting that cannot be used.
func (r Refinement) Validate() error {
	r = r.WithDefaults()
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch {
	case r.Steps < 0 || r.Copies < 1:
		return fmt.Errorf("jem: a refinement of %d steps of %d copies is not possible; give 0 steps (none) or more, and 1 copy or more", r.Steps, r.Copies)
	case !positive(r.Step) || !positive(r.Noise) || !positive(r.Spread):
		return fmt.Errorf("jem: a refinement with steps of %g, noise %g and spread %g is not possible; all must be finite and above 0", r.Step, r.Noise, r.Spread)
	}
	return nil
}

// String says it in words: "10 SGLD steps of 1 with noise 0.01, mean of 5 copies 0.03 apart".
func (r Refinement) String() string {
	if r.Steps == 0 {
		return "no refinement"
	}
	r = r.WithDefaults()
	return fmt.Sprintf("%d SGLD steps of %g with noise %g, mean of %d copies %g apart", r.Steps, r.Step, r.Noise, r.Copies, r.Spread)
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
	apart := append([]int{1, r.Copies}, one...)
	all := append([]int{batch, r.Copies}, one...)
	together := append([]int{batch * r.Copies}, one...)
	noise := func(deviation float64) *Node {
		size := r.Copies * x.Shape().Size() / batch
		drawn := Const(x.Graph(), tensors.FromFlatDataAndDimensions(normals(rng, size), apart...))
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

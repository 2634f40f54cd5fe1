package jem

import (
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/energy"
)

// Names of JEM's terms.
const (
	NameGap      = "energy gap"       // mean E(x̃) - mean E(x): -log p(x) but for a constant
	NameJointGap = "joint energy gap" // the same of the classes' logits: -log p(x,y)
	NameSquare   = "squared energy"
	// NameSlope is watched, not minimized: mean ‖∂E(x̃)/∂x̃‖₂ at the chains' last step.
	NameSlope = "slope at the samples"
)

// Objective is JEM's loss, on top of the classification's and NG-EBM's own terms. The
// samples are Inputs.Others, and their classes OtherLabels where they are conditional.
type Objective struct {
	energy.NGEBM
	Settings
}

// Terms implements [energy.Objective].
func (o Objective) Terms(in energy.Inputs) []energy.Term {
	f := in.Logits(in.X)
	samples := in.Logits(in.Others)
	e, eSamples := energy.LogSumExp(f), energy.LogSumExp(samples)
	terms := append(o.TermsOf(f, in),
		energy.Term{Name: NameGap, Weight: o.Weight, Value: Sub(ReduceAllMean(eSamples), ReduceAllMean(e)), Ramps: true})
	if o.Joint != 0 {
		gap := Sub(ReduceAllMean(energy.ClassLogit(samples, in.OtherLabels)), ReduceAllMean(energy.ClassLogit(f, in.Labels)))
		terms = append(terms, energy.Term{Name: NameJointGap, Weight: o.Joint, Value: gap, Ramps: true})
	}
	if o.EnergyL2 != 0 {
		squares := Add(ReduceAllMean(Square(e)), ReduceAllMean(Square(eSamples)))
		terms = append(terms, energy.Term{Name: NameSquare, Weight: o.EnergyL2, Value: squares, Ramps: true})
	}
	return terms
}

package energy

// NameMargin is the name of [Bounded]'s own term.
const NameMargin = "energy margin"

// Bounded adds a margin between the energies of the data and those of outliers,
// Inputs.Others, to the terms of NG-EBM (energy-bounded learning, Liu et al. 2020,
// equation 8).
type Bounded struct {
	NGEBM
	Weight  float64 // of the margin; .1 in the paper
	In, Out float64 // see [Margin]
}

// Terms implements [Objective].
func (b Bounded) Terms(in Inputs) []Term {
	f := in.Logits(in.X)
	margin := Margin(LogSumExp(f), LogSumExp(in.Logits(in.Others)), b.In, b.Out)
	return append(b.TermsOf(f, in), Term{NameMargin, b.Weight, margin, true})
}

package energy

// NameMargin is the name of [Bounded]'s own term.
const NameMargin = "energy margin"

// Bounded adds to another objective's terms the margin that pushes the energies of
// the data away from those of outliers (energy-bounded learning, Liu et al. 2020).
// The outliers are Inputs.Others.
type Bounded struct {
	NGEBM
	Weight  float64 // of the margin; the paper has .1
	In, Out float64 // see [Margin]
}

// Terms implements [Objective].
func (b Bounded) Terms(in Inputs) []Term {
	f := in.Logits(in.X)
	margin := Margin(LogSumExp(f), LogSumExp(in.Logits(in.Others)), b.In, b.Out)
	return append(b.TermsOf(f, in), Term{NameMargin, b.Weight, margin, true})
}

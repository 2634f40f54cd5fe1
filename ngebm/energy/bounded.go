package energy

// Names of [Bounded]'s own terms.
const (
	NameMargin   = "energy margin"
	NameExposure = "outlier exposure"
)

// Bounded adds terms of outliers, Inputs.Others, to those of NG-EBM: a margin between their
// energies and the data's (energy-bounded learning, Liu et al. 2020, equation 8), and outlier
// exposure, the cross-entropy of their predictions to the uniform distribution (Hendrycks et
// al. 2019). Outliers cost a forward and a backward pass, three units, as the batch does.
type Bounded struct {
	NGEBM
	Weight   float64 // of the margin; .1 in the paper; 0 is none
	In, Out  float64 // see [Margin]
	Exposure float64 // weight of [UniformCrossEntropy]; .5 in the paper; 0 is none
}

// Terms implements [Objective].
func (b Bounded) Terms(in Inputs) []Term {
	f, others := in.Logits(in.X), in.Logits(in.Others)
	terms := b.TermsOf(f, in)
	if b.Weight != 0 {
		terms = append(terms, Term{NameMargin, b.Weight, Margin(LogSumExp(f), LogSumExp(others), b.In, b.Out), true})
	}
	if b.Exposure != 0 {
		terms = append(terms, Term{NameExposure, b.Exposure, UniformCrossEntropy(others), true})
	}
	return terms
}

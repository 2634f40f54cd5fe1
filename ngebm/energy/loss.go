package energy

import . "github.com/gomlx/gomlx/core/graph"

// Term is one term of a loss: the scalar that a batch gives, and its factor.
type Term struct {
	Name   string
	Weight float64
	Value  *Node // scalar, unweighted
	// Ramps reports whether the run's ramp scales the weight: true for every term but
	// the classification's.
	Ramps bool
}

// Inputs are what a loss is built from: nodes of one graph.
type Inputs struct {
	// Logits builds the network on examples shaped [n, …] and returns
	// [n, classes]. It may be called more than once: the calls share weights.
	Logits func(x *Node) *Node
	X      *Node // the batch, shaped [batch, …]
	Labels *Node // [batch], int32
	// Partner and Share are set if mixup blended the examples: the labels of the second
	// examples, [batch], and the share of Labels, a scalar in [0,1].
	Partner, Share *Node
	// Others are a sampler's samples or outliers, shaped [n, …]; nil if the run does not
	// use any. OtherLabels are their classes, [n], if they have classes.
	Others, OtherLabels *Node
	// Directions are random unit vectors, [batch, classes], one for each example; nil unless
	// NGEBM.Jacobian is set.
	Directions *Node
}

// Objective builds the terms of the loss that a run minimizes, for one batch.
type Objective interface {
	// Terms returns the loss's terms; the loss is Σ Weight·Value.
	Terms(in Inputs) []Term
}

// Names of the terms, as history and figures show them.
const (
	NameCrossEntropy = "cross-entropy"
	NameFocal        = "focal loss" // in place of cross-entropy
	NameVariance     = "energy variance"
	NameGradientNorm = "gradient norm"

	NameLogitNorm     = "cross-entropy of unit logits" // in place of cross-entropy
	NameZLoss         = "mean squared energy"
	NameInputGradient = "input gradient"
	NameJacobian      = "squared Jacobian"
)

// NGEBM is the objective of Piland et al. (arXiv 2304.01297):
//
//	L = α·CE(f(x), y) + β·Var_batch[E(x)] + γ·mean_i ‖∂E(x_i)/∂x_i‖₂
//
// Var_batch is the biased variance, Σ(E-mean)²/N over the N examples of the batch, as
// the authors compute it; torch.var divides by N-1 by default.
//
// With β = γ = 0 it is cross-entropy. The variance is cheap, so its term is always
// present for the history. The gradient norm needs a second backward pass, so its term
// is omitted if γ is 0.
type NGEBM struct {
	Alpha, Beta, Gamma float64
	// Smoothing is label smoothing's ε in [0,1): cross-entropy against
	// (1-ε)·one-hot(y) + ε/classes (Szegedy et al. 2016; PyTorch's
	// label_smoothing).
	Smoothing float64
	// Focal is the exponent of the focal loss, 0 (plain cross-entropy) or at
	// least 1; see [FocalLoss].
	Focal float64
	// LogitNorm is the temperature of cross-entropy of unit logits; 0 leaves the logits. See
	// [UnitLogits].
	LogitNorm float64

	// Weights of controls, which differ from the two terms in one thing each; 0 is none.
	// ZLoss weighs mean E², the variance without its mean taken off, InputGradient
	// mean ‖∂CE/∂x‖₂, the gradient of the classification's loss in place of the energy's
	// (see [InputGradientNorm]), and Jacobian the logits' (see [SquaredJacobian]).
	ZLoss, InputGradient, Jacobian float64
}

// Terms implements [Objective].
func (w NGEBM) Terms(in Inputs) []Term { return w.TermsOf(in.Logits(in.X), in) }

// TermsOf is Terms for an objective that has the logits of in.X already.
func (w NGEBM) TermsOf(f *Node, in Inputs) []Term {
	e := LogSumExp(f)
	name := NameCrossEntropy
	switch {
	case w.Focal != 0:
		name = NameFocal
	case w.LogitNorm != 0:
		name = NameLogitNorm
	}
	loss := w.classification(f, in)
	terms := []Term{
		{Name: name, Weight: w.Alpha, Value: loss},
		{Name: NameVariance, Weight: w.Beta, Value: ReduceVariance(e), Ramps: true}, // 1/N
	}
	if w.Gamma != 0 {
		terms = append(terms, Term{NameGradientNorm, w.Gamma, ReduceAllMean(GradientNorm(e, in.X)), true})
	}
	if w.ZLoss != 0 {
		terms = append(terms, Term{NameZLoss, w.ZLoss, ReduceAllMean(Square(e)), true})
	}
	if w.InputGradient != 0 {
		terms = append(terms, Term{NameInputGradient, w.InputGradient, InputGradientNorm(loss, in.X), true})
	}
	if w.Jacobian != 0 {
		terms = append(terms, Term{NameJacobian, w.Jacobian, SquaredJacobian(f, in.X, in.Directions), true})
	}
	return terms
}

// classification is the cross-entropy, or the focal loss in its place, of examples
// that mixup may have blended.
func (w NGEBM) classification(f *Node, in Inputs) *Node {
	if w.LogitNorm != 0 {
		f = UnitLogits(f, w.LogitNorm)
	}
	loss := func(labels *Node) *Node {
		if w.Focal != 0 {
			return FocalLoss(f, labels, w.Focal)
		}
		return CrossEntropy(f, labels, w.Smoothing)
	}
	if in.Partner == nil {
		return loss(in.Labels)
	}
	// λ·L(y) + (1-λ)·L(y'): Zhang et al. 2018.
	return Add(Mul(in.Share, loss(in.Labels)), Mul(OneMinus(in.Share), loss(in.Partner)))
}

// Total returns the loss, Σ Weight·Value. It omits terms of weight 0, so that a NaN in a
// term that is only recorded does not reach the gradient. The weights of terms that
// ramp are multiplied by ramp, a scalar in [0,1]; nil is 1.
func Total(terms []Term, ramp *Node) *Node {
	var loss *Node
	for _, t := range terms {
		if t.Weight == 0 {
			continue
		}
		weighted := MulScalar(t.Value, t.Weight)
		if t.Ramps && ramp != nil {
			weighted = Mul(weighted, ramp)
		}
		if loss == nil {
			loss = weighted
		} else {
			loss = Add(loss, weighted)
		}
	}
	if loss == nil {
		loss = MulScalar(terms[0].Value, 0)
	}
	return loss
}

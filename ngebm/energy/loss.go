package energy

import . "github.com/gomlx/gomlx/core/graph"

// Term is one term of a loss: the scalar that a batch gives, and its factor.
type Term struct {
	Name   string
	Weight float64
	Value  *Node // scalar, unweighted
}

// Objective builds the terms of a loss for one batch. It is how a training run
// is told what to minimise.
type Objective interface {
	// Terms returns the loss's terms; the loss is Σ Weight·Value. The function
	// logits may be called more than once: the calls share their weights. x is
	// shaped [batch, …], labels [batch] (int32).
	Terms(logits func(x *Node) *Node, x, labels *Node) []Term
}

// Names of the three terms, as history and figures show them.
const (
	NameCrossEntropy = "cross-entropy"
	NameVariance     = "energy variance"
	NameGradientNorm = "gradient norm"
)

// NGEBM is the objective of Piland et al. (arXiv 2304.01297):
//
//	L = α·CE(f(x), y) + β·Var_batch[E(x)] + γ·mean_i ‖∂E(x_i)/∂x_i‖₂
//
// With β = γ = 0 it is plain cross-entropy. The variance costs next to nothing,
// so its term is always there to be watched; the gradient norm needs a second
// backward pass, so its term is left out where γ is 0.
type NGEBM struct {
	Alpha, Beta, Gamma float64
	// Smoothing is label smoothing's ε in [0,1): cross-entropy against
	// (1-ε)·one-hot(y) + ε/classes (Szegedy et al. 2016; PyTorch's
	// label_smoothing).
	Smoothing float64
}

// Terms implements [Objective].
func (w NGEBM) Terms(logits func(x *Node) *Node, x, labels *Node) []Term {
	f := logits(x)
	e := Of(f)
	terms := []Term{
		{NameCrossEntropy, w.Alpha, CrossEntropy(f, labels, w.Smoothing)},
		{NameVariance, w.Beta, ReduceVariance(e)}, // 1/N, as the authors compute it
	}
	if w.Gamma != 0 {
		terms = append(terms, Term{NameGradientNorm, w.Gamma, ReduceAllMean(GradientNorm(e, x))})
	}
	return terms
}

// Total returns the loss, Σ Weight·Value, leaving out terms of weight 0 so that
// a term that is only watched cannot spoil the gradient.
func Total(terms []Term) *Node {
	var loss *Node
	for _, t := range terms {
		if t.Weight == 0 {
			continue
		}
		weighted := MulScalar(t.Value, t.Weight)
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

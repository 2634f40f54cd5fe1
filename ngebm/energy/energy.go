// Package energy builds the energy of an input, its gradient with respect to the input,
// and the three terms of the loss of non-generative energy-based models.
//
// Sign: E(x) = logsumexp_k f_k(x), as the authors of NG-EBM write it (Piland
// et al., arXiv 2304.01297): an unnormalized log p(x), larger where the model
// finds x more likely. The literature on energy-based models usually calls
// -E(x) the energy: [LogSumExp] is minus the field's energy.
//
// Gauge: p(y|x) does not determine E. For any function g, the logits f_k(x) + g(x) give the
// same p(y|x), and the energy E(x) + g(x). That E is read as log p(x) is a choice of g, which
// the network makes; cross-entropy has no part in it. nets.Gauge chooses otherwise, and the
// notebook 10_what_the_terms_do shows what follows.
//
// All functions build graphs: they panic on misuse, as GoMLX's own do, and the
// panic becomes an error of the graph's execution. Networks may use any
// operation that GoMLX can differentiate twice. Importing this package adds higher
// derivatives of convolutions. Use nets.MaxPool2D in place of graph.MaxPool.
package energy

import (
	. "github.com/gomlx/gomlx/core/graph"

	// The norm's gradient needs second derivatives of convolutions.
	_ "ngebm/ngebm/internal/convgrad"
)

// LogSumExp returns E(x) = logsumexp_k f_k(x), shaped [batch], from logits shaped
// [batch, classes]. It does not overflow for finite logits.
func LogSumExp(logits *Node) *Node {
	// The maximum only shifts the exponents: the result, and so its gradient,
	// does not depend on it.
	max := StopGradient(ReduceMax(logits, -1))
	sum := ReduceSum(Exp(Sub(logits, InsertAxes(max, -1))), -1)
	return Add(Log(sum), max)
}

// ClassLogit returns f_y(x), shaped [batch], from logits shaped [batch, classes] and
// labels shaped [batch], integers in [0, classes).
func ClassLogit(logits, labels *Node) *Node {
	classes := logits.Shape().Dimensions[logits.Rank()-1]
	return ReduceSum(Mul(logits, OneHot(labels, classes, logits.DType())), -1)
}

// InputGradient returns ∂E(x_i)/∂x_i, shaped as x, from energies shaped [batch] that
// were built from x. The energy of an example must depend on that example only
// (no batch normalization), which is what makes the gradient of the sum the
// batch of gradients.
func InputGradient(energies, x *Node) *Node {
	return Gradient(ReduceAllSum(energies), x)[0]
}

// GradientNorm returns ‖∂E(x_i)/∂x_i‖₂ over all values of an example, shaped
// [batch].
func GradientNorm(energies, x *Node) *Node { return Norm(InputGradient(energies, x)) }

// Norm returns ‖g_i‖₂ over all values of an example, shaped [batch], of g shaped
// [batch, …]. Where g is zero the norm is zero, and so is the norm's own derivative
// (the subgradient of least norm; the plain square root would give NaN).
func Norm(g *Node) *Node {
	axes := make([]int, g.Rank()-1)
	for i := range axes {
		axes[i] = i + 1
	}
	squares := ReduceSum(Square(g), axes...)
	positive := GreaterThan(squares, ZerosLike(squares))
	return Where(positive, Sqrt(Where(positive, squares, OnesLike(squares))), ZerosLike(squares))
}

// CrossEntropy returns the scalar mean_i Σ_k t_ik·[E(x_i) - f_k(x_i)] from logits
// shaped [batch, classes] and labels shaped [batch], integers in [0, classes).
// The target t is 1 at the label without smoothing; with smoothing ε in [0,1) it
// is (1-ε)·[k = label] + ε/classes.
func CrossEntropy(logits, labels *Node, smoothing float64) *Node {
	score := ClassLogit(logits, labels)
	if smoothing != 0 {
		score = Add(MulScalar(score, 1-smoothing), MulScalar(ReduceMean(logits, -1), smoothing))
	}
	return ReduceAllMean(Sub(LogSumExp(logits), score))
}

// FocalLoss returns the scalar mean_i -(1-p_i)^γ·log p_i, where p_i is the
// probability that the softmax of logits, shaped [batch, classes], gives the label,
// labels being shaped [batch], integers in [0, classes). γ is 1 or more (Lin et al.
// 2017 has 2; Mukhoti et al. 2020 calibrate with 3); 0 would be cross-entropy.
func FocalLoss(logits, labels *Node, gamma float64) *Node {
	logP := Sub(ClassLogit(logits, labels), LogSumExp(logits))
	wrong := OneMinus(Exp(logP))
	// Rounding may leave 1-p a little below 0, where a power is not a number; at 0 the second
	// derivative of one below 2 is none.
	positive := GreaterThan(wrong, ZerosLike(wrong))
	power := Where(positive, PowScalar(Where(positive, wrong, OnesLike(wrong)), gamma), ZerosLike(wrong))
	return Neg(ReduceAllMean(Mul(power, logP)))
}

// Margin returns the scalar that energy-bounded learning adds to cross-entropy
// (Liu et al. 2020, equation 8), from energies of the data and of outliers, each
// shaped [n]:
//
//	mean max(0, in - E(x))² + mean max(0, E(x') - out)²
//
// It pulls the data's energies above in and the outliers' below out. The paper's
// energy is -E: its margins m_in = -23 and m_out = -5 are in = 23 and out = 5.
func Margin(data, outliers *Node, in, out float64) *Node {
	square := func(shortfall *Node) *Node {
		return ReduceAllMean(Square(Max(shortfall, ZerosLike(shortfall))))
	}
	return Add(square(AddScalar(Neg(data), in)), square(AddScalar(outliers, -out)))
}

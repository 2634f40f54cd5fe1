package energy

import . "github.com/gomlx/gomlx/core/graph"

// Controls: what other papers regularize, to compare NG-EBM's terms with.

// UnitLogits returns f/(τ·(‖f‖₂ + 1e-7)), logits shaped [batch, classes] of norm 1/τ, whose
// cross-entropy is LogitNorm (Wei et al. 2022, equation 6; τ = .04 for CIFAR-10). It costs no
// pass.
func UnitLogits(f *Node, temperature float64) *Node {
	norms := AddScalar(InsertAxes(Norm(f), -1), 1e-7)
	return DivScalar(Div(f, norms), temperature)
}

// InputGradientNorm returns the scalar mean_i ‖∂l_i/∂x_i‖₂ for a loss that is the mean of
// examples' own losses l_i, built from x shaped [batch, …]. Ross and Doshi-Velez (2018) penalize
// the square of it; the norm is NG-EBM's γ, with the loss in place of the energy. It costs three
// passes, as that does.
func InputGradientNorm(loss, x *Node) *Node {
	gradient := Gradient(loss, x)[0]
	return ReduceAllMean(MulScalar(Norm(gradient), float64(x.Shape().Dimensions[0])))
}

// SquaredJacobian returns the scalar mean_i ½·C·‖∂(v_i·f(x_i))/∂x_i‖₂² from logits f shaped
// [batch, C], built from x, and random unit vectors v, shaped as f: an estimate of half the
// mean squared Frobenius norm of the logits' Jacobian, by one projection (Hoffman et al. 2019,
// algorithm 1). It costs three passes.
func SquaredJacobian(f, x, directions *Node) *Node {
	gradient := Gradient(ReduceAllSum(Mul(f, directions)), x)[0]
	squares := ReduceAllSum(Square(gradient))
	return MulScalar(squares, float64(f.Shape().Dimensions[1])/(2*float64(f.Shape().Dimensions[0])))
}

// UniformCrossEntropy returns the scalar mean_i [E(x_i) - mean_k f_k(x_i)] from logits shaped
// [n, classes]: the cross-entropy of the uniform distribution, which outlier exposure has of
// outliers (Hendrycks et al. 2019, equation 1).
func UniformCrossEntropy(f *Node) *Node {
	return ReduceAllMean(Sub(LogSumExp(f), ReduceMean(f, -1)))
}

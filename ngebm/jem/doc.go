// Package jem trains classifiers as joint energy-based models (JEM; Grathwohl et
// al. 2020, arXiv 1912.03263). JEM adds the log-likelihood of the inputs to the loss,
//
//	L = α·CE(f(x), y) − w·log p(x),   log p(x) = E(x) − log Z,   E(x) = logsumexp f(x)
//
// whose gradient is that of w·(mean E(x̃) − mean E(x)) with x̃ drawn from the model's
// own p. They are drawn by stochastic gradient Langevin dynamics (SGLD),
//
//	x̃ ← x̃ + step·∂E(x̃)/∂x̃ + noise·N(0, 1)
//
// Chains continue from a replay buffer; 1 in 20 restarts. Step and noise are the authors'
// (step 1 with noise .01 is a temperature far below 1), as is the sign of E.
//
// Of JEM++ (Yang, Ji 2021, arXiv 2109.09032) its informative start is here: chains start from a
// normal distribution fitted to each class, and take fewer steps; see [Settings.Start] and
// [Settings.Steps]. The authors clamp starts to [-1,1] and add 1e-4 to each variance; here neither is
// done. Its proximal SGLD, which clips steps, and YOPO's cheaper inner steps are
// not, so that figures of this package are not JEM++'s.
package jem

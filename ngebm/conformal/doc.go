// Package conformal turns a classifier's answers on held-out examples into statements about
// its next answer: sets of classes that hold the right one, thresholds with a given rate of
// false alarms, and thresholds above which few answers are wrong. It works on slices of
// numbers of any model and needs no backend.
//
//	what                                the statement                                  holds
//	[Fit], [Sets.Of]                    P(right class in the set) ≥ 1-α, and           on average over n held-out examples
//	                                    ≤ 1-α + 1/(n+1) without ties                   and the next one
//	[Fit] with PerClass                 the same for the examples of each class        likewise, class by class
//	[Threshold]                         P(score below it) ≤ rate                       likewise
//	[FitRisk]                           P(wrong | answered) ≤ r                        for all but a share δ of held-out sets
//
// All of it rests on one assumption: the held-out examples and those to come are exchangeable
// (drawn from one distribution, in any order), and the model was fitted without them. It says
// nothing about inputs from elsewhere: after a shift of the distribution coverage and risk
// are what they are. The statements are averages over inputs: of one kind of input, or of the
// inputs that are answered, more sets may miss the right class.
//
// Definitions are these. TorchCP 1.2.1 gives the same sets, element by element, and so does MAPIE 1.6.0
// for lac and for aps with include_last_label="randomized" (tests hold this package to both).
//
//	score of class k of x           s(x, k), larger is less plausible; the set is {k: s(x,k) ≤ q}
//	quantile                        q is the ⌈(n+1)(1-α)⌉-th smallest of the n held-out s(x,y)
//	lac   Sadinle et al. 2019       1 - p_k
//	aps   Romano et al. 2020        sum of the probabilities down to k's, less u p_k
//	raps  Angelopoulos et al. 2021  that plus λ max(0, rank of k - k_reg), ranks from 1
//
// u is uniform in [0,1) with Randomized, else 0. It makes sets smaller where the model is sure;
// coverage is the same. MAPIE differs elsewhere: it subtracts u p_k from the scores of held-out
// examples even where sets are not randomized (conformity_scores/sets/aps.py, get_conformity_scores), so
// that its thresholds are those of Randomized. At these its sets with include_last_label=False are those of
// u = 0, but the most probable class is always in; with True, its default, the next class is in as well. Its
// raps chooses λ and k_reg on a part of the held-out examples, and is equal for these. Equal probabilities
// it takes from the last class on, this package from the first.
package conformal

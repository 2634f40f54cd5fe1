// Package calibration measures the calibration of a classifier and corrects it by
// temperature scaling. It works on slices of logits or probabilities of any model and
// needs no backend.
//
// Packages differ silently in their definition of ECE. These are the definitions
// here, the packages that give the same number to 1e-9 (tests hold this package
// to their numbers, on continuous data and on ties), and those that do not:
//
//	metric                 definition                            equals                              differs from
//	accuracy               argmax, the first on ties             numpy, scikit-learn
//	ECE                    equal-width bins (lo,hi], edges i/n,  uncertainty-calibration 0.1.4       torchmetrics 1.9.0: [lo,hi), float32, confidence 1
//	                       0 in the first; Σ share × |mean       get_ece; netcal 1.4.0 unless a      in a separate bin (equal to about 1e-7 on
//	                       confidence - accuracy|                confidence is a bin's edge          continuous data)
//	MCE                    largest gap of these bins             netcal 1.4.0                        torchmetrics 1.9.0, as above
//	RMSCE                  √(Σ share × gap²) (plug-in)           uncertainty-calibration 0.1.4, p=2, torchmetrics 1.9.0, as above; debiased forms
//	                                                             debias=False
//	ECE_equal_mass         edges midway between the sorted       uncertainty-calibration 0.1.4       netcal 1.4.0 (np.quantile edges); splitting ties
//	                       confidences of np.array_split's       get_ece_em                          between bins; "ACE" of Nixon et al. (2019), over
//	                       parts, equal ones merged; (lo,hi]                                         all classes; netcal's ACE, an average over bins
//	classwise_ECE          mean over classes of the ECE of       uncertainty-calibration 0.1.4,      "static calibration error" with [lo,hi) on ties
//	                       (p_k, label = k), bins (lo,hi]        mode="marginal", p=1
//	ECE_midpoint           20 bins (lo,hi], Σ share × |accuracy  the plain formula                   every ECE above: a perfect model of confidence 1
//	                       - the bin's midpoint|                                                     scores .025
//	ECE_midpoint_official  the same in [lo,hi) with edges        the NG-EBM authors'                 ECE_midpoint, on ties
//	                       + 1e-10, float32 confidences and      eval_wrn_ebm.py
//	                       1e-5 examples more in each bin
//	NLL                    mean -log p(label), nats; from        torch cross_entropy, scipy          log_loss of the same logits' probabilities where
//	                       logits without clipping               log_softmax                         one is below 2.2e-16
//	                       from probabilities: clipped at        scikit-learn 1.9.1 log_loss
//	                       2.2e-16
//	Brier_sum              mean of Σ_k (p_k - [label = k])²,     scikit-learn 1.9.1                  scale_by_half=True (half of it); means over classes
//	                       0 … 2                                 brier_score_loss,
//	                                                             scale_by_half=False
//	AURC                   mean over k of the risk among the k   1 - uncertainty-calibration 0.1.4   trapezoids; ties in order of appearance
//	                       most confident; ties in mean order    get_selective_stats, without ties
//	ECE_debiased           2 ECE - E[ECE], the bins' accuracies    the limit of uncertainty-calibration  its 1000 draws; an error there where a bin has
//	                       drawn again from a normal             0.1.4 normal_debiased_ce on the bins  one example or none; below 0
//	                       distribution; at least 0              with examples; scipy foldnorm
//	RMSCE_debiased         RMSCE, a(1-a)/(n-1) off each squared  uncertainty-calibration 0.1.4, p=2,   its default, bins of equal mass
//	                       gap (Kumar et al. 2019)               debias=True
//	smooth_ECE             Gaussian kernel, reflected, as wide   relplot 1.0.3 smECE                   its logit kernel
//	                       as the result (Błasiok and Nakkiran
//	                       2023)
//	AUGRC                  area under the share that is answered fd-shifts (56276af) augrc / 1000      AURC, which weighs the most confident more
//	                       and wrong, by coverage (Traub et al.
//	                       2024)
//	T_opt                  argmin over T of the NLL of           scipy minimize_scalar, torch LBFGS  gpleiss/temperature_scaling (50 steps of LBFGS do not
//	                       softmax(logits/T), to convergence     with line search, to 1e-6           converge); netcal, whose weight is 1/T
//
// The ECE of a calibrated model is above 0, because accuracies of few examples scatter.
// Report.Perfect says what a perfectly calibrated model with the same confidences would show: mean
// and 95 %. Intervals
// are basic bootstrap intervals (package bootstrap) and begin at 0 where the ECE is one of
// those 95 %. They cover a true ECE of 0, .03 and .11 in .99, .90 and .89 of 100 samples of
// 600 examples; percentiles, which were used before, in 0, .34 and .92 (TestCoverage).
//
// The Brier score's parts are Murphy's (1973), summed over classes, on the bins
// of classwise_ECE: Brier_sum = reliability - resolution + uncertainty +
// within_bins, where the last is 0 if all forecasts in a bin are equal.
//
// A confidence exactly on a bin's edge is in the bin of numpy's softmax where numpy
// rounds exp correctly. With AVX-512 it does not always, and numpy's own results then
// differ between machines.
package calibration

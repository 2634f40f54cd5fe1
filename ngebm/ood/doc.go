// Package ood measures how well a score separates in-distribution from
// out-of-distribution examples, and computes the scores that need logits only.
//
// A larger score always means more in-distribution. Packages differ in this, and in which
// class is positive. The table has the definitions here, the packages that give the same
// number to 1e-9 (tested, ties included), and those that do not:
//
//	metric              definition                            equals                              differs from
//	AUROC               P(in > out) + P(in = out)/2           scikit-learn 1.9.1 roc_auc_score,
//	                    (Mann-Whitney)                        pytorch-ood 0.4.0
//	AUPR_in_AP          Σ (Rᵢ - Rᵢ₋₁) Pᵢ over thresholds      scikit-learn 1.9.1                  trapezoids between the points (pytorch-ood 0.4.0's
//	                    from the highest score down, in       average_precision_score             AUPR-IN), which are too high on ties
//	                    positive; ties are one threshold
//	AUPR_out_AP         the same from the lowest score up,    scikit-learn 1.9.1                  pytorch-ood 0.4.0's AUPR-OUT (trapezoids)
//	                    out positive                          average_precision_score of -score
//	FPR95_in_positive   share of out accepted at the highest  scikit-learn 1.9.1 roc_curve;       interpolated curves; pytorch-ood 0.4.0's FPR95TPR,
//	                    threshold that accepts ≥ 95 % of in   Liang et al. (ODIN), OpenOOD        which is the next row
//	FPR95_out_positive  share of in rejected at the lowest    pytorch-ood 0.4.0 FPR95TPR;         OpenOOD's, which is the row before
//	                    threshold that rejects ≥ 95 % of out  Hendrycks and Gimpel
//
// [Scores] lists the scores that need logits or probabilities only. Three names are those
// of the NG-EBM paper (Piland et al., arXiv 2304.01297):
//
//	px      E(x) = logsumexp f(x), the energy score (Liu et al. 2020)
//	py      max softmax f(x), the maximum softmax probability, MSP (Hendrycks and Gimpel 2017)
//	pxgrad  -‖∂E/∂x‖₂, minus the gradient norm, "approximate mass" (see measure.Scores)
//
// max_logit, entropy and GEN are the others. Signs are reversed where papers have larger
// values for outliers (free energy, entropy, GEN).
//
// Intervals are bootstrap percentiles. In and out are resampled separately, so that their
// sizes do not change.
package ood

// Package ood measures how well a score separates in-distribution examples from
// others, and computes the scores that need logits alone.
//
// A larger score means more in-distribution, everywhere. Packages differ in
// that, and in what they call positive; these are the definitions here, the
// packages that give the same number to 1e-9 (tests hold this package to their
// figures, ties included), and those that do not:
//
//	figure              definition                            equals                              differs from
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
// The scores that need logits or probabilities alone are listed by Scores: px
// (energy), py (max softmax), max_logit, entropy and GEN. Their signs are turned
// where their papers have larger values for outliers (free energy, entropy, GEN).
//
// Intervals are bootstrap percentiles; in and out are resampled separately, so that
// their sizes stay.
package ood

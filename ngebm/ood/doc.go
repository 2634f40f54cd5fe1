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
//	FPR95_in_positive   share of out accepted at the highest  scikit-learn 1.9.1 roc_curve with   interpolated curves; pytorch-ood 0.4.0's FPR95TPR and
//	                    threshold that accepts ≥ 95 % of in   drop_intermediate=False; Liang et     OpenOOD's, which are the next row
//	                                                          al. (ODIN)
//	FPR95_out_positive  share of in rejected at the lowest    pytorch-ood 0.4.0 FPR95TPR;
//	                    threshold that rejects ≥ 95 % of out  Hendrycks et al. 2019 (OE)
//
// OpenOOD takes OOD as positive since August 2023. Its FPR@95 is FPR95_out_positive; it calls
// roc_curve with its default, drop_intermediate=True, which leaves out points on a straight line,
// so that its figure may be a little higher. Its AUPR_IN and AUPR_OUT are trapezoids between the
// points, as pytorch-ood's are.
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
// [Detectors] lists all ways to score by name, these and those that are fitted on features of
// training examples, the input of a network's last linear layer:
//
//	detector  score                                          parameter   paper
//	kNN       -distance to the k-th nearest feature          k           Sun et al. 2022
//	MDS       -least squared Mahalanobis distance to a class             Lee et al. 2018
//	RMDS      the same relative to one Gaussian for all                  Ren et al. 2021
//	ViM       energy - α‖residual of the feature‖            dimension   Wang et al. 2022
//	fDBD      distance to decision boundaries, regularized               Liu & Qin 2024
//	ReAct     energy of clipped features                     percentile  Sun et al. 2021
//
// ODIN has a temperature and a step, which package measure chooses from [ODINCandidates]; GEN
// has γ.
//
//	d, err := ood.FindDetector("ViM")
//	d, err = d.Tune(ctx, training, in, out)   its parameter, on a validation split; may be left out
//	fitted, err := d.Fit(ctx, training)
//	scores, err := fitted.Score(ctx, outputs)
//
// They equal pytorch-ood 0.4.0's to 1e-6, but for its signs (larger is more out of distribution
// there) and constant factors, which the comments of [MDS] and [RMDS] state. Its GEN is a mean
// where the paper has a sum, and clamps probabilities at 1e-7, as its entropy does.
//
// # On CIFAR-10 (JPEG)
//
// AUROC of one run of cross-entropy (a WRN-10-2 trained on 15,000 images, 66 % accuracy, the
// first run of the plan cifar10-cpu), 2,000 test images against each OOD set. Near OOD are images
// made from test images, interpolated with another or rotated; far OOD are blobs, uniform noise
// and digits. ODIN, GEN and the detectors keep their papers' parameters, or the defaults of
// pytorch-ood. With one seed and such sets it orders no detectors for others; it shows how far
// they differ. kNN and MDS miss near OOD, and scores of the logits, ReAct's among them, far OOD.
// Notebook 04_out_of_distribution has ten seeds of digits.
//
//	           interpolated  rotated  near   blobs  noise  digits  far
//	px         .770          .660     .715   .312   .647   .139    .366
//	py         .709          .680     .695   .519   .436   .432    .462
//	max_logit  .773          .670     .722   .334   .619   .147    .367
//	entropy    .738          .698     .718   .515   .444   .408    .456
//	GEN        .745          .709     .727   .509   .548   .308    .455
//	pxgrad     .458          .288     .373   .365   .483   .090    .313
//	ODIN       .728          .714     .721   .510   .544   .330    .462
//	kNN        .510          .564     .537   .989   .809   .507    .768
//	MDS        .184          .522     .353   .987   .986   .961    .978
//	RMDS       .669          .621     .645   .916   .831   .740    .829
//	ViM        .617          .671     .644   .805   .969   .309    .694
//	fDBD       .590          .708     .649   .804   .941   .801    .849
//	ReAct      .754          .639     .696   .204   .636   .099    .313
//
// This repeats it, in a quarter of an hour on two cores:
//
//	go run ./ngebm/cmd/ngebm experiment -preset cifar10-cpu -data tar:cifar10-jpeg.tar.gz -seeds 1 -methods cross-entropy \
//		-detectors all -linf "" -l2 "" -ensemble-linf "" -autoattack=false -ensembles=false
//
// # Intervals
//
// Intervals are basic bootstrap ones, see package bootstrap. In and out are resampled
// separately, so that their
// sizes do not change.
package ood

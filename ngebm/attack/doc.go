// Package attack measures how a classifier's accuracy falls under adversarial
// perturbations: changes of an input, bounded by ε in a norm, that are chosen to
// make the prediction wrong.
//
// # Attacks
//
//   - [FGSM]: one step along the gradient's sign (L∞; Goodfellow et al. 2015) or
//     along the normalized gradient (L2, "fast gradient method").
//   - [PGD]: many projected steps (Madry et al. 2018), with random starts,
//     restarts, and the expectation over input noise (Athalye et al. 2018).
//   - [APGD] on cross-entropy and [TargetedAPGD] on the targeted DLR loss, which
//     choose their step sizes themselves (Croce and Hein 2020).
//   - [TargetedFAB]: the nearest misclassified example (Croce and Hein 2020).
//   - [Square]: random search without gradients (Andriushchenko et al. 2020).
//   - [Standard]: AutoAttack's standard version of the four, with its checks (Croce and Hein
//     2020). Nothing smaller is called AutoAttack.
//   - [Transfer]: examples that were made on another model.
//   - [Ensemble]: each in turn on what the ones before left, so that an image
//     counts as robust only if it survives all; the worst case of each image.
//
// # Units
//
// ε is a fraction of the pixel range, as in the literature: 8/255 for images
// whose pixels go from 0 to 1. Networks of this module see pixels in [-1,1], and
// the factor 2 is handled here. Points and rows have no range: there ε is in
// the network's input units, for rows of a table deviations of a column (and a category's
// inputs, 0 or 1, move too: within an Lp ball there are rows that no table holds). Adversarial examples are returned as the network sees
// them.
//
// # What is guaranteed
//
// Every adversarial example is within ε of its image and in the pixel range to the last
// bit, in float64 and in float32, and its prediction is evaluated after the last rounding.
// A misclassified image counts as broken at every ε. An image broken at one ε is broken at
// every larger one and not attacked again, so that robust accuracy never rises along a
// curve.
//
// Random choices are drawn in Go from the seed, the image's index in the dataset
// and the pass (restart): batch size and the list of ε do not change them.
//
// # How it runs
//
// One step of an attack is compiled once for each size of a batch, with ε and step size among its inputs,
// and iterated from Go; iterates stay on the device. GoMLX can also loop inside
// a graph, but the body of its While sees nothing of the graph around it, such as
// a model's weights, and its gradients fail on the pure-Go backend. The loop in
// Go costs .1 ms a step and gives the same bits: 40 steps on 200 digits with a
// 64-128-64-10 MLP took 12 ms in place of 7, and on 128 CIFAR-sized images with
// an MLP of two layers of 1024 both took .6 to .7 s (XLA on two CPU cores).
package attack

// Package lp is the geometry of adversarial perturbations: norms, units, the threat model
// (which points count as a perturbed example), random starts, steps of steepest ascent and
// projections. Attacks and adversarial training use it.
//
// An example x has values in the network's units: [-1,1] for images, unbounded for points
// in the plane. ε is a fraction of the pixel range (8/255) for images, see [Scale]. A
// [ThreatModel] with ε holds the points y with ‖y-x‖ ≤ ε that are in the range.
//
// The norms and the formulas are the same for both callers. The arithmetic differs, and has
// to:
//
//	            attacks                              adversarial training
//	radius      float32, rounded down                float64, a constant of the graph
//	start       Start, StartOnSurface                TrainingStart
//	            ends within ε to the last bit        ends within ε up to float32 rounding
//	            L2: distance drawn first             L2: direction drawn first
//	step        Direction, Project                   TrainingStep
//	            L2: g/max|g| first, so that          L2: g/max(‖g‖, 1e-12)
//	            tiny gradients keep a direction
//	            NaN stays NaN, and is reported       up to the loss of the training step
//	afterwards  Settle, Contains                     (nothing is claimed about ε)
//
// An attack's result is a claim about ε and must be exact. A training run needs no such
// claim, but its weights are a function of every bit of its examples: with the attacks'
// arithmetic, runs that are stored would neither resume nor be reproduced. Merge the two
// where a new algorithm version is made anyway.
package lp

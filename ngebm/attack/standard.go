package attack

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
)

// Standard returns AutoAttack's standard version (Croce and Hein 2020, "Reliable evaluation of
// adversarial robustness with an ensemble of diverse parameter-free attacks"), with the
// parameters of the authors' package fra31/auto-attack: in turn, each on the images that the
// ones before left,
//
//   - APGD-CE, 100 steps;
//   - APGD-T on the targeted DLR loss, 100 steps for each of 9 targets;
//   - FAB-T, 100 steps for each of 9 targets;
//   - Square, 5,000 queries.
//
// Nothing smaller is called AutoAttack here; see [Ensemble] for other cascades. It needs
// [MinClasses] classes; with fewer than ten it takes all targets, which are fewer than 9, and warns.
//
// It makes AutoAttack's checks too, and its curve's Warnings say what they found: a network
// that is random at test time ([ForwardDiffers]), outputs that are probabilities
// ([Probabilities]), gradients of zero where APGD-T starts ([ZeroGradients]), fewer targets
// ([FewClasses]), and a search without gradients that breaks more than .002 of the images
// after the attacks by gradients ([BlackBoxWins]). AutoAttack's check for optimization at test
// time is not among them: graphs do not say it. The figure of a network whose inputs are
// refined (see package jem) is an upper bound only.
//
// Square's windows reach the last row and column, as the paper's do and the package's do not, so
// that slightly more images are broken; [Square] and [APGD] list what else differs from the package.
func Standard(norm Norm) Attack { return standard{norm} }

type standard struct{ of Norm }

// MinClasses is the least number of classes of [Standard], and of [TargetedAPGD], whose loss
// divides by the difference of the largest and the fourth logit.
const MinClasses = 4

const (
	maxSquareGain     = .002 // share of the images, as in AutoAttack
	maxRandomLogits   = 1e-4 // distance of normalized logits, as in AutoAttack
	randomEvaluations = 5
)

// parts are the attacks in order.
func (a standard) parts() Ensemble {
	return Ensemble{
		APGD{Norm: a.of, Steps: 100},
		TargetedAPGD{Norm: a.of, Steps: 100},
		TargetedFAB{Norm: a.of, Steps: 100},
		Square{Norm: a.of, Queries: 5000, Schedule: 10000},
	}
}

// String implements [Attack].
func (a standard) String() string {
	var names []string
	for _, part := range a.parts() {
		names = append(names, fmt.Sprint(part))
	}
	return fmt.Sprintf("AutoAttack standard %s (%s)", a.of, strings.Join(names, "; "))
}

func (a standard) kind() Kind { return KindStandard }

func (a standard) norm() Norm { return a.of }

func (a standard) check(classes int) error {
	if classes < MinClasses {
		return fmt.Errorf("attack: AutoAttack's standard version needs at least %d classes, the model has %d: use attack.Ensemble of attack.APGD, attack.TargetedFAB and attack.Square", MinClasses, classes)
	}
	return a.parts().check(classes)
}

func (a standard) passes() []pass {
	passes := []pass{{run: func(s *search, _ []int) error { return s.checkModel() }}}
	for _, part := range a.parts() {
		own := part.passes()
		if targeted, ok := part.(TargetedAPGD); ok {
			own = targeted.passesOf(autoPGD{countZero: true})
		}
		_, square := part.(Square)
		for _, p := range own {
			if square {
				p = p.checkingSquare()
			}
			passes = append(passes, p)
		}
	}
	return append(passes, pass{always: true, run: func(s *search, _ []int) error {
		if s.ZeroGradients > 0 {
			s.warn(ZeroGradients, "the gradient is exactly zero at %d starts of APGD-T at ε = %.4g, from which attacks by gradients cannot move", s.ZeroGradients, s.epsilon)
		}
		return nil
	}})
}

// checkingSquare warns if the pass, of Square, finds what attacks by gradients did not.
func (p pass) checkingSquare() pass {
	run := p.run
	p.run = func(s *search, images []int) error {
		if err := run(s, images); err != nil {
			return err
		}
		s.checkSquare(s.Found)
		return nil
	}
	return p
}

// warn adds a warning, once.
func (s *search) warn(name, format string, args ...any) {
	if w := (Warning{name, fmt.Sprintf(format, args...)}); !slices.Contains(s.Warnings, w) {
		s.Warnings = append(s.Warnings, w)
	}
}

// checkModel makes AutoAttack's checks of the network, on the first batch.
func (s *search) checkModel() error {
	classes := len(s.logits[0])
	if classes < 10 {
		s.warn(FewClasses, "the model has %d classes, so that there are %d targets, not 9", classes, classes-1)
	}
	if !slices.ContainsFunc(s.logits, func(f []float32) bool { return !isDistribution(f) }) {
		s.warn(Probabilities, "the model's outputs are probabilities, on which attacks by gradients are weak: attack the logits before the softmax")
	}
	b := s.newBatch(upTo(min(s.batch, s.d.Len())))
	defer free(b.x0, b.low, b.high, b.label, b.radius)
	evaluations := [][][]float32{s.logits[:len(b.images)]}
	correct := s.correct(evaluations[0])
	largest, differ := 0., false
	for range randomEvaluations - 1 {
		rows, err := s.forward(b.x, len(b.images))
		if err != nil {
			return err
		}
		for _, other := range evaluations {
			for k := range rows {
				largest = max(largest, angle(rows[k], other[k]))
			}
		}
		differ = differ || s.correct(rows) != correct
		evaluations = append(evaluations, rows)
	}
	if differ || largest > maxRandomLogits {
		s.warn(ForwardDiffers, "the network is random at test time (normalized logits differ by up to %.3g): use attack.APGD with Samples of 20, and evaluate it repeatedly", largest)
	}
	return nil
}

// upTo is 0, 1, …, n−1.
func upTo(n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return indices
}

// correct counts the first images that are classified correctly by these logits.
func (s *search) correct(rows [][]float32) int {
	n := 0
	for i, f := range rows {
		if argMax(f) == int(s.d.Labels[i]) {
			n++
		}
	}
	return n
}

// isDistribution reports whether logits look like probabilities, as AutoAttack asks.
func isDistribution(f []float32) bool {
	const rounding = 1e-5
	sum := 0.
	for _, v := range f {
		if !(float64(v) > -rounding && float64(v) < 1+rounding) {
			return false
		}
		sum += float64(v)
	}
	return math.Abs(sum-1) < rounding
}

// angle is the Euclidean distance of two vectors, each divided by its length.
func angle(f, g []float32) float64 {
	length := func(v []float32) float64 {
		square := 0.
		for _, x := range v {
			square += float64(x) * float64(x)
		}
		return math.Sqrt(square) + 1e-10
	}
	square, m, n := 0., length(f), length(g)
	for k := range f {
		d := float64(f[k])/m - float64(g[k])/n
		square += d * d
	}
	return math.Sqrt(square)
}

// checkSquare warns if a search without gradients found more than attacks by gradients.
func (s *search) checkSquare(broken int) {
	if float64(broken) > maxSquareGain*float64(s.d.Len()) {
		s.warn(BlackBoxWins, "at ε = %.4g Square breaks %d of %d images that the attacks by gradients left: gradients mislead; try more queries, or an attack made for this model", s.epsilon, broken, s.d.Len())
	}
}

// countZero counts the images of a batch whose gradient is exactly zero.
func (s *search) countZero(b *batch, gradient *tensors.Tensor) (int, error) {
	g, err := tensors.CopyFlatData[float32](gradient)
	if err != nil {
		return 0, err
	}
	n := 0
	for k := range b.images {
		if !slices.ContainsFunc(s.at(g, k), func(v float32) bool { return v != 0 }) {
			n++
		}
	}
	return n, nil
}

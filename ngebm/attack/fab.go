package attack

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/lp"
)

// TargetedFAB is the targeted Fast Adaptive Boundary attack (Croce and Hein 2020, "Minimally
// distorted adversarial examples with a fast adaptive boundary attack", with the targets of
// AutoAttack's FAB-T): once for each of the Targets classes t with the largest logits of the
// unperturbed image after the label, it looks for the nearest example that is misclassified.
// Each step linearizes f_t − f_y, projects the iterate and the image onto the plane where it
// is zero, within the range, and goes beyond the plane by 5 %; from a misclassified iterate it
// goes back a tenth of the way to the image. It starts from the image and draws nothing.
//
// ε changes no iterate: an image is broken if a misclassified iterate is within ε.
type TargetedFAB struct {
	Norm    Norm `json:"norm"`
	Steps   int  `json:"steps"`   // 100 in AutoAttack, for each target
	Targets int  `json:"targets"` // 9 in AutoAttack; 0 means all, or 9 where there are more
}

// FAB's constants, as in AutoAttack.
const (
	fabAlphaMax = .1   // largest weight of the image's projection
	fabEta      = 1.05 // overshoot beyond the plane
	fabBeta     = .9   // a misclassified iterate keeps this part of its perturbation
)

// String implements [Attack].
func (a TargetedFAB) String() string {
	return fmt.Sprintf("FAB-T %s, %d steps, at most %d targets", a.Norm, a.Steps, targetsOr9(a.Targets))
}

func (a TargetedFAB) kind() Kind { return KindFAB }

func (a TargetedFAB) norm() Norm { return a.Norm }

func (a TargetedFAB) check(classes int) error {
	switch {
	case a.Steps < 1:
		return fmt.Errorf("attack: FAB with %d steps is not possible: set Steps to 1 or more (100 is usual)", a.Steps)
	case classes < 2:
		return fmt.Errorf("attack: FAB needs at least 2 classes, the model has %d", classes)
	case a.Targets < 0 || a.Targets > classes-1:
		return fmt.Errorf("attack: %d target classes are not possible with %d classes: set Targets to at most %d, or 0", a.Targets, classes, classes-1)
	}
	return nil
}

func (a TargetedFAB) passes() []pass {
	var passes []pass
	for rank := range targetsOr9(a.Targets) {
		passes = append(passes, pass{cost: 4 * float64(a.Steps), run: func(s *search, images []int) error {
			if rank+1 >= len(s.logits[0]) {
				return nil // fewer classes than targets
			}
			return s.batches(images, func(b *batch, report func(float64) error) error { return a.approach(s, b, rank+1, report) })
		}})
	}
	return passes
}

// approach runs the attack for the targets of a rank on one batch.
func (a TargetedFAB) approach(s *search, b *batch, rank int, report func(part float64) error) error {
	targets := tensors.FromFlatDataAndDimensions(s.targets(b, rank), s.batch)
	unknown := tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{float32(math.Inf(1))}, s.batch), s.batch)
	low, high := tensors.FromScalar(s.threat.Lo), tensors.FromScalar(s.threat.Hi)
	defer free(targets, low, high)
	// The iterate; the nearest misclassified one, and its distance.
	state := []*tensors.Tensor{b.x0, b.x0, unknown}
	owned := []*tensors.Tensor{unknown}
	defer func() { free(owned...) }()
	for i := range a.Steps {
		out, err := s.call("FAB "+string(a.Norm), a.step, slices.Concat(state, []*tensors.Tensor{b.x0, low, high, b.label, targets})...)
		if err != nil {
			return err
		}
		free(owned...)
		state, owned = out, out
		distances, err := tensors.CopyFlatData[float32](state[2])
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(distances[:len(b.images)], func(d float32) bool { return !s.reaches(d) }) {
			break
		}
		if err := report(float64(i+1) / float64(a.Steps)); err != nil {
			return err
		}
	}
	return a.record(s, b, state)
}

// reaches reports whether a distance is at most ε, up to the rounding of float32.
func (s *search) reaches(distance float32) bool {
	return float64(distance) <= float64(s.threat.Radius)*(1+1e-6)
}

// record evaluates the nearest misclassified iterates that are within ε, or the example itself.
func (a TargetedFAB) record(s *search, b *batch, state []*tensors.Tensor) error {
	distances, err := tensors.CopyFlatData[float32](state[2])
	if err != nil {
		return err
	}
	nearest, err := tensors.CopyFlatData[float32](state[1])
	if err != nil {
		return err
	}
	for k := range b.images {
		if !s.reaches(distances[k]) {
			copy(s.at(nearest, k), s.at(b.x, k))
		}
	}
	return s.evaluateBest(b, nearest, state[0])
}

// step builds one iteration; see approach for its inputs and outputs.
func (a TargetedFAB) step(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
	x, nearest, distance, x0, lower, upper, labels, targets := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
	f := logits(x)
	difference := graph.Sub(energy.ClassLogit(f, targets), energy.ClassLogit(f, labels)) // [batch]
	gradient := graph.Gradient(graph.ReduceAllSum(difference), x)[0]

	// Onto the plane difference + gradient·(z−x) = 0, from x and from x0.
	flat := func(v *graph.Node) *graph.Node { return graph.Reshape(v, v.Shape().Dimensions[0], -1) }
	w, c := flat(gradient), graph.InsertAxes(difference, -1)
	c0 := graph.Add(c, graph.ReduceAndKeep(graph.Mul(w, graph.Sub(flat(x0), flat(x))), graph.ReduceSum, -1))
	both := func(v, v0 *graph.Node) *graph.Node { return graph.Concatenate([]*graph.Node{v, v0}, 0) }
	halves := graph.Split(a.Norm.ToHyperplane(both(flat(x), flat(x0)), both(w, w), both(c, c0), lower, upper), 0, 2)
	d, d0 := halves[0], halves[1]
	length, length0 := graph.MaxScalar(a.lengths(d), 1e-8), graph.MaxScalar(a.lengths(d0), 1e-8)
	alpha := graph.MinScalar(graph.Div(length, graph.Add(length, length0)), fabAlphaMax)
	next := graph.Add(
		graph.Mul(graph.OneMinus(alpha), graph.Add(flat(x), graph.MulScalar(d, fabEta))),
		graph.Mul(alpha, graph.Add(flat(x0), graph.MulScalar(d0, fabEta))))
	next = graph.Reshape(graph.Where(graph.Equal(next, next), graph.Clip(next, lower, upper), next), x.Shape().Dimensions...)

	wrong := graph.NotEqual(graph.ArgMax(logits(next), -1, labels.DType()), labels)
	reached := graph.Squeeze(a.lengths(flat(graph.Sub(next, x0))), -1)
	better := graph.LogicalAnd(wrong, graph.LessThan(reached, distance))
	back := graph.Add(x0, graph.MulScalar(graph.Sub(next, x0), fabBeta))
	return []*graph.Node{
		graph.Where(like(wrong, x), back, next),
		graph.Where(like(better, x), next, nearest), graph.Where(better, reached, distance),
	}
}

// lengths returns the norm of each row, shaped [batch, 1].
func (a TargetedFAB) lengths(d *graph.Node) *graph.Node {
	if a.Norm == Linf {
		return lp.PerExample(graph.Abs(d), graph.ReduceMax)
	}
	return graph.Sqrt(lp.PerExample(graph.Square(d), graph.ReduceSum))
}

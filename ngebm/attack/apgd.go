package attack

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
)

// APGD is Auto-PGD on the cross-entropy (Croce and Hein 2020, algorithm 1, with
// the details of the authors' AutoAttack package): momentum .75, steps of 2ε that
// are halved for each image when its loss stops rising, which then continues from its
// best point. It starts from a random point at distance ε. The last
// iterate that was misclassified is the adversarial example. The package compares the first
// step's loss with 0; here it is compared with the loss of the start.
type APGD struct {
	Norm     Norm `json:"norm"`
	Steps    int  `json:"steps"`    // 100 in AutoAttack
	Restarts int  `json:"restarts"` // number of starts in all; 0 means 1
	// Samples is the number of evaluations over which each loss and gradient are averaged, for
	// networks that are random at test time (expectation over transformation, Athalye et al.
	// 2018; AutoAttack's eot_iter). An iterate counts as misclassified if most evaluations
	// are. 0 means 1. The copies are one batch, so memory grows with them.
	Samples int `json:"samples,omitempty"`
}

// String implements [Attack].
func (a APGD) String() string {
	name := fmt.Sprintf("APGD-CE %s, %d steps", a.Norm, a.Steps)
	if a.Restarts > 1 {
		name += fmt.Sprintf(", %d restarts", a.Restarts)
	}
	return name + overSamples(a.Samples)
}

func overSamples(samples int) string {
	if samples < 2 {
		return ""
	}
	return fmt.Sprintf(", gradient over %d samples", samples)
}

// targetsOr9 is the number of target classes that Targets asks for, where the model has enough.
func targetsOr9(targets int) int {
	if targets == 0 {
		return 9
	}
	return targets
}

func (a APGD) kind() Kind { return KindAPGD }

func (a APGD) norm() Norm { return a.Norm }

func (a APGD) check(int) error {
	if err := checkSteps(a.Steps, a.Samples); err != nil {
		return err
	}
	if a.Restarts < 0 {
		return fmt.Errorf("attack: APGD with %d restarts is not possible: set Restarts to 1 or more, or 0 for 1", a.Restarts)
	}
	return nil
}

func checkSteps(steps, samples int) error {
	if samples < 0 {
		return fmt.Errorf("attack: APGD with gradients over %d samples is not possible: set Samples to 1 or more, or 0 for 1", samples)
	}
	if steps < 1 {
		return fmt.Errorf("attack: APGD with %d steps is not possible: set Steps to 1 or more (100 is usual)", steps)
	}
	return nil
}

func (a APGD) passes() []pass {
	var passes []pass
	for start := range max(1, a.Restarts) {
		passes = append(passes, autoPGD{norm: a.Norm, steps: a.Steps, samples: a.Samples, pass: start}.asPass())
	}
	return passes
}

// TargetedAPGD is APGD on the targeted loss "difference of logits ratio",
//
//	DLR(x, y, t) = −(f_y − f_t) / (f_(1) − (f_(3) + f_(4))/2)
//
// with f_(k) the k-th largest logit (Croce and Hein 2020, section 4), once for
// each of the Targets classes t with the largest logits of the unperturbed image after
// the label. The loss does not change with the scale of the logits, so it
// does not vanish on overconfident classifiers. It needs four classes.
type TargetedAPGD struct {
	Norm    Norm `json:"norm"`
	Steps   int  `json:"steps"`             // 100 in AutoAttack, for each target
	Targets int  `json:"targets"`           // 9 in AutoAttack; 0 means all, or 9 where there are more
	Samples int  `json:"samples,omitempty"` // as of [APGD]
}

// String implements [Attack].
func (a TargetedAPGD) String() string {
	return fmt.Sprintf("APGD-DLR targeted %s, %d steps, at most %d targets%s", a.Norm, a.Steps, targetsOr9(a.Targets), overSamples(a.Samples))
}

func (a TargetedAPGD) kind() Kind { return KindTargeted }

func (a TargetedAPGD) norm() Norm { return a.Norm }

func (a TargetedAPGD) check(classes int) error {
	if err := checkSteps(a.Steps, a.Samples); err != nil {
		return err
	}
	if classes < MinClasses {
		return fmt.Errorf("attack: the DLR loss needs at least %d classes, the model has %d: use attack.APGD", MinClasses, classes)
	}
	if a.Targets < 0 || a.Targets > classes-1 {
		return fmt.Errorf("attack: %d target classes are not possible with %d classes: set Targets to at most %d, or 0", a.Targets, classes, classes-1)
	}
	return nil
}

func (a TargetedAPGD) passes() []pass { return a.passesOf(autoPGD{}) }

// passesOf are the passes that do besides what one does already.
func (a TargetedAPGD) passesOf(one autoPGD) []pass {
	var passes []pass
	for rank := range targetsOr9(a.Targets) {
		one.norm, one.steps, one.samples, one.pass, one.rank = a.Norm, a.Steps, a.Samples, rank, rank+1
		passes = append(passes, one.asPass())
	}
	return passes
}

// autoPGD is one start of APGD.
type autoPGD struct {
	norm                 Norm
	steps, samples, pass int
	rank                 int  // of the target among the other classes by logit, from 1; 0 for cross-entropy
	countZero            bool // counts the images whose gradient is zero at the start
}

func (a autoPGD) asPass() pass {
	return pass{cost: 3 * float64(a.steps*max(1, a.samples)), run: a.run}
}

func (a autoPGD) run(s *search, images []int) error {
	if a.rank >= len(s.logits[0]) {
		return nil // fewer classes than targets
	}
	return s.batches(images, func(b *batch, report func(float64) error) error { return a.ascend(s, b, report) })
}

func (a autoPGD) ascend(s *search, b *batch, report func(part float64) error) error {
	target := tensors.FromFlatDataAndDimensions(s.targets(b, a.rank), s.batch)
	defer free(target)
	start := s.starts(b, func(_, image int, x, y []float32) {
		s.threat.StartOnSurface(stream(forStart, s.options.Seed, image, a.pass, a.rank), x, y)
	})
	zero := s.upload(make([]float32, len(b.x)))
	worst := tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{float32(math.Inf(-1))}, s.batch), s.batch)
	// The iterate, the one before, its gradient; the best iterate, its gradient
	// and loss; the latest one that is misclassified.
	state := []*tensors.Tensor{start, start, zero, start, zero, worst, b.x0}
	owned := []*tensors.Tensor{start, zero, worst}
	defer func() { free(owned...) }()

	name := "APGD " + string(a.norm)
	if a.rank > 0 {
		name += " targeted"
	}
	name += overSamples(a.samples)
	control := newControl(s.batch, a.steps, 2*s.threat.Radius)
	wrong, zeroGradients := make([]bool, s.batch), 0
	// Step -1 has length 0: it evaluates the start.
	for i := -1; i < a.steps; i++ {
		lengths, momentum := control.lengths, float32(.25)
		if i < 0 {
			lengths = make([]float32, s.batch)
		}
		if i <= 0 {
			momentum = 0
		}
		inputs := []*tensors.Tensor{
			tensors.FromFlatDataAndDimensions(lengths, s.batch), tensors.FromScalar(momentum),
			tensors.FromFlatDataAndDimensions(control.restart, s.batch),
		}
		out, err := s.call(name, a.step, slices.Concat(state, []*tensors.Tensor{b.x0, b.low, b.high, b.label, target, b.radius}, inputs)...)
		free(inputs...)
		if err != nil {
			return err
		}
		free(owned...)
		state, owned = out[:7], out
		loss, err := tensors.CopyFlatData[float32](out[7])
		if err != nil {
			return err
		}
		misclassified, err := tensors.CopyFlatData[bool](out[8])
		if err != nil {
			return err
		}
		all := true
		for k := range b.images {
			wrong[k] = wrong[k] || misclassified[k]
			all = all && wrong[k]
		}
		if all {
			break
		}
		if i < 0 {
			if a.countZero {
				if zeroGradients, err = s.countZero(b, out[2]); err != nil {
					return err
				}
			}
			control.begin(loss)
		} else {
			control.observe(loss)
		}
		if err := report(float64(i+1) / float64(a.steps)); err != nil {
			return err
		}
	}
	best, err := tensors.CopyFlatData[float32](state[6])
	if err != nil {
		return err
	}
	if err := s.evaluateBest(b, best, state[0]); err != nil {
		return err
	}
	s.ZeroGradients += zeroGradients // of images that are done: an interruption repeats the others
	return nil
}

// targets returns the class of each example of the batch at the rank, see target; 0 for rank 0.
func (s *search) targets(b *batch, rank int) []int32 {
	targets := make([]int32, s.batch)
	for k, i := range b.images {
		if rank > 0 {
			targets[k] = target(s.logits[i], b.labels[k], rank)
		}
	}
	return targets
}

// target returns the class that comes at the given rank, from 1, among the
// classes other than the label, by logit.
func target(logits []float32, label int32, rank int) int32 {
	var others []int32
	for k := range logits {
		if int32(k) != label {
			others = append(others, int32(k))
		}
	}
	slices.SortStableFunc(others, func(i, j int32) int {
		switch {
		case logits[i] > logits[j]:
			return -1
		case logits[i] < logits[j]:
			return 1
		}
		return 0
	})
	return others[rank-1]
}

// step builds one iteration; see ascend for its inputs and outputs.
func (a autoPGD) step(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
	x, before, g, best, bestGradient, bestLoss, adversarial := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	x0, lower, upper, labels, targets, radius := in[7], in[8], in[9], in[10], in[11], in[12]
	length, momentum, restart := in[13], in[14], in[15]
	project := func(z *graph.Node) *graph.Node { return a.norm.Project(z, x0, lower, upper, radius) }

	restart = like(restart, x)
	x, g = graph.Where(restart, best, x), graph.Where(restart, bestGradient, g)
	z := project(graph.Add(x, graph.Mul(a.norm.Direction(g), column(length, x))))
	move := graph.Add(graph.Mul(graph.OneMinus(momentum), graph.Sub(z, x)), graph.Mul(momentum, graph.Sub(x, before)))
	// Without momentum the move is z−x, and z is exact where x+(z−x) is not.
	next := graph.Where(graph.Equal(momentum, graph.ZerosLike(momentum)), z, project(graph.Add(x, move)))

	loss, wrong := a.loss(logits, next, labels, targets)
	gradient := graph.Gradient(graph.ReduceAllSum(loss), next)[0]
	better := graph.GreaterThan(loss, bestLoss)
	return []*graph.Node{
		next, x, gradient,
		graph.Where(like(better, x), next, best), graph.Where(like(better, x), gradient, bestGradient), graph.Where(better, loss, bestLoss),
		graph.Where(like(wrong, x), next, adversarial), loss, wrong,
	}
}

// loss returns each example's loss and whether it is misclassified, shaped [batch].
func (a autoPGD) loss(logits func(*graph.Node) *graph.Node, x, labels, targets *graph.Node) (loss, wrong *graph.Node) {
	samples := max(1, a.samples)
	repeat := func(v *graph.Node) *graph.Node {
		if samples == 1 {
			return v
		}
		return mergeSamples(graph.BroadcastToDims(graph.InsertAxes(v, 0), append([]int{samples}, v.Shape().Dimensions...)...))
	}
	f, y := logits(repeat(x)), repeat(labels)
	if a.rank > 0 {
		loss = targetedDLR(f, y, repeat(targets))
	} else {
		loss = crossEntropy(f, y)
	}
	wrong = graph.NotEqual(graph.ArgMax(f, -1, y.DType()), y)
	if samples == 1 {
		return loss, wrong
	}
	mean := func(v *graph.Node) *graph.Node { return graph.ReduceMean(graph.Reshape(v, samples, -1), 0) }
	return mean(loss), graph.GreaterThan(mean(graph.ConvertDType(wrong, loss.DType())), graph.Scalar(loss.Graph(), loss.DType(), .5))
}

// targetedDLR returns each example's loss, shaped [batch].
func targetedDLR(f, labels, targets *graph.Node) *graph.Node {
	classes := f.Shape().Dimensions[1]
	var sorted []*graph.Node // the four largest logits
	for rest := f; len(sorted) < 4; {
		hot := graph.OneHot(graph.ArgMax(rest, -1), classes, f.DType())
		sorted = append(sorted, graph.ReduceSum(graph.Mul(f, hot), -1))
		rest = graph.StopGradient(graph.Where(graph.GreaterThan(hot, graph.ZerosLike(hot)), graph.Infinity(f.Graph(), f.DType(), -1), rest))
	}
	scale := graph.Sub(sorted[0], graph.MulScalar(graph.Add(sorted[2], sorted[3]), .5))
	return graph.Neg(graph.Div(graph.Sub(energy.ClassLogit(f, labels), energy.ClassLogit(f, targets)), graph.AddScalar(scale, 1e-12)))
}

// column shapes [batch] as [batch, 1, …] of x's rank.
func column(v, x *graph.Node) *graph.Node {
	for v.Rank() < x.Rank() {
		v = graph.InsertAxes(v, -1)
	}
	return v
}

// like repeats a condition shaped [batch] over the values of x.
func like(condition, x *graph.Node) *graph.Node {
	return graph.BroadcastToDims(column(condition, x), x.Shape().Dimensions...)
}

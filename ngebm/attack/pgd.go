package attack

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/lp"
)

// PGD is projected gradient ascent on the cross-entropy (Madry et al. 2018),
//
//	x ← project(x + Step·ε·direction(∂CE/∂x))
//
// with the direction sign(g) for L∞ and g/‖g‖₂ for L2. The last iterate is the
// adversarial example, as in foolbox 3 and torchattacks 3.
type PGD struct {
	Norm  Norm    `json:"norm"`
	Steps int     `json:"steps"`
	Step  float64 `json:"step"` // as a fraction of ε; foolbox: 1/30 for L∞, .025 for L2; torchattacks: often .1
	// RandomStart draws the first iterate uniformly within ε.
	RandomStart bool `json:"random_start"`
	// Restarts is the number of random starts in all; 0 means 1.
	Restarts int `json:"restarts"`
	// Samples, if not 0, is the number of copies of x with noise N(0, Noise²) over
	// which each gradient is averaged (expectation over transformation, Athalye et
	// al. 2018), for classifiers with random noise as a defense. The prediction
	// is evaluated once, without this noise. Noise is in the units of ε.
	Samples int     `json:"samples"`
	Noise   float64 `json:"noise"`
}

// FGSM is the fast gradient sign method for [Linf] (Goodfellow et al. 2015) and
// the fast gradient method for [L2]: one step of length ε. It is PGD with one step.
func FGSM(norm Norm) PGD { return PGD{Norm: norm, Steps: 1, Step: 1} }

// String implements [Attack].
func (p PGD) String() string {
	var b strings.Builder
	switch {
	case p == FGSM(Linf):
		return "FGSM Linf"
	case p == FGSM(L2):
		return "FGM L2"
	}
	fmt.Fprintf(&b, "PGD %s, %d steps of %.4gε", p.Norm, p.Steps, p.Step)
	if p.RandomStart {
		b.WriteString(", random start")
	}
	if p.Restarts > 1 {
		fmt.Fprintf(&b, ", %d restarts", p.Restarts)
	}
	if p.Samples > 0 {
		fmt.Fprintf(&b, ", gradient over %d samples of noise %.4g", p.Samples, p.Noise)
	}
	return b.String()
}

func (p PGD) kind() Kind { return KindPGD }

func (p PGD) norm() Norm { return p.Norm }

func (p PGD) check(int) error {
	switch {
	case p.Steps < 1:
		return fmt.Errorf("attack: PGD has %d steps: set Steps to 1 or more (40 is usual)", p.Steps)
	case !(p.Step > 0 && p.Step <= 1e6):
		return fmt.Errorf("attack: PGD step size is %v·ε; it must be positive (0.1 is usual)", p.Step)
	case p.Restarts < 0:
		return fmt.Errorf("attack: PGD has %d restarts: set Restarts to 1 or more, or 0 for 1", p.Restarts)
	case p.Restarts > 1 && !p.RandomStart:
		return fmt.Errorf("attack: PGD has %d restarts without a random start, which are all the same: set RandomStart", p.Restarts)
	case p.Samples < 0:
		return fmt.Errorf("attack: PGD has %d samples of noise: set Samples to 1 or more, or 0 for none", p.Samples)
	case (p.Samples > 0) != (p.Noise > 0) || !(p.Noise >= 0 && p.Noise <= 1e6):
		return fmt.Errorf("attack: PGD has %d samples of noise %v: set Samples and Noise both above 0, or neither", p.Samples, p.Noise)
	}
	return nil
}

func (p PGD) passes() []pass {
	var passes []pass
	for start := range max(1, p.Restarts) {
		passes = append(passes, pass{cost: 3 * float64(p.Steps*max(1, p.Samples)), run: func(s *search, images []int) error {
			return s.batches(images, func(b *batch, report func(float64) error) error { return p.ascend(s, b, start, report) })
		}})
	}
	return passes
}

// ascend runs the attack from one start on one batch.
func (p PGD) ascend(s *search, b *batch, start int, report func(part float64) error) error {
	var draw func(slot, image int, x, y []float32)
	if p.RandomStart {
		draw = func(_, image int, x, y []float32) {
			s.threat.Start(stream(forStart, s.options.Seed, image, start, 0), x, y)
		}
	}
	x := s.starts(b, draw)
	defer func() { free(x) }()
	step := tensors.FromScalar(float32(p.Step * float64(s.threat.Radius)))
	defer free(step)
	name := "PGD " + string(p.Norm)
	if p.Samples > 0 {
		name += " over noise"
	}
	for i := range p.Steps {
		in := []*tensors.Tensor{x, b.x0, b.low, b.high, b.label, b.radius, step}
		if p.Samples > 0 {
			in = append(in, p.noise(s, b, start, i))
		}
		out, err := s.call(name, p.step, in...)
		free(in[7:]...)
		if err != nil {
			return err
		}
		free(x)
		x = out[0]
		if err := report(float64(i+1) / float64(p.Steps)); err != nil {
			return err
		}
	}
	return s.evaluate(b, x)
}

// noise draws Samples of noise for each example, shaped [samples, batch, …].
func (p PGD) noise(s *search, b *batch, start, step int) *tensors.Tensor {
	values := make([]float32, p.Samples*len(b.x))
	deviation := p.Noise * lp.Scale(s.d.IsImages())
	for k, i := range b.images {
		r := stream(forNoise, s.options.Seed, i, start, step)
		for sample := range p.Samples {
			one := s.at(values[sample*len(b.x):], k)
			for j := range one {
				one[j] = float32(deviation * r.NormFloat64())
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(values, append([]int{p.Samples, s.batch}, s.d.Shape...)...)
}

// step builds one iteration.
func (p PGD) step(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
	x, x0, lower, upper, labels, radius, step := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	points := x
	if p.Samples > 0 {
		noise := in[7]
		points = mergeSamples(graph.Add(graph.InsertAxes(x, 0), noise))
		labels = mergeSamples(graph.BroadcastToShape(graph.InsertAxes(labels, 0), shapes.Make(labels.DType(), noise.Shape().Dimensions[:2]...)))
	}
	loss := graph.ReduceAllSum(crossEntropy(logits(points), labels))
	g := p.Norm.Direction(graph.Gradient(loss, x)[0])
	return []*graph.Node{p.Norm.Project(graph.Add(x, graph.Mul(g, step)), x0, lower, upper, radius)}
}

// mergeSamples turns [samples, batch, …] into [samples·batch, …].
func mergeSamples(x *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	return graph.Reshape(x, append([]int{dims[0] * dims[1]}, dims[2:]...)...)
}

// crossEntropy returns each example's, shaped [batch]. The maximum only
// shifts the exponents, so that nothing overflows.
func crossEntropy(logits, labels *graph.Node) *graph.Node {
	largest := graph.StopGradient(graph.ReduceMax(logits, -1))
	logits = graph.Sub(logits, graph.InsertAxes(largest, -1))
	return graph.Sub(graph.Log(graph.ReduceSum(graph.Exp(logits), -1)), energy.ClassLogit(logits, labels))
}

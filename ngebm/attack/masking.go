package attack

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm/internal/lp"
)

// Names of the warnings of [MaskingReport] and of the curves of [Standard].
const (
	BlackBoxWins   = "black-box beats white-box"
	MoreStepsHelp  = "more steps help a lot"
	RestartsHelp   = "restarts help a lot"
	SurvivesHuge   = "accuracy does not fall to zero at a huge ε"
	ZeroGradients  = "zero gradients"
	ForwardDiffers = "forward pass differs from run to run"
	WeakPGD        = "APGD beats PGD"
	Probabilities  = "outputs are probabilities"
	FewClasses     = "fewer targets than 9"
)

// Shares of the images above which a sign is a warning.
const (
	maxGain         = .05 // by more steps or restarts, or surviving a huge ε
	maxBlackBoxGain = .02
	maxZero         = .01 // zero gradients
)

// Warning names a sign that robust accuracy is overestimated, because gradients are masked
// or the attack is too weak (Athalye et al. 2018; Carlini et al. 2019).
type Warning struct {
	Name string `json:"name"` // one of this package's constants
	Text string `json:"text"` // what was seen, and what to do
}

// MaskingReport is the result of [Attacker.CheckMasking]. Counts are of images that are still
// classified correctly after an attack, except ZeroGradients.
type MaskingReport struct {
	Norm     Norm    `json:"norm"`
	Epsilon  float64 `json:"epsilon"`
	Seed     uint64  `json:"seed"`
	Dataset  string  `json:"dataset"`
	Split    string  `json:"split"`
	Checksum string  `json:"checksum"`
	N        int     `json:"n"`     // images
	Clean    int     `json:"clean"` // without a perturbation

	WhiteBox  int `json:"white_box"`  // PGD, 40 steps of ε/10, from the image itself and from one random start
	MoreSteps int `json:"more_steps"` // of these, after 200 steps of ε/40 from a random start
	Restarts  int `json:"restarts"`   // of WhiteBox's, after 5 more random starts
	Best      int `json:"best"`       // of WhiteBox's, after APGD on the cross-entropy and then on targets, 100 steps each (FAB-T below four classes)
	BlackBox  int `json:"black_box"`  // Square, 1,000 queries
	// HugeEpsilon is the whole range of every pixel; of points it is 4·max(highest - lowest, highest, -lowest)
	// of all values. For L2 it is √(values of an example) times that.
	HugeEpsilon float64 `json:"huge_epsilon"`
	Huge        int     `json:"huge"` // PGD as above at HugeEpsilon
	// ZeroGradients counts the images at which every value of the cross-entropy's
	// gradient is exactly zero.
	ZeroGradients int `json:"zero_gradients"`
	// ForwardDifference is the largest difference of a logit between two
	// evaluations of the same images.
	ForwardDifference float64 `json:"forward_difference"`

	Warnings []Warning `json:"warnings"` // empty if nothing was found
}

// CheckMasking looks for signs that robust accuracy at ε would be overestimated, with
// separate attacks. A few hundred images are enough. It warns if more steps or restarts
// or APGD break over .05 of the images, over .05 survive a huge ε, a black-box attack breaks
// .02 more than the best white-box attack, or gradients are zero at over .01. No warning is
// necessary, not sufficient, for robustness.
func (a *Attacker) CheckMasking(ctx context.Context, d *data.Dataset, norm Norm, epsilon float64) (*MaskingReport, error) {
	if err := checkNorm(norm); err != nil {
		return nil, err
	}
	if _, err := checkEpsilons([]float64{epsilon}); err != nil {
		return nil, err
	}
	s, err := a.newSearch(ctx, d, "masking checks")
	if err != nil {
		return nil, err
	}
	m := &MaskingReport{
		Norm: norm, Epsilon: epsilon, Seed: a.options.Seed, Dataset: d.Name, Split: d.Split, Checksum: d.Checksum,
		N: d.Len(), Clean: len(s.surviving()), HugeEpsilon: hugeEpsilon(d, norm), Warnings: []Warning{},
	}
	if err := s.measureModel(m); err != nil {
		return nil, err
	}
	pgd := PGD{Norm: norm, Steps: 40, Step: .1}
	random := pgd
	random.RandomStart = true
	white := Ensemble{pgd, random}
	longer, again := random, random
	longer.Steps, longer.Step = 200, .025
	again.Restarts = 6 // the first is white's own
	clean := s.broken
	// each attacks the images that are not broken yet.
	each := func(broken []bool, attack Attack, epsilon float64, survive *int) ([]bool, error) {
		one := *s
		one.broken, one.started, one.adversarial, one.State = slices.Clone(broken), time.Now(), map[int][]float32{}, State{}
		one.task = fmt.Sprintf("check %s for masking with %s", d.Name, attack)
		_, err := one.run(attack, []float64{epsilon}, nil)
		*survive = len(one.surviving())
		return one.broken, err
	}
	broken, err := each(clean, white, epsilon, &m.WhiteBox)
	if err != nil {
		return nil, err
	}
	if _, err := each(broken, longer, epsilon, &m.MoreSteps); err != nil {
		return nil, err
	}
	if _, err := each(broken, again, epsilon, &m.Restarts); err != nil {
		return nil, err
	}
	if _, err := each(broken, strongest(norm, len(s.logits[0])), epsilon, &m.Best); err != nil {
		return nil, err
	}
	if _, err := each(clean, Square{Norm: norm, Queries: 1000}, epsilon, &m.BlackBox); err != nil {
		return nil, err
	}
	if _, err := each(clean, white, m.HugeEpsilon, &m.Huge); err != nil {
		return nil, err
	}
	m.warn()
	return m, nil
}

// strongest is what gradients can do. PGD follows the cross-entropy, which vanishes where a
// network is confident, and is weaker than a search without gradients on networks that hide
// nothing.
func strongest(norm Norm, classes int) Attack {
	if classes < MinClasses {
		return Ensemble{APGD{Norm: norm, Steps: 100}, TargetedFAB{Norm: norm, Steps: 100}}
	}
	return Ensemble{APGD{Norm: norm, Steps: 100}, TargetedAPGD{Norm: norm, Steps: 100}}
}

// hugeEpsilon is large enough to turn any example into any other, and, of points, into others of
// their size: those of one class may be close together.
func hugeEpsilon(d *data.Dataset, norm Norm) float64 {
	epsilon := 1.
	if !d.IsImages() {
		lowest, highest := math.Inf(1), math.Inf(-1)
		for _, v := range d.Points {
			lowest, highest = min(lowest, float64(v)), max(highest, float64(v))
		}
		epsilon = 4 * max(highest-lowest, highest, -lowest)
	}
	if norm == L2 {
		epsilon *= math.Sqrt(float64(d.Size()))
	}
	return epsilon
}

// measureModel counts zero gradients and compares a second forward pass.
func (s *search) measureModel(m *MaskingReport) error {
	var images []int
	for i := range s.d.Len() {
		images = append(images, i)
	}
	s.threat = newThreatModel(s.d, L2, 0)
	return s.batches(images, func(b *batch, report func(float64) error) error {
		rows, err := s.forward(b.x, len(b.images))
		if err != nil {
			return err
		}
		for k, i := range b.images {
			for c, f := range rows[k] {
				m.ForwardDifference = max(m.ForwardDifference, math.Abs(float64(f)-float64(s.logits[i][c])))
			}
		}
		out, err := s.call("gradient", func(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
			x, labels := in[0], in[1]
			g := graph.Gradient(graph.ReduceAllSum(crossEntropy(logits(x), labels)), x)[0]
			return []*graph.Node{lp.PerExample(graph.Abs(g), graph.ReduceMax)}
		}, b.x0, b.label)
		if err != nil {
			return err
		}
		defer free(out...)
		largest, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			return err
		}
		for k := range b.images {
			if largest[k] == 0 {
				m.ZeroGradients++
			}
		}
		return report(0)
	})
}

// warn fills in the warnings.
func (m *MaskingReport) warn() {
	add := func(name, format string, args ...any) {
		m.Warnings = append(m.Warnings, Warning{name, fmt.Sprintf(format, args...)})
	}
	n := float64(m.N)
	best := min(m.Best, m.MoreSteps, m.Restarts)
	if gain := best - m.BlackBox; float64(gain) > maxBlackBoxGain*n {
		add(BlackBoxWins, "%d of %d images survive PGD and APGD, but only %d survive Square, which sees no gradients: gradients mislead; report the worst case of both", best, m.N, m.BlackBox)
	}
	if gain := m.WhiteBox - m.Best; float64(gain) > maxGain*n {
		add(WeakPGD, "%d of %d images survive PGD, but only %d survive APGD: PGD is too weak here; report APGD or AutoAttack", m.WhiteBox, m.N, m.Best)
	}
	if gain := m.WhiteBox - m.MoreSteps; float64(gain) > maxGain*n {
		add(MoreStepsHelp, "%d of %d images survive PGD with 40 steps, but only %d survive 200 more: use more steps, or APGD", m.WhiteBox, m.N, m.MoreSteps)
	}
	if gain := m.WhiteBox - m.Restarts; float64(gain) > maxGain*n {
		add(RestartsHelp, "%d of %d images survive PGD, but only %d survive 5 more random starts: use more restarts", m.WhiteBox, m.N, m.Restarts)
	}
	if float64(m.Huge) > maxGain*n {
		add(SurvivesHuge, "%d of %d images survive PGD at ε = %.4g, where every image can become any other: the attack does not work on this classifier", m.Huge, m.N, m.HugeEpsilon)
	}
	if float64(m.ZeroGradients) > maxZero*n {
		add(ZeroGradients, "the gradient is exactly zero at %d of %d images, where attacks by gradients cannot move: use TargetedAPGD, whose loss does not saturate, and Square", m.ZeroGradients, m.N)
	}
	if m.ForwardDifference > 0 {
		add(ForwardDiffers, "the same images gave logits that differ by up to %.3g: attack a classifier that is random with PGD over samples of noise, and measure it repeatedly", m.ForwardDifference)
	}
}

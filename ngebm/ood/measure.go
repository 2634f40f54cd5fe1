package ood

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"ngebm/ngebm/bootstrap"
)

// Metrics measure how well a score separates in from out. The package comment defines
// them.
type Metrics struct {
	AUROC            float64 `json:"AUROC"`
	AUPRIn           float64 `json:"AUPR_in_AP"`
	AUPROut          float64 `json:"AUPR_out_AP"`
	FPR95InPositive  float64 `json:"FPR95_in_positive"`
	FPR95OutPositive float64 `json:"FPR95_out_positive"`
}

// Convention says how a metric is defined.
type Convention struct {
	Name       string // the JSON key
	Definition string

	of func(*Metrics) *float64
}

// Of returns the metric.
func (c Convention) Of(m Metrics) float64 { return *c.of(&m) }

// Conventions lists the metrics, in the order in which they are shown.
func Conventions() []Convention {
	return []Convention{
		{"AUROC", "P(in > out) + P(in = out)/2", func(m *Metrics) *float64 { return &m.AUROC }},
		{"AUPR_in_AP", "average precision (step-wise), in positive", func(m *Metrics) *float64 { return &m.AUPRIn }},
		{"AUPR_out_AP", "average precision (step-wise), out positive", func(m *Metrics) *float64 { return &m.AUPROut }},
		{"FPR95_in_positive", "share of out accepted where at least 95 % of in is", func(m *Metrics) *float64 { return &m.FPR95InPositive }},
		{"FPR95_out_positive", "share of in rejected where at least 95 % of out is", func(m *Metrics) *float64 { return &m.FPR95OutPositive }},
	}
}

// Report is what was measured of one score. It turns into JSON under the names
// of its metrics' Conventions, all at the top level.
type Report struct {
	In  int `json:"in"` // number of in-distribution scores
	Out int `json:"out"`
	Metrics
	// Intervals are by the metric's name. There is none where it has no width, as where no score of
	// one set is among the other's.
	Intervals map[string]bootstrap.Interval `json:"intervals,omitempty"`
	// IntervalKind is bootstrap.Kind; empty where there are no intervals, and in reports
	// of before 2026-12, whose intervals are percentiles.
	IntervalKind string `json:"interval_kind,omitempty"`
}

// Measure computes all metrics of a score from its values in and out of the
// distribution, in any order; larger means more in-distribution. The slices are
// not changed.
func Measure(in, out []float64, o bootstrap.Options) (*Report, error) {
	c, err := newCounts(in, out)
	if err != nil {
		return nil, err
	}
	r := &Report{In: len(in), Out: len(out), Metrics: c.metrics()}
	conventions := Conventions()
	estimates := make([]bootstrap.Estimate, len(conventions))
	for k, c := range conventions {
		estimates[k] = bootstrap.Estimate{Value: c.Of(r.Metrics), Scale: bootstrap.Share}
	}
	intervals, err := bootstrap.Intervals(o, estimates, func() func(*rand.Rand, []float64) {
		again := c.like()
		return func(rng *rand.Rand, metrics []float64) {
			again.resample(rng, c)
			m := again.metrics()
			for k, c := range conventions {
				metrics[k] = c.Of(m)
			}
		}
	})
	if err != nil || intervals == nil {
		return r, err
	}
	r.Intervals, r.IntervalKind = make(map[string]bootstrap.Interval), bootstrap.Kind
	for k, c := range conventions {
		if intervals[k].HasWidth() {
			r.Intervals[c.Name] = intervals[k]
		}
	}
	return r, nil
}

// AUROC returns the area under the ROC curve alone: the probability that an
// in-distribution score is larger than one that is not, ties counting one half.
func AUROC(in, out []float64) (float64, error) {
	c, err := newCounts(in, out)
	if err != nil {
		return 0, err
	}
	return c.auroc(), nil
}

// counts says how often each distinct score occurs in and out, which is all that
// the metrics depend on.
type counts struct {
	scores  []float64 // distinct, rising
	in, out []int32   // of each score
	nIn     int
	nOut    int

	// Which of the scores the i-th smallest of in and of out is, to resample.
	inAt, outAt []int32
}

func newCounts(in, out []float64) (*counts, error) {
	if err := errors.Join(check("in-distribution", in), check("out-of-distribution", out)); err != nil {
		return nil, err
	}
	in, out = slices.Clone(in), slices.Clone(out)
	slices.Sort(in)
	slices.Sort(out)
	c := &counts{nIn: len(in), nOut: len(out), inAt: make([]int32, len(in)), outAt: make([]int32, len(out))}
	i, j := 0, 0
	for i < len(in) || j < len(out) {
		score := math.Inf(1)
		if i < len(in) {
			score = in[i]
		}
		if j < len(out) {
			score = min(score, out[j])
		}
		at := int32(len(c.scores))
		var here, there int32
		for ; i < len(in) && in[i] == score; i++ {
			c.inAt[i] = at
			here++
		}
		for ; j < len(out) && out[j] == score; j++ {
			c.outAt[j] = at
			there++
		}
		c.scores, c.in, c.out = append(c.scores, score), append(c.in, here), append(c.out, there)
	}
	return c, nil
}

func check(name string, scores []float64) error {
	if len(scores) == 0 {
		return fmt.Errorf("ood: there are no %s scores; both kinds are needed", name)
	}
	if len(scores) > math.MaxInt32/2 {
		return fmt.Errorf("ood: %d %s scores; %d is the most", len(scores), name, math.MaxInt32/2)
	}
	for i, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("ood: %s score %d (the first is 0) is %v; it must be finite", name, i, v)
		}
	}
	return nil
}

// like returns empty counts of the same scores.
func (c *counts) like() *counts {
	return &counts{scores: c.scores, in: make([]int32, len(c.in)), out: make([]int32, len(c.out)), nIn: c.nIn, nOut: c.nOut}
}

// resample draws as many scores of each kind as there are in from.
func (c *counts) resample(rng *rand.Rand, from *counts) {
	clear(c.in)
	clear(c.out)
	for range from.nIn {
		c.in[from.inAt[rng.IntN(from.nIn)]]++
	}
	for range from.nOut {
		c.out[from.outAt[rng.IntN(from.nOut)]]++
	}
}

func (c *counts) metrics() Metrics {
	m := Metrics{AUROC: c.auroc()}
	m.AUPRIn, m.FPR95InPositive = c.descend()
	m.AUPROut, m.FPR95OutPositive = c.ascend()
	m.AUPRIn, m.AUPROut = min(m.AUPRIn, 1), min(m.AUPROut, 1) // sums of rounded terms
	return m
}

// auroc counts pairs; they are whole numbers, so nothing is rounded before the
// division up to 2⁵³ of them.
func (c *counts) auroc() float64 {
	var below, twice float64 // out scores below; 2 × (pairs won + ties/2)
	for k := range c.scores {
		in, out := float64(c.in[k]), float64(c.out[k])
		twice += in * (2*below + out)
		below += out
	}
	return twice / (2 * float64(c.nIn) * float64(c.nOut))
}

// descend walks down the thresholds with in positive, ascend up with out
// positive.
func (c *counts) descend() (averagePrecision, fpr95 float64) {
	s := sweep{positives: float64(c.nIn), negatives: float64(c.nOut)}
	for k := len(c.scores) - 1; k >= 0; k-- {
		s.step(c.in[k], c.out[k])
	}
	return s.averagePrecision, s.fpr95
}

func (c *counts) ascend() (averagePrecision, fpr95 float64) {
	s := sweep{positives: float64(c.nOut), negatives: float64(c.nIn)}
	for k := range c.scores {
		s.step(c.out[k], c.in[k])
	}
	return s.averagePrecision, s.fpr95
}

// sweep moves a threshold over the scores, one distinct score a step.
type sweep struct {
	positives, negatives    float64 // all there are
	truePos, falsePos       float64 // so far
	averagePrecision, fpr95 float64
	reached                 bool // a true positive rate of 95 %
}

func (s *sweep) step(positive, negative int32) {
	s.falsePos += float64(negative)
	if positive == 0 { // what follows adds nothing
		return
	}
	s.truePos += float64(positive)
	s.averagePrecision += float64(positive) / s.positives * s.truePos / (s.truePos + s.falsePos)
	if !s.reached && s.truePos/s.positives >= .95 {
		s.reached = true
		s.fpr95 = s.falsePos / s.negatives
	}
}

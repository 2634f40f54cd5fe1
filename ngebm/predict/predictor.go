package predict

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/floats"

	"ngebm/data"
	"ngebm/data/tabular"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/softmax"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/ood"
)

// Decision is what a predictor says about one input.
type Decision struct {
	Class       string   `json:"class"`       // of the largest logit, also where Refused
	Label       int      `json:"label"`       // its index among the classes
	Probability float64  `json:"probability"` // of this class; with [VectorScaling] another may have a larger one
	Set         []string `json:"set"`         // of classes, most probable first; may be empty
	Energy      float64  `json:"energy"`      // E(x) = logsumexp f(x), larger for more likely inputs
	// Score says how usual the input is by the scores that may refuse it, in (0,1]: a
	// p-value, the share of validation examples that are no more usual, by the least of N
	// scores and times N. It is at most the rate of false alarms where a score refuses, and 1
	// without scores.
	Score   float64 `json:"score"`
	Refused bool    `json:"refused"`
	Why     string  `json:"why,omitempty"` // Refused: each reason
}

// Predictor decides about inputs. Its methods may be called from any goroutine.
type Predictor struct {
	// Notes say how a stored predictor, and the run that [Load] read, may differ from what would be
	// fitted and trained now, with that run's Warning. They belong to this moment, and are not stored.
	Notes []string

	fitted
	run  *ngebm.Run
	owns bool // the run

	detectors map[string]ood.Fitted // on features, by the score's name
	mu        sync.RWMutex
	closed    bool
}

// newPredictor restores the detectors that were fitted.
func newPredictor(run *ngebm.Run, f fitted) (*Predictor, error) {
	p := &Predictor{fitted: f, run: run}
	if err := p.restoreDetectors(); err != nil {
		return nil, err
	}
	return p, nil
}

// Shape is the shape of one input: {height, width, channels} of images.
func (p *Predictor) Shape() []int { return slices.Clone(p.fitted.Shape) }

// Classes are the names of the classes; a label is an index into them.
func (p *Predictor) Classes() []string { return slices.Clone(p.fitted.Classes) }

// Encoder turns rows of a table into inputs, as it did for training; nil where the run was not
// trained on a table.
func (p *Predictor) Encoder() *tabular.Encoder { return p.run.Classifier.Encoder }

// Run is the run whose predictor it is.
func (p *Predictor) Run() *ngebm.Run { return p.run }

// Close waits for predictions under way and frees the run, if [Load] read it.
func (p *Predictor) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	if p.owns {
		p.run.Close()
	}
}

// Predict decides about inputs, [n][values], in the network's units: pixels in [-1,1], one
// image as [height, width, channels]. The error names an input of another size, or a value
// that is not finite or no pixel; there are no decisions then.
func (p *Predictor) Predict(ctx context.Context, inputs [][]float32) ([]Decision, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return nil, fmt.Errorf("predict: the predictor is closed: %w", ngebm.ErrClosed)
	}
	logits, scores, err := p.evaluate(ctx, inputs)
	if err != nil {
		return nil, err
	}
	decisions := make([]Decision, len(inputs))
	for i := range inputs {
		of := make([]float64, len(scores))
		for k := range scores {
			of[k] = scores[k][i]
		}
		decisions[i] = p.decide(logits[i], of, random(p.Seed, inputs[i]))
	}
	return decisions, nil
}

// PredictSet is [Predictor.Predict] for the examples of a dataset.
func (p *Predictor) PredictSet(ctx context.Context, d *data.Dataset) ([]Decision, error) {
	if err := p.run.Classifier.Fits(d); err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	decisions := make([]Decision, 0, d.Len())
	for start := 0; start < d.Len(); start += chunk {
		some, err := p.Predict(ctx, inputsOf(d, start, min(start+chunk, d.Len())))
		if err != nil {
			return nil, err
		}
		decisions = append(decisions, some...)
	}
	return decisions, nil
}

// inputsOf are a set's examples from start to end.
func inputsOf(d *data.Dataset, start, end int) [][]float32 {
	inputs := make([][]float32, end-start)
	for i := range inputs {
		inputs[i] = make([]float32, d.Size())
		d.Example(start+i, inputs[i])
	}
	return inputs
}

// evaluate returns the logits of inputs, and their scores, [scores][inputs].
func (p *Predictor) evaluate(ctx context.Context, inputs [][]float32) (logits [][]float64, scores [][]float64, err error) {
	size := nets.Size(p.fitted.Shape)
	flat := make([]float32, 0, len(inputs)*size)
	for i, x := range inputs {
		if len(x) != size {
			return nil, nil, fmt.Errorf("predict: input %d (from 0) has %d values; the model takes %d, shaped %v", i, len(x), size, p.fitted.Shape)
		}
		for j, v := range x {
			if len(p.fitted.Shape) == 3 && (v < -1 || v > 1) {
				return nil, nil, fmt.Errorf("predict: value %d of input %d (from 0) is %v; pixels are from -1 (black) to 1 (white): 2p/255-1 of a byte p", j, i, v)
			}
		}
		flat = append(flat, x...)
	}
	if len(inputs) == 0 {
		return nil, make([][]float64, len(p.Scores)), nil
	}
	var norms []float64
	c := p.run.Classifier
	if slices.ContainsFunc(p.Scores, func(t scoreThreshold) bool { return t.Score == GradientScore }) {
		logits, norms, err = c.GradientNormsAt(ctx, flat)
	} else {
		logits, err = c.LogitsAt(ctx, flat)
	}
	if err != nil {
		return nil, nil, err
	}
	features, err := p.features(ctx, flat)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range p.Scores {
		of, err := p.score(ctx, t.Score, inputs, logits, norms, features)
		if err != nil {
			return nil, nil, err
		}
		scores = append(scores, of)
	}
	return logits, scores, nil
}

// score returns one score of all inputs, [n].
func (p *Predictor) score(ctx context.Context, name string, inputs [][]float32, logits [][]float64, norms []float64, features [][]float64) ([]float64, error) {
	if d := p.detectors[name]; d != nil {
		return d.Score(ctx, ood.Outputs{Features: features})
	}
	scores := make([]float64, len(inputs))
	switch name {
	case InputScore:
		for i, x := range inputs {
			scores[i] = p.Input.score(x)
		}
	case GradientScore:
		for i := range norms {
			scores[i] = -norms[i]
		}
	default:
		all := ood.Scores()
		return all[slices.IndexFunc(all, func(s ood.Score) bool { return s.Name == name })].Of(logits)
	}
	for i, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("predict: score %s of input %d (from 0) is %v: %w", name, i, v, ngebm.ErrNotFinite)
		}
	}
	return scores, nil
}

// decide turns logits and scores into a decision; u is the input's random number.
func (p *Predictor) decide(logits, scores []float64, u float64) Decision {
	plain := slices.Clone(logits)
	top := slices.Max(plain)
	label := slices.Index(plain, top)
	softmax.Replace(plain, top)
	d := Decision{Class: p.fitted.Classes[label], Label: label, Probability: p.calibrated(logits)[label], Set: []string{}, Energy: floats.LogSumExp(logits), Score: 1}
	for _, k := range p.Sets.Of(plain, u) {
		d.Set = append(d.Set, p.fitted.Classes[k])
	}
	var why []string
	for k, t := range p.Scores {
		d.Score = min(d.Score, t.pValue(scores[k])*float64(len(p.Scores)))
		if scores[k] < t.Threshold {
			score, threshold := distinct(scores[k], t.Threshold)
			why = append(why, fmt.Sprintf("%s is %s, below %s", t.title(), score, threshold))
		}
	}
	if r := p.Risk; r != nil && plain[label] < r.Threshold {
		confidence, threshold := distinct(plain[label], r.Threshold)
		why = append(why, fmt.Sprintf("confidence is %s, below %s for a risk of %g", confidence, threshold, r.Level))
	}
	d.Refused, d.Why = len(why) > 0, strings.Join(why, "; ")
	return d
}

// distinct writes two numbers with four digits, or as many as make them differ.
func distinct(a, b float64) (string, string) {
	for digits := 4; ; digits++ {
		x, y := fmt.Sprintf("%.*g", digits, a), fmt.Sprintf("%.*g", digits, b)
		if x != y || digits == 17 {
			return x, y
		}
	}
}

// calibrated are the probabilities of the classes.
func (f fitted) calibrated(logits []float64) []float64 {
	scaled := make([]float64, len(logits))
	for k, v := range logits {
		scaled[k] = v / f.Temperature
		if f.Vector != nil {
			scaled[k] = f.Vector.Scale[k]*v + f.Vector.Shift[k]
		}
	}
	softmax.Replace(scaled, slices.Max(scaled))
	return scaled
}

// random is a number in [0,1) that depends on the seed and the input alone, so that an
// input has the same set whenever and with whatever else it is asked about, and examples
// stay exchangeable.
func random(seed uint64, x []float32) float64 {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+4*len(x)), seed)
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := sha256.Sum256(b)
	return float64(binary.LittleEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

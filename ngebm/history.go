package ngebm

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/plain"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/ckpt"
)

// History is what training recorded: each loss term at each step, and the
// evaluations in between. It is saved in the checkpoint with the weights, so
// that a run killed and resumed has the history of an uninterrupted one.
type History struct {
	// StepsPerEpoch turns a step number into epochs.
	StepsPerEpoch int `json:"steps_per_epoch"`
	// Terms names the loss terms, in the order of Values and Weights:
	// "cross-entropy", "energy variance", "gradient norm" for NG-EBM.
	Terms []string `json:"terms"`
	// Weights holds each term's factor in the loss (α, β, γ).
	Weights []float64 `json:"weights"`
	// Loss holds the weighted total at each step, Loss[0] at step 1.
	Loss []float32 `json:"loss"`
	// Values holds each term, unweighted, at each step: Values[term][step-1].
	Values [][]float32 `json:"values"`
	// LearningRate holds the rate used at each step.
	LearningRate []float32 `json:"learning_rate"`
	// Evaluations are in the order they were made.
	Evaluations []Evaluation `json:"evaluations"`
	// Events are divergences and rollbacks, in order.
	Events []Event `json:"events,omitempty"`
	// Rollbacks is how often the run was rolled back after it diverged.
	Rollbacks int `json:"recoveries,omitempty"`
	// Stopped says why training ended before its last step ("loss is NaN at
	// step 812 …"), empty otherwise.
	Stopped string `json:"stopped,omitempty"`
}

// Steps returns the number of steps recorded.
func (h *History) Steps() int { return len(h.Loss) }

// Last returns the last evaluation of a split, or nil.
func (h *History) Last(split string) *Evaluation {
	for i := len(h.Evaluations) - 1; i >= 0; i-- {
		if h.Evaluations[i].Split == split {
			return &h.Evaluations[i]
		}
	}
	return nil
}

// LastIsBest reports whether the last evaluation is the best so far: none was more accurate,
// and none as accurate had a loss as low.
func (h *History) LastIsBest() bool {
	n := len(h.Evaluations) - 1
	last := h.Evaluations[n]
	return !slices.ContainsFunc(h.Evaluations[:n], func(e Evaluation) bool {
		return e.Accuracy > last.Accuracy || e.Accuracy == last.Accuracy && e.Loss <= last.Loss
	})
}

// Event is something that happened in training and that a person should know of.
type Event struct {
	Step int    `json:"step"` // steps done
	What string `json:"what"`
}

// Evaluation is a measurement of the current weights on a whole set.
type Evaluation struct {
	Step     int    `json:"step"`
	Split    string `json:"split"` // "validation" or "test"
	Examples int    `json:"examples"`
	// Checksum is the set's, see data.Info; empty where it was not recorded yet.
	Checksum string  `json:"checksum,omitempty"`
	Accuracy float64 `json:"accuracy"` // in [0,1]
	Loss     float64 `json:"loss"`     // weighted total of the terms in Values that are not NaN
	Values   Values  `json:"values"`   // each term as in training, in History.Terms order; NaN for those that no set has, such as JEM's
}

// Values are numbers of which some may be NaN, which JSON writes as null.
type Values []float64

// MarshalJSON implements [json.Marshaler].
func (v Values) MarshalJSON() ([]byte, error) {
	numbers := make([]*float64, len(v))
	for i := range v {
		if !math.IsNaN(v[i]) {
			numbers[i] = &v[i]
		}
	}
	return json.Marshal(numbers)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (v *Values) UnmarshalJSON(b []byte) error {
	var numbers []numberOrNull
	if err := json.Unmarshal(b, &numbers); err != nil {
		return err
	}
	*v = make(Values, len(numbers))
	for i, n := range numbers {
		(*v)[i] = float64(n)
	}
	return nil
}

// numberOrNull is a number that JSON's null makes NaN.
type numberOrNull float64

func (n *numberOrNull) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = numberOrNull(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// rows writes the rows of history.csv.
func (h *History) rows(out io.Writer) error {
	w := csv.NewWriter(out)
	number := func(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }
	_ = w.Write(append([]string{"step", "epoch", "learning rate", "loss"}, h.Terms...)) // Error reports it below
	for i := range h.Loss {
		row := []string{strconv.Itoa(i + 1), strconv.FormatFloat(float64(i+1)/float64(h.StepsPerEpoch), 'f', 4, 64), number(h.LearningRate[i]), number(h.Loss[i])}
		for _, values := range h.Values {
			row = append(row, number(values[i]))
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// MaxLoss is the loss beyond which nothing can be learned any more, as in the authors'
// code: training ends there.
const MaxLoss = 1e8

const (
	maxText   = 4096               // bytes of a text that is printed in a line
	maxEvents = 2 * (maxTimes + 1) // a run diverges, and is rolled back
)

// historyOf reads the history in a checkpoint's header. It is shown to people as it is, so
// its numbers must be such as training can write: one out of its range is damage, or a lie.
func historyOf(head ckpt.Header) (h History, err error) {
	if len(head.History) > 0 {
		if err := json.Unmarshal(head.History, &h); err != nil {
			return h, ckpt.Damaged("has a header that cannot be read: %v", err)
		}
	}
	plain.Values(&h)
	if err := h.check(head.Step); err != nil {
		return h, err
	}
	return h, h.hasCurves(head)
}

// check checks that the parts of a history of N steps fit each other, which whoever
// reads it relies on, and that its numbers are in their ranges. JSON has neither NaN nor
// infinities.
func (s *History) check(steps int) error {
	terms := len(s.Terms)
	fits := len(s.Weights) == terms && s.StepsPerEpoch >= 0 && (s.StepsPerEpoch > 0 || steps == 0)
	for _, e := range s.Evaluations {
		fits = fits && len(e.Values) == terms && 0 <= e.Step && e.Step <= steps
	}
	if !fits {
		return ckpt.Damaged("has a history whose parts do not fit each other")
	}
	for i, w := range s.Weights {
		if len(s.Terms[i]) > ckpt.MaxName {
			return ckpt.Damaged("has a history with a term of %d bytes", len(s.Terms[i]))
		}
		if w < 0 {
			return ckpt.Damaged("has a history in which the weight of %q is %g, below 0", s.Terms[i], w)
		}
	}
	for _, e := range s.Evaluations {
		if err := e.check(s.Terms); err != nil {
			return err
		}
	}
	if len(s.Events) > maxEvents {
		return ckpt.Damaged("has a history with %d events, more than %d", len(s.Events), maxEvents)
	}
	// A run that was rolled back keeps the events of the steps that it lost.
	for _, e := range s.Events {
		if e.Step < 0 {
			return ckpt.Damaged("has a history with an event at step %d", e.Step)
		}
		if len(e.What) > maxText {
			return ckpt.Damaged("has a history with an event of %d bytes of text", len(e.What))
		}
	}
	if s.Rollbacks < 0 || len(s.Stopped) > maxText {
		return ckpt.Damaged("has a history with %d recoveries, and %d bytes of why it stopped", s.Rollbacks, len(s.Stopped))
	}
	return nil
}

// check reports whether an evaluation can have been made. Values of terms that no set has,
// such as JEM's, are NaN; those that every set has are at least 0, but for rounding.
func (e Evaluation) check(terms []string) error {
	switch {
	case e.Examples < 1:
		return ckpt.Damaged("has an evaluation on %d examples", e.Examples)
	case !(0 <= e.Accuracy && e.Accuracy <= 1):
		return ckpt.Damaged("has an evaluation with the accuracy %g, which is not in [0,1]", e.Accuracy)
	case !(math.Abs(e.Loss) <= MaxLoss):
		return ckpt.Damaged("has an evaluation with the loss %g, beyond %.0e", e.Loss, MaxLoss)
	}
	ofSets := []string{energy.NameCrossEntropy, energy.NameFocal, energy.NameLogitNorm, energy.NameZLoss, energy.NameVariance, energy.NameGradientNorm}
	for i, name := range terms {
		if slices.Contains(ofSets, name) && !(e.Values[i] >= -1e-6) {
			return ckpt.Damaged("has an evaluation in which %q is %g", name, e.Values[i])
		}
	}
	return nil
}

// hasCurves checks that the first tensors are the history's curves, a value a step.
func (h *History) hasCurves(head ckpt.Header) error {
	for i := range 2 + len(h.Terms) {
		if i >= len(head.Tensors) || head.Tensors[i].DType != dtypes.Float32.String() || !slices.Equal(head.Tensors[i].Shape, []int{head.Step}) {
			return ckpt.Damaged("has no whole history of its %d steps", head.Step)
		}
	}
	return nil
}

// curves are the history's curves as the first tensors of a checkpoint.
func (h *History) curves() []ckpt.Tensor {
	all := []ckpt.Tensor{
		{Name: ckpt.HistoryPrefix + "loss", Value: vector(h.Loss)},
		{Name: ckpt.HistoryPrefix + "learning rate", Value: vector(h.LearningRate)},
	}
	for i, values := range h.Values {
		all = append(all, ckpt.Tensor{Name: ckpt.HistoryPrefix + h.Terms[i], Value: vector(values)})
	}
	return all
}

func vector(values []float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(append([]float32{}, values...), len(values))
}

// setCurves is the inverse of curves; it returns the tensors after them.
func (h *History) setCurves(all []ckpt.Tensor) (rest []ckpt.Tensor, err error) {
	curves := make([][]float32, 2+len(h.Terms))
	for i := range curves {
		if curves[i], err = tensors.CopyFlatData[float32](all[i].Value); err != nil {
			return nil, err
		}
	}
	h.Loss, h.LearningRate, h.Values = curves[0], curves[1], curves[2:]
	return all[len(curves):], nil
}

// pastFits compares a history with the configuration that it is of.
func (r *Run) pastFits(steps int, h History) error {
	total := math.MaxInt
	if perEpoch := h.StepsPerEpoch; perEpoch <= math.MaxInt/r.Config.Epochs {
		total = perEpoch * r.Config.Epochs
	}
	last := steps
	for _, e := range h.Events {
		last = max(last, e.Step)
	}
	if last > total {
		return fmt.Errorf("reports step %d, and its configuration has %d steps (%d epochs of %d)", last, total, r.Config.Epochs, h.StepsPerEpoch)
	}
	if h.Rollbacks > r.Config.Rollback.Times {
		return fmt.Errorf("reports %d recoveries, and its configuration allows %d", h.Rollbacks, r.Config.Rollback.Times)
	}
	weights := r.Config.lossWeights(r.Classifier.Shape)
	for i, name := range h.Terms {
		if want, ok := weights[name]; ok && !(math.Abs(h.Weights[i]-want) <= 1e-9*want) {
			return fmt.Errorf("reports the weight %g of %q, and its configuration %g", h.Weights[i], name, want)
		}
	}
	return nil
}

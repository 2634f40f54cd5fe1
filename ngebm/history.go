package ngebm

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"ngebm/data/files"
)

// History is what training recorded: each loss term at each step, and the
// evaluations in between. It is saved in the checkpoint with the weights, so
// that a run killed and resumed has the history of one left alone.
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
	// Events are what happened besides: divergence, and what was done about it.
	Events []Event `json:"events,omitempty"`
	// Recoveries is how often the run was set back after it diverged.
	Recoveries int `json:"recoveries,omitempty"`
	// Stopped says why training ended before its last step ("loss is NaN at
	// step 812 …"), empty otherwise.
	Stopped string `json:"stopped,omitempty"`
}

// Steps returns the number of steps recorded.
func (h *History) Steps() int { return len(h.Loss) }

// Evaluation is a measurement of the current weights on a whole set.
type Evaluation struct {
	Step     int    `json:"step"`
	Split    string `json:"split"` // "validation" or "test"
	Examples int    `json:"examples"`
	// Checksum is the set's, see data.Info; empty where it was not recorded yet.
	Checksum string  `json:"checksum,omitempty"`
	Accuracy float64 `json:"accuracy"` // in [0,1]
	Loss     float64 `json:"loss"`     // weighted total
	Values   Values  `json:"values"`   // each term, in History.Terms order; NaN for those that no set has, such as JEM's
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

// writeCSV writes one row a step, for spreadsheets and other programs.
func (r *Run) writeCSV(h *History) error {
	return r.inFolder(historyFile, func(folder *files.Folder) error {
		f, err := folder.Create(historyFile, 0o644)
		if err != nil {
			return unwritten(historyFile, err)
		}
		defer f.Discard()
		if err = h.rows(f); err == nil {
			err = f.Commit()
		}
		return unwritten(historyFile, err)
	})
}

// rows writes the rows of history.csv.
func (h *History) rows(out io.Writer) error {
	w := csv.NewWriter(out)
	number := func(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }
	_ = w.Write(append([]string{"step", "epoch", "learning rate", "loss"}, h.Terms...)) // Error tells below
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

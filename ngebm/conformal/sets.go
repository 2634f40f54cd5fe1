package conformal

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"ngebm/ngebm/calibration"
)

// Method names the score that sets are made with.
type Method string

// The methods; see the package's table.
const (
	LAC  Method = "lac"  // least ambiguous sets: smallest on average
	APS  Method = "aps"  // adaptive sets: larger where the model is unsure
	RAPS Method = "raps" // APS with a penalty on many classes
)

// Options say which sets.
type Options struct {
	Method     Method  `json:"method"`               // empty is LAC
	Alpha      float64 `json:"alpha"`                // α, the share of sets without the right class, in (0,1)
	Randomized bool    `json:"randomized,omitempty"` // APS and RAPS: subtract u p_k, for smaller sets
	Penalty    float64 `json:"penalty,omitempty"`    // RAPS: λ ≥ 0
	Rank       int     `json:"rank,omitempty"`       // RAPS: k_reg ≥ 0, how many classes are free of the penalty
	PerClass   bool    `json:"per_class,omitempty"`  // a threshold for each class: coverage of each, not of all together
}

// Sets makes a set of classes of a row of probabilities.
type Sets struct {
	Options
	Classes    int       `json:"classes"`
	Examples   []int     `json:"examples"`   // held-out examples behind each threshold
	Thresholds []float64 `json:"thresholds"` // one, or one for each class
}

// Fit finds the thresholds on held-out examples: their probabilities, [n][classes], labels,
// [n], and, with Randomized, numbers u in [0,1), [n], independent of the rest; nil otherwise.
// The error of too few examples is a *[TooFewError].
func Fit(probabilities [][]float64, labels []int32, u []float64, o Options) (*Sets, error) {
	o.Method = cmp.Or(o.Method, LAC)
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := (calibration.Sample{Probabilities: probabilities, Labels: labels}).Validate(); err != nil {
		return nil, fmt.Errorf("conformal: %w", err)
	}
	if o.Randomized != (u != nil) || u != nil && len(u) != len(labels) {
		return nil, fmt.Errorf("conformal: %d random numbers for %d examples; with randomized sets give one for each, else none", len(u), len(labels))
	}
	s := &Sets{Options: o, Classes: len(probabilities[0])}
	groups := make([][]float64, 1)
	if o.PerClass {
		groups = make([][]float64, s.Classes)
	}
	for i, p := range probabilities {
		group, random := 0, 0.
		if o.PerClass {
			group = int(labels[i])
		}
		if u != nil {
			if random = u[i]; !(random >= 0 && random < 1) {
				return nil, fmt.Errorf("conformal: random number %d (from 0) is %v, not in [0,1)", i, random)
			}
		}
		groups[group] = append(groups[group], s.Scores(p, random)[labels[i]])
	}
	for k, scores := range groups {
		q, err := Quantile(scores, o.Alpha)
		if few := (*TooFewError)(nil); errors.As(err, &few) && o.PerClass {
			few.Of = fmt.Sprintf("of class %d", k)
		}
		if err != nil {
			return nil, err
		}
		s.Examples, s.Thresholds = append(s.Examples, len(scores)), append(s.Thresholds, q)
	}
	return s, nil
}

// Validate returns an error that names the first option that is out of range.
func (o Options) Validate() error {
	switch {
	case o.Method != "" && o.Method != LAC && o.Method != APS && o.Method != RAPS:
		return fmt.Errorf("conformal: method is %.40q; it must be lac, aps or raps", string(o.Method))
	case !(o.Alpha > 0 && o.Alpha < 1):
		return fmt.Errorf("conformal: alpha is %v; it must be between 0 and 1, as .1 is for 90 %% coverage", o.Alpha)
	case o.Randomized && o.Method != APS && o.Method != RAPS:
		return errors.New("conformal: lac has nothing to randomize; leave that out, or choose aps or raps")
	case o.Method != RAPS && (o.Penalty != 0 || o.Rank != 0):
		return errors.New("conformal: penalty and rank are of raps; leave them out, or choose raps")
	case !(o.Penalty >= 0) || math.IsInf(o.Penalty, 1) || o.Rank < 0:
		return fmt.Errorf("conformal: raps with a penalty of %v from rank %d on; neither may be negative or infinite", o.Penalty, o.Rank)
	}
	return nil
}

// Check returns an error where sets that were stored cannot be of that many classes.
func (s *Sets) Check(classes int) error {
	want := 1
	if s.PerClass {
		want = classes
	}
	if s.Classes != classes || len(s.Thresholds) != want || len(s.Examples) != want {
		return fmt.Errorf("conformal: %d thresholds of %d classes; want %d of %d", len(s.Thresholds), s.Classes, want, classes)
	}
	for _, q := range s.Thresholds {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			return fmt.Errorf("conformal: a threshold is %v; it must be finite", q)
		}
	}
	return s.Validate()
}

// Of returns the classes in the set of one row of probabilities, most probable first; there
// may be none. u is in [0,1) and counts only with Randomized. It panics as [Sets.Scores] does.
func (s *Sets) Of(p []float64, u float64) []int {
	scores := s.Scores(p, u)
	set := []int{}
	for _, k := range byProbability(p) {
		q := s.Thresholds[0]
		if s.PerClass {
			q = s.Thresholds[k]
		}
		if scores[k] <= q {
			set = append(set, k)
		}
	}
	return set
}

// Scores returns s(x, k) for each class k of a row of probabilities. A row of another number of
// classes is a mistake of the program: it panics.
func (s *Sets) Scores(p []float64, u float64) []float64 {
	if len(p) != s.Classes {
		panic(fmt.Sprintf("conformal: a row of %d probabilities, for sets of %d classes", len(p), s.Classes))
	}
	scores := make([]float64, len(p))
	if cmp.Or(s.Method, LAC) == LAC {
		for k := range p {
			scores[k] = 1 - p[k]
		}
		return scores
	}
	if !s.Randomized {
		u = 0
	}
	sum := 0.
	for i, k := range byProbability(p) {
		sum += p[k]
		scores[k] = sum - u*p[k] + s.Penalty*float64(max(0, i+1-s.Rank))
	}
	return scores
}

// byProbability returns the classes from the most probable on, equal ones in their order.
func byProbability(p []float64) []int {
	order := make([]int, len(p))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	return order
}

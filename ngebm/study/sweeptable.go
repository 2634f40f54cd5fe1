package study

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"ngebm/ngebm"
)

// SweepTable is what a [Sweep] found. It turns into JSON, which says nothing of how
// often the sweep was interrupted.
type SweepTable struct {
	Base       ngebm.Config `json:"base"`
	Grid       Grid         `json:"grid"`
	Seeds      []uint64     `json:"seeds"`
	Validation int          `json:"validation"` // examples held out, of the base configuration
	Figures    []Figure     `json:"figures"`
	Interval   string       `json:"interval"` // what the rows' intervals are
	// Rows are in the order of the grid, its last setting changing fastest.
	Rows []SweepRow `json:"rows"`

	Trained int `json:"-"` // runs that this call trained, at least in part
	Loaded  int `json:"-"` // runs that were done
}

// SweepRow is one combination of settings.
type SweepRow struct {
	Settings []string   `json:"settings"` // in the order of the grid
	Runs     []string   `json:"runs"`     // hashes, by seed
	Figures  []Estimate `json:"figures"`  // in the order of the table's; empty if every seed failed
	// Failed says which seeds have no figures, and why: "seed 2: loss is NaN at step
	// 40". Such a row is never best nor on a Pareto front: the seeds that remain would
	// flatter it.
	Failed []string `json:"failed,omitempty"`
	// Notes say in what the runs could differ from runs trained now: "seed 2: it was
	// trained by other code …".
	Notes []string `json:"notes,omitempty"`
}

// Estimate is one figure over the seeds.
type Estimate struct {
	Mean float64 `json:"mean"`
	// Low and High are mean ± t·s/√n, with t the 97.5 % point of Student's
	// distribution with n-1 degrees of freedom and s the seeds' standard deviation
	// (1/(n-1)): a 95 % interval for the mean over seeds. It is not cut to the
	// figure's range. With one seed there is none, and both are the mean.
	Low    float64   `json:"low"`
	High   float64   `json:"high"`
	Values []float64 `json:"values"` // by seed, those that failed left out
}

const intervalOverSeeds = "95 % t-interval of the mean over seeds; none (low = high) for one seed"

func newSweepTable(s Sweep, cells int) *SweepTable {
	t := &SweepTable{Base: s.Base, Grid: s.Grid, Seeds: s.Seeds, Validation: s.Base.Validation, Interval: intervalOverSeeds}
	t.Base.Seed = s.Seeds[0]
	for cell := range cells {
		t.Rows = append(t.Rows, SweepRow{Settings: s.Grid.values(cell)})
	}
	return t
}

// fail records a seed that has no figures.
func (r *SweepRow) fail(seed uint64, why string) {
	r.Failed = append(r.Failed, fmt.Sprintf("seed %d: %s", seed, why))
}

// enter records the figures of one run.
func (t *SweepTable) enter(row *SweepRow, seed int, figures []Figure) error {
	if t.Figures == nil {
		for _, f := range figures {
			if f.Name == "" || f.Better != Higher && f.Better != Lower {
				return fmt.Errorf("study: the sweep's figure %+v lacks a name, or which way is better", f)
			}
			f.Value = 0
			t.Figures = append(t.Figures, f)
		}
	}
	same := len(figures) == len(t.Figures)
	for k := 0; same && k < len(figures); k++ {
		same = figures[k].Name == t.Figures[k].Name
	}
	if !same || len(figures) == 0 {
		return fmt.Errorf("study: the sweep's Judge returned %d figures, after %d before; it must return the same ones for every run, at least one", len(figures), len(t.Figures))
	}
	for _, f := range figures {
		if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
			row.fail(t.Seeds[seed], fmt.Sprintf("%s is %v", f.Name, f.Value))
			return nil
		}
	}
	if row.Figures == nil {
		row.Figures = make([]Estimate, len(figures))
	}
	for k, f := range figures {
		row.Figures[k].Values = append(row.Figures[k].Values, f.Value)
	}
	return nil
}

// estimate computes means and intervals.
func (t *SweepTable) estimate() {
	for _, row := range t.Rows {
		for k := range row.Figures {
			row.Figures[k] = NewEstimate(row.Figures[k].Values)
		}
	}
}

// NewEstimate returns mean and interval of one value or more.
func NewEstimate(values []float64) Estimate {
	mean, deviation := stat.MeanStdDev(values, nil)
	e := Estimate{Mean: mean, Low: mean, High: mean, Values: values}
	if n := float64(len(values)); n > 1 {
		half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(.975) * deviation / math.Sqrt(n)
		e.Low, e.High = mean-half, mean+half
	}
	return e
}

// Index returns the place of a figure in Figures.
func (t *SweepTable) Index(figure string) (int, error) {
	var names []string
	for k, f := range t.Figures {
		if f.Name == figure {
			return k, nil
		}
		names = append(names, f.Name)
	}
	return 0, fmt.Errorf("study: the sweep has no figure %q; it has %s", figure, strings.Join(names, ", "))
}

// Best returns the row with the best mean of a figure, the first of equals. Rows with
// a seed that failed do not count.
func (t *SweepTable) Best(figure string) (row int, err error) {
	k, err := t.Index(figure)
	if err != nil {
		return 0, err
	}
	best := -1
	for i, r := range t.Rows {
		if r.whole() && (best < 0 || t.Figures[k].Better.over(r.Figures[k].Mean, t.Rows[best].Figures[k].Mean)) {
			best = i
		}
	}
	if best < 0 {
		return 0, fmt.Errorf("study: no row of the sweep has figures for all seeds, so that none is best; the first says: %s", t.firstFailure())
	}
	return best, nil
}

// Pareto returns the rows that no other row dominates in the given figures (all, if
// none are given), in the table's order. A row dominates another if its mean is at
// least as good in every figure, as the figure's Better says, and better in one; the
// intervals count for nothing. Rows with a seed that failed do not count.
func (t *SweepTable) Pareto(figures ...string) ([]int, error) {
	if len(figures) == 0 {
		for _, f := range t.Figures {
			figures = append(figures, f.Name)
		}
	}
	var columns []int
	for _, name := range figures {
		k, err := t.Index(name)
		if err != nil {
			return nil, err
		}
		columns = append(columns, k)
	}
	var front []int
	for i, r := range t.Rows {
		if r.whole() && !slices.ContainsFunc(t.Rows, func(o SweepRow) bool { return o.whole() && t.dominates(o, r, columns) }) {
			front = append(front, i)
		}
	}
	return front, nil
}

func (t *SweepTable) dominates(a, b SweepRow, columns []int) bool {
	better := false
	for _, k := range columns {
		way, x, y := t.Figures[k].Better, a.Figures[k].Mean, b.Figures[k].Mean
		if way.over(y, x) {
			return false
		}
		better = better || way.over(x, y)
	}
	return better
}

// whole tells whether every seed has figures.
func (r SweepRow) whole() bool { return len(r.Failed) == 0 && len(r.Figures) > 0 }

func (t *SweepTable) firstFailure() string {
	for _, r := range t.Rows {
		if len(r.Failed) > 0 {
			return r.Failed[0]
		}
	}
	return "there are no rows"
}

// String returns the table with the Pareto front over all figures marked.
func (t *SweepTable) String() string {
	s, err := t.Text()
	if err != nil {
		return err.Error() // Text finds no figures but its own, so there is none
	}
	return s
}

// Text returns the aligned table, a line for each row, with the best value of each
// figure marked by * and the rows of the Pareto front over the given figures (all, if
// none are given) by "front".
func (t *SweepTable) Text(pareto ...string) (string, error) {
	front, err := t.Pareto(pareto...)
	if err != nil {
		return "", err
	}
	var b, aligned strings.Builder
	w := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	for _, s := range t.Grid {
		fmt.Fprintf(w, "%s\t", s.Key)
	}
	for _, f := range t.Figures {
		fmt.Fprintf(w, "%s %s\t", f.Name, map[Better]string{Higher: "↑", Lower: "↓"}[f.Better])
	}
	fmt.Fprintln(w)
	for i, r := range t.Rows {
		for _, v := range r.Settings {
			fmt.Fprintf(w, "%s\t", v)
		}
		for k := range t.Figures {
			fmt.Fprintf(w, "%s\t", t.cell(i, k))
		}
		if slices.Contains(front, i) {
			fmt.Fprint(w, "front")
		}
		fmt.Fprintln(w, strings.Join(r.Failed, "; "))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(aligned.String()) {
		fmt.Fprintln(&b, strings.TrimRight(line, " \n"))
	}
	names := "the figures"
	if len(pareto) > 0 {
		names = strings.Join(pareto, ", ")
	}
	fmt.Fprintf(&b, "\nMeans over seeds %s ± half the 95 %% t-interval, on %d validation examples each; *: best mean;\nfront: no other row's means are at least as good in all of %s and better in one.\n",
		strings.Trim(fmt.Sprint(t.Seeds), "[]"), t.Validation, names)
	for i, r := range t.Rows {
		for _, note := range r.Notes {
			fmt.Fprintf(&b, "note: %s, %s\n", t.Grid.assignments(i), note)
		}
	}
	for _, f := range t.Figures {
		fmt.Fprintf(&b, "%s (%s is better): %s\n", f.Name, f.Better, f.Is)
	}
	return b.String(), nil
}

// cell is one figure of one row, as the table shows it.
func (t *SweepTable) cell(row, k int) string {
	r := t.Rows[row]
	if len(r.Figures) == 0 {
		return "-"
	}
	e := r.Figures[k]
	text := fmt.Sprintf("%.3f", e.Mean)
	if len(e.Values) > 1 {
		text += fmt.Sprintf(" ± %.3f", e.High-e.Mean)
	}
	if best, err := t.Best(t.Figures[k].Name); err == nil && r.whole() && e.Mean == t.Rows[best].Figures[k].Mean {
		text += " *"
	}
	return text
}

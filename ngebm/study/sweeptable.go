package study

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"ngebm/ngebm"
	"ngebm/ngebm/bootstrap"
)

// SweepTable is what a [Sweep] found. It turns into JSON, which says nothing of how
// often the sweep was interrupted.
type SweepTable struct {
	Base       ngebm.Config `json:"base"`
	Grid       Grid         `json:"grid"`
	Seeds      []uint64     `json:"seeds"`
	Validation int          `json:"validation"` // examples held out, of the base configuration
	Metrics    []Metric     `json:"figures"`
	Interval   string       `json:"interval"` // what the rows' intervals are
	// Rows are in the order of the grid, its last setting changing fastest.
	Rows []SweepRow `json:"rows"`

	// Code, Source and Machine are of the program that made the table; see [Work].
	Code    string `json:"code,omitempty"`
	Source  string `json:"source,omitempty"`
	Machine string `json:"machine,omitempty"`

	Trained int `json:"-"` // runs that this call trained, at least in part
	Loaded  int `json:"-"` // runs that were done
}

// SweepRow is one combination of settings.
type SweepRow struct {
	Settings []string   `json:"settings"` // in the order of the grid
	Runs     []string   `json:"runs"`     // hashes, by seed
	Metrics  []Estimate `json:"figures"`  // in the order of the table's; empty if every seed failed
	// Failed says which seeds have no metrics, and why: "seed 2: loss is NaN at step
	// 40". Such a row is never best nor on a Pareto front: the remaining seeds may be the
	// better ones.
	Failed []string `json:"failed,omitempty"`
	// Notes say in what the runs could differ from runs trained now: "seed 2: it was
	// trained by other code …".
	Notes []string `json:"notes,omitempty"`
}

// Index returns the index of a metric in Metrics.
func (t *SweepTable) Index(metric string) (int, error) {
	var names []string
	for k, f := range t.Metrics {
		if f.Name == metric {
			return k, nil
		}
		names = append(names, f.Name)
	}
	return 0, fmt.Errorf("study: the sweep has no metric %q; it has %s", metric, strings.Join(names, ", "))
}

// Row returns the index of the row with these settings, written as in the grid.
func (t *SweepTable) Row(settings ...string) (int, error) {
	i := slices.IndexFunc(t.Rows, func(r SweepRow) bool { return slices.Equal(r.Settings, settings) })
	if i < 0 {
		return 0, fmt.Errorf("study: the sweep %s has no row with the settings %q", t.Grid, settings)
	}
	return i, nil
}

// Difference says by how much a metric of one row is larger than of another: the mean of the
// differences between runs with the same seed, with its t-interval. A row with a seed that
// failed is an error.
func (t *SweepTable) Difference(row, other int, metric string) (Comparison, error) {
	k, err := t.Index(metric)
	if err != nil {
		return Comparison{}, err
	}
	for _, i := range []int{row, other} {
		if i < 0 || i >= len(t.Rows) {
			return Comparison{}, fmt.Errorf("study: the sweep has no row %d; it has %d", i, len(t.Rows))
		}
		if r := t.Rows[i]; !r.whole() {
			return Comparison{}, fmt.Errorf("study: %q cannot be compared, since not every seed has metrics: %s", r.Settings, strings.Join(r.Failed, "; "))
		}
	}
	var differences []float64
	for s, v := range t.Rows[row].Metrics[k].Values {
		differences = append(differences, v-t.Rows[other].Metrics[k].Values[s])
	}
	return newDifference(bootstrap.Linear, differences), nil
}

// Best returns the row with the best mean of a metric, the first of equals. Rows with a
// seed that failed do not count.
func (t *SweepTable) Best(metric string) (row int, err error) {
	if !slices.ContainsFunc(t.Rows, SweepRow.whole) {
		return 0, fmt.Errorf("study: no setting finished with every seed; first failure: %s", t.firstFailure())
	}
	k, err := t.Index(metric)
	if err != nil {
		return 0, err
	}
	best := -1
	for i, r := range t.Rows {
		if r.whole() && (best < 0 || t.Metrics[k].better(r.Metrics[k].Mean, t.Rows[best].Metrics[k].Mean)) {
			best = i
		}
	}
	return best, nil
}

// Pareto returns the rows that no other row dominates in the given metrics (all, if none
// are given), in the table's order. A row dominates another if its mean is at least as
// good in every metric and better in one; intervals are not used. Rows with a seed that
// failed do not count. A table without metrics, since every run failed, has no front.
func (t *SweepTable) Pareto(metrics ...string) ([]int, error) {
	if len(t.Metrics) == 0 {
		return nil, nil
	}
	if len(metrics) == 0 {
		for _, f := range t.Metrics {
			metrics = append(metrics, f.Name)
		}
	}
	var columns []int
	for _, name := range metrics {
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
		m, x, y := t.Metrics[k], a.Metrics[k].Mean, b.Metrics[k].Mean
		if m.better(y, x) {
			return false
		}
		better = better || m.better(x, y)
	}
	return better
}

// whole reports whether every seed has metrics.
func (r SweepRow) whole() bool { return len(r.Failed) == 0 && len(r.Metrics) > 0 }

func (t *SweepTable) firstFailure() string {
	for _, r := range t.Rows {
		if len(r.Failed) > 0 {
			return r.Failed[0]
		}
	}
	return "there are no rows"
}

// String returns the table with the Pareto front over all metrics marked.
func (t *SweepTable) String() string {
	s, err := t.Text()
	if err != nil {
		return err.Error() // Text looks up only its own metrics, so there is no error
	}
	return s
}

// Text returns the aligned table, a line for each row, with the best value of each
// metric marked by * and the rows of the Pareto front over the given metrics (all, if
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
	for _, f := range t.Metrics {
		fmt.Fprintf(w, "%s %s\t", f.Name, map[bool]string{true: "↑", false: "↓"}[f.HigherIsBetter])
	}
	fmt.Fprintln(w)
	for i, r := range t.Rows {
		for _, v := range r.Settings {
			fmt.Fprintf(w, "%s\t", v)
		}
		for k := range t.Metrics {
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
	names := "the metrics"
	if len(pareto) > 0 {
		names = strings.Join(pareto, ", ")
	}
	fmt.Fprintf(&b, "\nMeans over seeds %s and their 95 %% t-intervals, on %d validation examples each; *: best mean;\nfront: no other row's means are at least as good in all of %s and better in one.\n",
		strings.Trim(fmt.Sprint(t.Seeds), "[]"), t.Validation, names)
	for i, r := range t.Rows {
		for _, note := range r.Notes {
			fmt.Fprintf(&b, "note: %s, %s\n", t.Grid.assignments(i), note)
		}
	}
	for _, f := range t.Metrics {
		fmt.Fprintf(&b, "%s (%s is better): %s\n", f.Name, f.Direction(), f.Definition)
	}
	return b.String(), nil
}

// cell is one metric of one row, as the table shows it.
func (t *SweepTable) cell(row, k int) string {
	r := t.Rows[row]
	if len(r.Metrics) == 0 {
		return "-"
	}
	e, m := r.Metrics[k], t.Metrics[k]
	text := e.Format(3)
	if best, err := t.Best(m.Name); err == nil && r.whole() && !m.better(t.Rows[best].Metrics[k].Mean, e.Mean) {
		text += " *"
	}
	return text
}

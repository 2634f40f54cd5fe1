package study

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
)

// Registered is a plan that was written down before it was run: with it, what is asked, and the
// test that answers each question.
type Registered struct {
	Plan
	About []string `json:"about"` // why the plan is as it is, and what of it was changed later
	// TestSets are the SHA-256 of the test sets that its runs may be measured on (see data.Info):
	// the data's name does not say which they are.
	TestSets []string `json:"test_sets,omitempty"`
	// Family are the questions of one Holm family (see [Holm]). All other comparisons of the
	// results are exploratory.
	Family []Question `json:"family"`
}

// Question compares a metric of two methods, run with the same seeds.
type Question struct {
	Asks    string `json:"asks"`    // in words
	Method  string `json:"method"`  // one of the plan's
	Against string `json:"against"` // another
	// Metric is a calibration metric (see calibration.Conventions), "AUROC SCORE near" or far
	// (see [GroupMetric]), "PGD NORM ε" or "ensemble Linf ε" with an ε of the plan's.
	Metric string `json:"metric"`
	// MethodAtT and AgainstAtT take a calibration metric after temperature scaling.
	MethodAtT  bool `json:"method_at_T,omitempty"`
	AgainstAtT bool `json:"against_at_T,omitempty"`
	// Ratio asks how many times smaller the method's metric is, in place of by how much it
	// is larger.
	Ratio bool `json:"ratio,omitempty"`
}

// Validate reports the first part of the plan that cannot be done, or the first question
// that it cannot answer.
func (r Registered) Validate() error {
	if err := r.Plan.Validate(); err != nil {
		return err
	}
	for _, q := range r.Family {
		if _, _, err := r.metrics(q); err != nil {
			return fmt.Errorf("study: %q: %w", q.Asks, err)
		}
	}
	return nil
}

// Planned reports whether results were made as planned: from the plan's configuration, weights
// selected as it says, measured by its protocol, on one of its test sets. They may have some of its
// methods, seeds and runs only, and no others.
func (r Registered) Planned(results *Results) bool {
	switch {
	case results.Plan.like(r.Plan) != nil, results.selects() && !same(results.Selection, r.Selection):
		return false
	case len(union(r.Methods, results.Methods)) > len(r.Methods), len(union(r.Seeds, results.Seeds)) > len(r.Seeds):
		return false
	}
	return !slices.ContainsFunc(results.Runs, func(run Result) bool { return !slices.Contains(r.TestSets, run.Sets[2].Checksum) })
}

// Answers compares what each question asks for, with Holm's correction for the family. Where
// fewer than two seeds have both runs, P is NaN; it counts as one of the family.
func (r Registered) Answers(results *Results) ([]Comparison, error) {
	var family []Comparison
	for _, q := range r.Family {
		of, against, err := r.metrics(q)
		if err != nil {
			return nil, fmt.Errorf("study: %q: %w", q.Asks, err)
		}
		if q.Ratio {
			family = append(family, results.Ratio(q.Against, against, q.Method, of))
		} else {
			family = append(family, results.Difference(q.Method, of, q.Against, against))
		}
	}
	return Holm(family...), nil
}

// metrics are what a question compares, of its method and of the other.
func (r Registered) metrics(q Question) (of, against MetricOf, err error) {
	for _, m := range []string{q.Method, q.Against} {
		if !slices.Contains(r.Methods, m) {
			return nil, nil, fmt.Errorf("the plan has no method %.60q; it has %s", m, strings.Join(r.Methods, ", "))
		}
	}
	if of, err = r.metric(q.Metric, q.MethodAtT); err == nil {
		against, err = r.metric(q.Metric, q.AgainstAtT)
	}
	return of, against, err
}

// metric reads the metric of that name.
func (r Registered) metric(name string, atT bool) (MetricOf, error) {
	if f := strings.Fields(name); len(f) == 3 {
		return r.measured(f[0], f[1], f[2])
	}
	if !slices.ContainsFunc(calibration.Conventions(), func(c calibration.Convention) bool { return c.Name == name }) {
		return nil, fmt.Errorf("there is no metric %.60q", name)
	}
	if atT {
		return AtT(name), nil
	}
	return Calibration(name), nil
}

// measured reads a metric of OOD detection or robustness that the protocol measures.
func (r Registered) measured(kind, of, where string) (MetricOf, error) {
	scores := append([]string{"px", "py", "pxgrad"}, r.Measure.Detectors...)
	is := func(epsilon float64) bool { return fmt.Sprint(epsilon) == where }
	switch norm := attack.Norm(of); {
	case kind == "AUROC" && slices.Contains(scores, of) && (where == Near || where == Far):
		return GroupMetric(where, of, "AUROC"), nil
	case kind == "PGD":
		for _, a := range r.Measure.attacks() {
			if i := slices.IndexFunc(a.epsilons, is); i >= 0 && a.norm == norm {
				return robustAt(norm, false, a.epsilons[i]), nil
			}
		}
	case kind == "ensemble" && norm == attack.Linf:
		epsilons := r.Measure.ensembleLinf()
		if i := slices.IndexFunc(epsilons, is); i >= 0 {
			return robustAt(norm, true, epsilons[i]), nil
		}
	}
	return nil, fmt.Errorf("the plan does not measure %.60q", strings.Join([]string{kind, of, where}, " "))
}

// robustAt is [RobustAccuracy] at an ε of a protocol, wherever a curve has it; missing where it
// does not. Curves of images have ε/255.
func robustAt(norm attack.Norm, ensemble bool, epsilon float64) MetricOf {
	return func(r *Result) Metric {
		c := r.Curve(norm, ensemble)
		for _, e := range []float64{epsilon, epsilon / 255} {
			if c == nil {
				break
			}
			if i := slices.IndexFunc(c.Points, func(p attack.Point) bool { return math.Abs(p.Epsilon-e) <= 1e-9 }); i >= 0 {
				return RobustAccuracy(norm, ensemble, i)(r)
			}
		}
		return missing(fmt.Sprintf("%s at ε = %g", norm, epsilon))(r)
	}
}

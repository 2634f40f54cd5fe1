package study

import (
	"fmt"
	"io"
	"math"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/ood"
)

// GroupMetric reads the mean of a metric of ood.Conventions over the OOD sets of a group, [Near]
// or [Far], by a score: the figure of OpenOOD v1.5's tables. NaN if the group has no sets.
func GroupMetric(group, score, metric string) MetricOf {
	name := fmt.Sprintf("%s, %s, %s", metric, score, group)
	for _, c := range ood.Conventions() {
		if c.Name != metric {
			continue
		}
		return func(r *Result) Metric {
			m := Metric{Name: name, Definition: c.Definition + ", mean over the sets", HigherIsBetter: c.Name[0] == 'A', Scale: bootstrap.Share}
			sets := 0.
			for _, d := range r.Detection {
				if d.Group == group && d.Score == score {
					m.Value += c.Of(d.Metrics)
					sets++
				}
			}
			m.Value /= sets // NaN without sets
			return m
		}
	}
	return missing(name)
}

// MeanOver reads the mean of metrics, such as one score's AUROC on several OOD sets. It is NaN if
// one of them is missing.
func MeanOver(name string, all ...MetricOf) MetricOf {
	return func(r *Result) Metric {
		m := Metric{Name: name, Definition: "mean", Value: math.NaN()}
		for i, of := range all {
			one := of(r)
			if i == 0 {
				m.Definition, m.HigherIsBetter, m.Scale, m.Value = "mean of "+one.Definition, one.HigherIsBetter, one.Scale, 0
			}
			m.Value += one.Value / float64(len(all))
		}
		return m
	}
}

// scores are the names of the scores that were measured.
func (r *Results) scores() []string { return r.detected(func(d Detection) string { return d.Score }) }

// groupRows has a row for each method and score, with means over the sets of a group.
func (r *Results) groupRows(w io.Writer) {
	fmt.Fprintln(w, "OOD detection\tscore\tAUROC near\tAUROC far\tFPR95_out_positive near\tFPR95_out_positive far")
	scores, estimate := r.scores(), r.byDetection(func(d Detection) [2]string { return [2]string{d.Group, d.Score} })
	for _, m := range r.Methods {
		for _, score := range scores {
			fmt.Fprintf(w, "%s\t%s", Title(m), score)
			for _, metric := range []string{"AUROC", "FPR95_out_positive"} {
				for _, group := range []string{Near, Far} {
					fmt.Fprintf(w, "\t%s", estimate(m, GroupMetric(group, score, metric), [2]string{group, score}).Format(3))
				}
			}
			fmt.Fprintln(w)
		}
	}
}

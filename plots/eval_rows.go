package plots

import (
	"image/color"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/study"
)

// RangePanel compares the rows of a study in one metric, for [Summary] and [Tradeoff]. A
// bar goes from the lowest to the highest end of the seeds' own intervals, see
// study.Row.Range.
func RangePanel(title, note string, rows []study.Row, of study.MetricOf) SummaryPanel {
	p := SummaryPanel{Title: title, Note: note}
	for _, r := range rows {
		p.Estimates = append(p.Estimates, Estimate{Name: r.Title, Color: r.Color, Seeds: r.Values(of), Interval: r.Range(of)})
	}
	return p
}

// MeanPanel is [RangePanel] with another bar: the 95 % t-interval of the mean over the seeds.
// One seed, or seeds of one value, have no such interval and no bar.
func MeanPanel(title, note string, rows []study.Row, of study.MetricOf) SummaryPanel {
	p := SummaryPanel{Title: title, Note: note, Bars: "95 % interval of the mean"}
	for _, r := range rows {
		e := r.Estimate(of)
		var interval *bootstrap.Interval
		if len(e.Values) > 1 && !e.Equal() {
			interval = &bootstrap.Interval{Low: e.Low, High: e.High}
		}
		p.Estimates = append(p.Estimates, Estimate{Name: r.Title, Color: r.Color, Seeds: e.Values, Interval: interval})
	}
	return p
}

// FirstSeeds returns what [Reliability] draws: the calibration of each row's first seed.
func FirstSeeds(rows []study.Row) []Calibration {
	var all []Calibration
	for _, r := range rows {
		var report *calibration.Report
		if len(r.Results) > 0 {
			report = r.Results[0].Calibration
		}
		all = append(all, Calibration{Name: r.Title, Color: r.Color, Report: report})
	}
	return all
}

// AttackPanel compares the rows under the attacks of a norm, for [Robustness]: PGD as the
// curve, and the ensemble of attacks, where it was measured, as the stronger attack.
func AttackPanel(title string, unit EpsilonUnit, rows []study.Row, norm attack.Norm) RobustPanel {
	p := RobustPanel{Title: title, Unit: unit}
	for _, row := range rows {
		for _, r := range row.Results {
			if c := r.Curve(norm, false); c != nil {
				p.Runs = append(p.Runs, RobustRun{Name: row.Title, Color: row.Color, Curve: c})
			}
			if c := r.Curve(norm, true); c != nil {
				p.Worst = append(p.Worst, RobustRun{Name: row.Title, Color: row.Color, Curve: c})
			}
		}
	}
	return p
}

// ShiftPanels compares methods in one metric under kinds of corruption, a panel for each
// kind, for [Severities].
func ShiftPanels(all []study.Shifted, of study.MetricOf, kinds ...string) []SeverityPanel {
	var panels []SeverityPanel
	for _, kind := range kinds {
		p := SeverityPanel{Title: kind}
		for _, s := range all {
			p.Runs = append(p.Runs, severityRuns(s.Title, s.Color, severities(s, kind, of))...)
		}
		panels = append(panels, p)
	}
	return panels
}

// severities are the values by severity, then by seed.
func severities(s study.Shifted, kind string, of study.MetricOf) [][]float64 {
	var values [][]float64
	for severity := range s.Severities(kind) {
		values = append(values, s.At(kind, severity).Values(of))
	}
	return values
}

// severityRuns turns values by severity and seed into a run for each seed.
func severityRuns(name string, c color.Color, values [][]float64) []SeverityRun {
	if len(values) == 0 {
		return nil
	}
	runs := make([]SeverityRun, len(values[0]))
	for seed := range runs {
		runs[seed] = SeverityRun{Name: name, Color: c}
		for _, all := range values {
			if seed < len(all) { // else [Severities] refuses it: its runs have as many values each
				runs[seed].Values = append(runs[seed].Values, all[seed])
			}
		}
	}
	return runs
}

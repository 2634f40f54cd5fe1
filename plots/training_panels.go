package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm"
)

// newHistoryPanel is a panel with horizontal grid lines.
func newHistoryPanel(title string) panel {
	p := newPlot()
	p.Add(gridLines{})
	p.Y.Padding = 3
	return panel{Plot: p, title: title}
}

func lossPanel(runs []Run, styles []draw.LineStyle) panel {
	p := newHistoryPanel("loss L (weighted total)")
	if names := termNames(runs); names == nil && len(runs[0].History.Terms) == 1 {
		p.title = "loss L = " + runs[0].History.Terms[0]
	}
	var all []series
	for i, r := range runs {
		all = append(all, stepSeries(r.History, r.History.Loss, styles[i]))
		all = append(all, evaluationSeries(r.History, styles[i], false, func(e ngebm.Evaluation) float64 { return wholeLoss(r.History, e) })...)
	}
	addSeries(p.Plot, all)
	return p
}

// wholeLoss is the loss of an evaluation, or NaN where it lacks terms that the loss of a step
// has, such as those of samples.
func wholeLoss(h *ngebm.History, e ngebm.Evaluation) float64 {
	for t, v := range e.Values {
		if t < len(h.Weights) && math.IsNaN(v) && h.Weights[t] > 0 {
			return math.NaN()
		}
	}
	return e.Loss
}

func termPanel(runs []Run, styles []draw.LineStyle, term string) panel {
	title := symbolOf(term).title
	var all []series
	for i, r := range runs {
		t := slices.Index(r.History.Terms, term)
		if t < 0 {
			continue
		}
		if weight := weightText(r.History, t); len(runs) == 1 && weight != "" {
			title += ", " + weight
		}
		all = append(all, stepSeries(r.History, r.History.Values[t], styles[i]))
		all = append(all, evaluationSeries(r.History, styles[i], false, func(e ngebm.Evaluation) float64 {
			if t < len(e.Values) {
				return e.Values[t]
			}
			return math.NaN()
		})...)
	}
	p := newHistoryPanel(title)
	addSeries(p.Plot, all)
	return p
}

// evaluatedOnce reports whether no split of any run was evaluated more than once, so
// that there is no curve to draw.
func evaluatedOnce(runs []Run) bool {
	for _, r := range runs {
		if len(splits(r.History)) < len(r.History.Evaluations) {
			return false
		}
	}
	return true
}

// accuracyPanel returns false where no run was evaluated.
func accuracyPanel(runs []Run, styles []draw.LineStyle) (p panel, ok bool) {
	var all []series
	for i, r := range runs {
		all = append(all, evaluationSeries(r.History, styles[i], true, func(e ngebm.Evaluation) float64 { return e.Accuracy })...)
	}
	if len(all) == 0 {
		return panel{}, false
	}
	p = newHistoryPanel("accuracy")
	addSeries(p.Plot, all)
	p.Y.Max = min(p.Y.Max, 1)
	p.Y.Min = max(p.Y.Min, 0)
	return p, true
}

func stepSeries(h *ngebm.History, values []float32, style draw.LineStyle) series {
	s := series{style: style, noisy: true}
	for i, v := range values {
		s.x, s.y = append(s.x, epoch(h, i+1)), append(s.y, float64(v))
	}
	return s
}

// evaluationSeries is one curve for each split that was evaluated: markers,
// joined by a line where asked for.
func evaluationSeries(h *ngebm.History, style draw.LineStyle, joined bool, value func(ngebm.Evaluation) float64) []series {
	var all []series
	for _, split := range splits(h) {
		s := series{style: style, mark: splitMark(split)}
		s.mark.Color = style.Color
		if !joined {
			s.style.Width = 0
		}
		for _, e := range h.Evaluations {
			if e.Split == split {
				s.x, s.y = append(s.x, epoch(h, e.Step)), append(s.y, value(e))
			}
		}
		if len(s.y) > 30 { // markers would hide the line and each other
			s.mark.Radius = 1
		}
		all = append(all, s)
	}
	return all
}

// splits lists what was evaluated, in the order it first was.
func splits(h *ngebm.History) []string {
	var names []string
	for _, e := range h.Evaluations {
		if !slices.Contains(names, e.Split) {
			names = append(names, e.Split)
		}
	}
	return names
}

func splitMark(split string) draw.GlyphStyle {
	mark := draw.GlyphStyle{Color: foreground, Radius: 2.6, Shape: polygon{36, 0}}
	if split == "test" {
		mark.Shape = polygon{4, 0}
	}
	return mark
}

// epoch turns a step into epochs, or leaves it where their length is not known.
func epoch(h *ngebm.History, step int) float64 {
	return float64(step) / float64(max(1, h.StepsPerEpoch))
}

func lastEpoch(runs []Run) float64 {
	last := 0.
	for _, r := range runs {
		last = max(last, epoch(r.History, r.History.Steps()))
		for _, e := range r.History.Events { // a run that was rolled back may be shorter than it was
			last = max(last, epoch(r.History, e.Step))
		}
	}
	return last
}

func epochLabel(runs []Run) string {
	for _, r := range runs {
		if r.History.StepsPerEpoch <= 0 {
			return "step"
		}
	}
	return "epoch"
}

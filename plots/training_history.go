package plots

import (
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/jem"
)

// Run is a training history under the name it goes by in a figure. Where what the run cost is given, the figure
// says how long it took, and how much of that it waited for data if it was much.
type Run struct {
	Name    string
	History *ngebm.History
	Cost    ngebm.Cost
	Color   color.Color // nil leaves the choice to the figure
}

// History draws how training went, against epochs: the loss, each of its terms
// separately and unweighted (the weight is in the title, or next to the run's name
// where several runs are compared), and the accuracy of the evaluations, in words where there is
// only the one at the end. Values
// of single steps are faint, with their moving average over a twenty-fifth of
// the run on top; markers are evaluations of a whole split. Steps without a finite
// value leave a gap. An event (a divergence, a rollback) is a numbered line at its step, and is described below, as is why a
// run stopped early.
//
// An axis is logarithmic where the averaged values cross two orders of
// magnitude.
func History(runs ...Run) (*Figure, error) {
	if err := checkRuns(runs); err != nil {
		return nil, err
	}
	styles := runStyles(runs)

	events := eventsOf(runs)
	panels := []panel{lossPanel(runs, styles)}
	for _, term := range termNames(runs) {
		panels = append(panels, termPanel(runs, styles, term))
	}
	if p, ok := accuracyPanel(runs, styles); ok && !evaluatedOnce(runs) {
		panels = append(panels, p)
	}

	columns := []int{1, 1, 2, 3, 2, 3}[min(len(panels), 5)]
	rows := (len(panels) + columns - 1) / columns
	for i := range panels {
		if i+columns >= len(panels) { // nothing is below it
			panels[i].xLabel = epochLabel(runs)
		}
		panels[i].X.Min, panels[i].X.Max = 0, lastEpoch(runs)
		panels[i].Add(eventLines(events))
	}

	keys := historyKeys(runs, styles)
	width := []vg.Length{0, 5 * vg.Inch, fullWidth, fullWidth}[columns]
	notes := historyNotes(runs, events, width-2*margin)
	rowHeight := []vg.Length{0, 230, 185, 165}[columns]
	lineHeight := vg.Length(labelSize) * 1.5
	keysHeight := keys.height(width - 2*margin)
	f := &Figure{Width: width, Alt: historyAlt(runs)}
	f.Height = 2*margin + keysHeight + gap/2 + vg.Length(rows)*rowHeight + vg.Length(len(notes))*lineHeight
	f.draw = func(c draw.Canvas) {
		c = inner(c)
		keys.draw(c)
		bottom := vg.Length(len(notes)) * lineHeight
		drawPanels(draw.Crop(c, 0, 0, bottom, -keysHeight-gap/2), panels, columns)
		for i, note := range notes {
			note.style.Color = note.color
			c.FillText(note.style, vg.Point{X: c.Min.X, Y: c.Min.Y + bottom - vg.Length(i+1)*lineHeight}, note.text)
		}
	}
	return f, nil
}

// runStyles returns a line style for each run.
func runStyles(runs []Run) []draw.LineStyle {
	names := make([]named, len(runs))
	for i, r := range runs {
		names[i] = named{r.Name, r.Color}
	}
	return stylesOf(names)
}

// checkRuns refuses what cannot be drawn, in one line.
func checkRuns(runs []Run) error {
	if len(runs) == 0 {
		return errors.New("plots: no run to draw a history of")
	}
	for _, r := range runs {
		h := r.History
		switch {
		case h == nil || h.Steps() == 0:
			return fmt.Errorf("plots: the history of %q has no steps: train it first", r.Name)
		case len(h.Values) != len(h.Terms) || len(h.Weights) != len(h.Terms):
			return fmt.Errorf("plots: the history of %q names %d terms but holds %d curves and %d weights", r.Name, len(h.Terms), len(h.Values), len(h.Weights))
		}
		for i, v := range h.Values {
			if len(v) != h.Steps() {
				return fmt.Errorf("plots: the history of %q has %d steps of the loss but %d of %s", r.Name, h.Steps(), len(v), h.Terms[i])
			}
		}
	}
	return nil
}

// termNames lists the terms of all runs in the order they first appear. A loss
// that is one term of weight 1 in every run is drawn once, as the loss.
func termNames(runs []Run) []string {
	var names []string
	lone := true
	for _, r := range runs {
		for i, name := range r.History.Terms {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			lone = lone && r.History.Weights[i] == 1
		}
	}
	if len(names) == 1 && lone {
		return nil
	}
	return names
}

// symbol is how the paper writes a term and its weight.
type symbol struct{ title, weight string }

// symbolOf knows the terms of NG-EBM and the baselines; any other keeps its name. A
// term without a weight's symbol is reported, not minimized.
func symbolOf(term string) symbol {
	switch term {
	case energy.NameCrossEntropy:
		return symbol{"cross-entropy (nats)", "α"}
	case energy.NameFocal:
		return symbol{"focal loss (nats)", "α"}
	case energy.NameVariance:
		return symbol{"Var[E(x)] (nats²)", "β"}
	case energy.NameGradientNorm:
		return symbol{"mean ‖∂E/∂x‖₂", "γ"}
	case energy.NameMargin:
		return symbol{"energy margin (nats²)", "w"}
	case energy.NameExposure:
		return symbol{"outlier exposure (nats)", "λ"}
	case energy.NameLogitNorm:
		return symbol{"cross-entropy of unit logits (nats)", "α"}
	case energy.NameZLoss:
		return symbol{"mean E(x)² (nats²)", "λ"}
	case energy.NameInputGradient:
		return symbol{"mean ‖∂CE/∂x‖₂", "λ"}
	case energy.NameJacobian:
		return symbol{"½ mean ‖∂f/∂x‖²", "λ"}
	case jem.NameGap:
		return symbol{"energy gap (nats)", "w"}
	case jem.NameJointGap:
		return symbol{"joint gap (nats)", "w"}
	case jem.NameSquare:
		return symbol{"squared energy (nats²)", "w"}
	case jem.NameSlope:
		return symbol{"‖∂E/∂x‖₂ at samples", ""}
	}
	return symbol{term, "weight"}
}

// weightText is empty for a term that is only watched.
func weightText(h *ngebm.History, term int) string {
	weight := symbolOf(h.Terms[term]).weight
	if weight == "" {
		return ""
	}
	return weight + " = " + strconv.FormatFloat(h.Weights[term], 'g', 4, 64)
}

// runLabel is a run's name with its weights, which no title can say where there
// are several runs.
func runLabel(r Run) string {
	var weights []string
	for t := range r.History.Terms {
		if weight := weightText(r.History, t); weight != "" {
			weights = append(weights, weight)
		}
	}
	if len(weights) < 2 {
		return r.Name
	}
	return r.Name + " (" + strings.Join(weights, ", ") + ")"
}

func historyKeys(runs []Run, styles []draw.LineStyle) legend {
	var keys legend
	for i, r := range runs {
		label := r.Name
		if len(runs) > 1 {
			label = runLabel(r)
		}
		if label != "" {
			keys = append(keys, lineKey(label, styles[i], draw.GlyphStyle{}))
		}
	}
	var seen []string
	for _, r := range runs {
		for _, split := range splits(r.History) {
			if !slices.Contains(seen, split) {
				seen = append(seen, split)
				keys = append(keys, lineKey(split, draw.LineStyle{}, splitMark(split)))
			}
		}
	}
	return keys
}

func historyAlt(runs []Run) string {
	var parts []string
	for _, r := range runs {
		h := r.History
		averaged := func(values []float32) []float64 { // as the curves are
			y := stepSeries(h, values, draw.LineStyle{}).y
			return movingAverage(y, averagedOver(len(y)))
		}
		loss, last := averaged(h.Loss), h.Steps()-1
		text := fmt.Sprintf("%s over %s, moving averages: the loss goes from %s to %s", strings.TrimSpace("Training history of "+r.Name), counted(h), said(loss[0]), said(loss[last]))
		for t, name := range h.Terms {
			if weight := weightText(h, t); weight != "" {
				name += " (" + weight + ")"
			}
			text += fmt.Sprintf(", %s ends at %s", name, said(averaged(h.Values[t])[last]))
		}
		for _, split := range splits(h) {
			for _, e := range slices.Backward(h.Evaluations) {
				if e.Split == split {
					text += fmt.Sprintf(", %s accuracy %.3f", split, e.Accuracy)
					break
				}
			}
		}
		parts = append(parts, text+".")
	}
	for _, e := range eventsOf(runs) {
		parts = append(parts, e.text+".")
	}
	return strings.Join(append(parts, stopNotes(runs)...), " ")
}

// said writes a value for the alternative text.
func said(v float64) string {
	if !finite(v) {
		return "what is no finite number"
	}
	return fmt.Sprintf("%.3g", v)
}

func counted(h *ngebm.History) string {
	if h.StepsPerEpoch <= 0 {
		return fmt.Sprintf("%d steps", h.Steps())
	}
	return fmt.Sprintf("%.4g epochs (%d steps)", epoch(h, h.Steps()), h.Steps())
}

package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// SeverityRun is a metric of one trained model, such as its accuracy, on a set
// without corruption and at each severity.
type SeverityRun struct {
	Name   string      // the method's; runs of one name are seeds
	Values []float64   // in [0,1]: without corruption, then at severity 1, 2 …
	Color  color.Color // nil leaves the choice to the figure; of seeds, the first one's counts
}

// SeverityPanel compares methods under one kind of corruption.
type SeverityPanel struct {
	Title string
	Runs  []SeverityRun // all with as many severities
}

// Severities draws a metric, such as "accuracy", against the severity of
// corruptions, three panels in a row, all on one axis, which begins below the smallest
// value where that is far from zero, else at zero. Runs of one name are seeds:
// the line is their mean, and the band goes from the smallest to the largest. The
// caption should say what set was corrupted.
func Severities(metric, caption string, panels ...SeverityPanel) (*Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("plots: no metric against severity to draw")
	}
	var all []SeverityRun
	for _, p := range panels {
		if err := p.check(); err != nil {
			return nil, err
		}
		all = append(all, p.Runs...)
	}
	names := namesOf(groupByName(all, SeverityRun.name), func(r SeverityRun) color.Color { return r.Color })
	styles := map[string]draw.LineStyle{}
	var keys legend
	for i, style := range stylesOf(names) {
		styles[names[i].name] = style
		keys = append(keys, lineKey(names[i].name, style, draw.GlyphStyle{}))
	}
	if slices.ContainsFunc(panels, func(p SeverityPanel) bool { return haveSeeds(p.Runs, SeverityRun.name) }) {
		keys = append(keys, boxKey("range of the seeds", withAlpha(foreground, bandAlpha)))
	}
	lowest, highest := 1., 0.
	for _, r := range all {
		lowest, highest = min(lowest, slices.Min(r.Values)), max(highest, slices.Max(r.Values))
	}
	if lowest < highest/8 {
		lowest = 0
	}
	var drawn []panel
	alt := []string{fmt.Sprintf("%s against the severity of corruption.", metric)}
	for i, p := range panels {
		one, text := p.panel(styles)
		pad := max((highest-lowest)/20, .005)
		one.Y.Min, one.Y.Max = max(0, lowest-pad), min(1, highest+pad)
		if i%panelColumns(len(panels)) == 0 {
			one.yLabel = metric
		}
		drawn, alt = append(drawn, one), append(alt, text)
	}
	return figureGrid{keys, drawn, caption}.figure(strings.Join(alt, " ")), nil
}

func (r SeverityRun) name() string { return r.Name }

func (p SeverityPanel) check() error {
	if len(p.Runs) == 0 {
		return fmt.Errorf("plots: the panel %q has no runs", p.Title)
	}
	for _, r := range p.Runs {
		if len(r.Values) < 2 || len(r.Values) != len(p.Runs[0].Values) {
			return fmt.Errorf("plots: %q under %s has %d values: give the set's own and one for each severity, as many for every run", r.Name, p.Title, len(r.Values))
		}
		for severity, v := range r.Values {
			if !isShare(v) {
				return fmt.Errorf("plots: %q under %s is %v at severity %d, want a number in [0,1]", r.Name, p.Title, v, severity)
			}
		}
	}
	return nil
}

func (p SeverityPanel) panel(styles map[string]draw.LineStyle) (panel, string) {
	one := panel{Plot: newPlot(), title: p.Title, aspect: .72, xLabel: "severity (0: as it is)"}
	one.X.Max = float64(len(p.Runs[0].Values) - 1)
	var ticks plot.ConstantTicks
	for severity := range p.Runs[0].Values {
		ticks = append(ticks, plot.Tick{Value: float64(severity), Label: fmt.Sprint(severity)})
	}
	one.X.Tick.Marker = ticks
	one.Add(gridLines{})
	alt := p.Title + ":"
	for i, g := range groupByName(p.Runs, SeverityRun.name) {
		line := band{style: styles[g.name]}
		for severity := range p.Runs[0].Values {
			mean, low, high := 0., math.Inf(1), math.Inf(-1)
			for _, r := range g.members {
				v := r.Values[severity]
				mean, low, high = mean+v/float64(len(g.members)), min(low, v), max(high, v)
			}
			line.x = append(line.x, float64(severity))
			line.mean, line.low, line.high = append(line.mean, mean), append(line.low, low), append(line.high, high)
		}
		one.Add(line)
		if i > 0 {
			alt += ","
		}
		alt += fmt.Sprintf(" %s goes from %.3f to %.3f", g.label(), line.mean[0], line.mean[len(line.mean)-1])
	}
	return one, alt + "."
}

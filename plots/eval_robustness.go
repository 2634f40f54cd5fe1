package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/attack"
)

// EpsilonUnit says what the axis of ε counts in.
type EpsilonUnit int

const (
	// In255ths counts in 1/255 of the pixel range, as the literature does.
	In255ths EpsilonUnit = iota
	// DataUnits counts in the units of points in the plane.
	DataUnits
)

// RobustRun is the accuracy of one trained model under attack.
type RobustRun struct {
	Name  string // the method's; runs of one name are seeds
	Curve *attack.Curve
	Color color.Color // nil leaves the choice to the figure; of seeds, the first one's counts
}

// RobustPanel compares methods under one attack.
type RobustPanel struct {
	Title string
	Unit  EpsilonUnit
	Runs  []RobustRun // one attack at several ε
	Worst []RobustRun // a stronger attack, at one ε or few; may be nil
}

// Robustness draws accuracy against ε, three panels in a row. Runs of one name
// are seeds: the line is their mean, and the band goes from the lowest to the
// highest end of their 95 % intervals, so it holds both the draw of the images and
// that of the seed. The stronger attack is drawn as diamonds with such an
// interval, side by side where they have one ε. The caption names the
// attacks.
func Robustness(panels ...RobustPanel) (*Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("plots: no accuracy against ε to draw")
	}
	var names []named
	worst, interval := false, oneInterval
	for _, p := range panels {
		if len(p.Runs) == 0 {
			return nil, fmt.Errorf("plots: the panel %q has no runs", p.Title)
		}
		for _, r := range slices.Concat(p.Runs, p.Worst) {
			if !slices.ContainsFunc(names, func(n named) bool { return n.name == r.Name }) {
				names = append(names, named{r.Name, r.Color})
			}
		}
		worst = worst || len(p.Worst) > 0
		if haveSeeds(p.Runs, RobustRun.name) || haveSeeds(p.Worst, RobustRun.name) {
			interval = rangeOfSeveral
		}
	}
	styles := map[string]draw.LineStyle{}
	var keys legend
	for i, style := range stylesOf(names) {
		styles[names[i].name] = style
		keys = append(keys, lineKey(names[i].name, style, draw.GlyphStyle{}))
	}
	keys = append(keys, boxKey(interval, withAlpha(foreground, bandAlpha)))
	if worst {
		keys = append(keys, lineKey("stronger attack", draw.LineStyle{}, worstMark(foreground)))
	}
	var drawn []panel
	var alt, attacks []string
	for i, p := range panels {
		one, text, err := p.panel(styles)
		if err != nil {
			return nil, err
		}
		if i%panelColumns(len(panels)) == 0 {
			one.yLabel = "accuracy"
		}
		drawn, alt, attacks = append(drawn, one), append(alt, text), append(attacks, p.attacks())
	}
	return figureGrid{keys, drawn, strings.Join(attacks, " ")}.figure(strings.Join(alt, " ")), nil
}

func (r RobustRun) name() string { return r.Name }

func (p RobustPanel) panel(styles map[string]draw.LineStyle) (panel, string, error) {
	one := panel{Plot: newPlot(), title: p.Title, aspect: 0.72, xLabel: "ε (units of the data)"}
	unit := 1.
	if p.Unit == In255ths {
		unit, one.xLabel = 255, "ε (1/255 of the pixel range)"
	}
	one.Y.Min, one.Y.Max = 0, 1
	one.Add(gridLines{})
	alt := []string{fmt.Sprintf("Accuracy against ε, %s.", p.Title)}
	for k, runs := range [][]RobustRun{p.Runs, p.Worst} {
		groups := groupByName(runs, RobustRun.name)
		for i, g := range groups {
			line, err := poolSeeds(g, unit)
			if err != nil {
				return panel{}, "", err
			}
			last := len(line.x) - 1
			one.X.Max = max(one.X.Max, line.x[last])
			line.style = styles[g.name]
			if k == 0 {
				one.Add(line)
				alt = append(alt, fmt.Sprintf("%s falls from %.3f to %.3f at ε = %.3g.", g.label(), line.mean[0], line.mean[last], line.x[last]))
			} else {
				line.x, line.mean, line.low, line.high = line.x[1:], line.mean[1:], line.low[1:], line.high[1:] // ε = 0 is no attack
				one.Add(dodged{line, (vg.Length(i) - vg.Length(len(groups)-1)/2) * 5})
				alt = append(alt, fmt.Sprintf("Under the stronger attack %s keeps %.3f at ε = %.3g.", g.label(), line.mean[len(line.mean)-1], line.x[len(line.x)-1]))
			}
		}
	}
	if one.X.Max == 0 {
		one.X.Max = 1
	}
	one.X.Max *= 1.04 // room for what is drawn next to the last ε
	return one, strings.Join(alt, " "), nil
}

// attacks names a panel's attacks and how many images they were tried on.
func (p RobustPanel) attacks() string {
	list := func(runs []RobustRun) string {
		var names []string
		for _, r := range runs {
			if name := fmt.Sprintf("%s on %d examples", r.Curve.Attack, r.Curve.N); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	}
	text := p.Title + ": " + list(p.Runs)
	if len(p.Worst) > 0 {
		text += "; diamonds: " + list(p.Worst)
	}
	return text + "."
}

// band is the accuracy of a method at each ε.
type band struct {
	x, mean, low, high []float64
	style              draw.LineStyle
}

// poolSeeds checks the curves of one name and joins them, ε = 0 first.
func poolSeeds(g group[RobustRun], unit float64) (band, error) {
	var b band
	for s, r := range g.members {
		if r.Curve == nil || len(r.Curve.Points) == 0 {
			return band{}, fmt.Errorf("plots: %q has no accuracy at any ε: pass a curve of package attack", r.Name)
		}
		first := g.members[0].Curve
		if r.Curve.Attack != first.Attack || r.Curve.Norm != first.Norm || len(r.Curve.Points) != len(first.Points) {
			return band{}, fmt.Errorf("plots: runs of %q differ in their attack or their ε: %s at %d and %s at %d; seeds must be attacked alike", r.Name, first.Attack, len(first.Points), r.Curve.Attack, len(r.Curve.Points))
		}
		for i, point := range append([]attack.Point{r.Curve.Clean}, r.Curve.Points...) {
			x := point.Epsilon * unit
			switch {
			case !finite(x) || !isShare(point.Accuracy) || !isShare(point.Low) || !isShare(point.High):
				return band{}, fmt.Errorf("plots: %q at ε = %v: %+v is no accuracy with an interval", r.Name, point.Epsilon, point)
			case s > 0 && x != b.x[i]:
				return band{}, fmt.Errorf("plots: runs of %q were attacked at ε = %v and %v: seeds must be attacked alike", r.Name, b.x[i]/unit, point.Epsilon)
			case i > 0 && s == 0 && x <= b.x[i-1]:
				return band{}, fmt.Errorf("plots: ε of %q must ascend, but %v is at index %d", r.Name, point.Epsilon, i-1)
			case s == 0:
				b.x, b.mean, b.low, b.high = append(b.x, x), append(b.mean, 0), append(b.low, math.Inf(1)), append(b.high, math.Inf(-1))
			}
			b.mean[i] += point.Accuracy / float64(len(g.members))
			b.low[i], b.high[i] = min(b.low[i], point.Low), max(b.high[i], point.High)
		}
	}
	return b, nil
}

// Plot implements [plot.Plotter].
func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	var line, outline []vg.Point
	for i, x := range b.x {
		line = append(line, vg.Point{X: trX(x), Y: trY(b.mean[i])})
		outline = append(outline, vg.Point{X: trX(x), Y: trY(b.high[i])})
	}
	for i, x := range slices.Backward(b.x) {
		outline = append(outline, vg.Point{X: trX(x), Y: trY(b.low[i])})
	}
	c.FillPolygon(withAlpha(b.style.Color, 0x28), outline)
	c.StrokeLines(b.style, line)
	mark := draw.GlyphStyle{Color: b.style.Color, Radius: 2, Shape: polygon{36, 0}}
	for _, at := range line {
		c.DrawGlyphNoClip(mark, at)
	}
}

func worstMark(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 3.6, Shape: polygon{4, 0}}
}

// dodged draws each accuracy as a diamond with its interval, moved sideways.
type dodged struct {
	band
	by vg.Length
}

// Plot implements [plot.Plotter].
func (d dodged) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for i, x := range d.x {
		at := trX(x) + d.by
		c.StrokeLine2(draw.LineStyle{Color: d.style.Color, Width: 1.2}, at, trY(d.low[i]), at, trY(d.high[i]))
		c.DrawGlyphNoClip(worstMark(d.style.Color), vg.Point{X: at, Y: trY(d.mean[i])})
	}
}

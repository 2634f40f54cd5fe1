package plots

import (
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/calibration"
)

// RiskCurve is the risk-coverage curve of one trained model.
type RiskCurve struct {
	Name   string // the method's; curves of one name are seeds
	Points []calibration.RiskPoint
	Color  color.Color // nil leaves the choice to the figure; of seeds, the first one's counts
	AURC   float64     // for the legend, which gives the mean of seeds
}

// RiskCoverage draws risk-coverage curves (El-Yaniv and Wiener 2010): the share
// of wrong answers among those given, against the share of the examples that are
// answered, the most confident first. Curves of one name are seeds and look the
// same. The axis of the risk fits the risks beyond a coverage of 5 %; before
// that, single errors make a curve jump.
func RiskCoverage(curves ...RiskCurve) (*Figure, error) {
	if len(curves) == 0 {
		return nil, errors.New("plots: no risk-coverage curve to draw")
	}
	p := newPlot()
	p.X.Min, p.X.Max = 0, 1
	p.Add(gridLines{})
	groups := groupByName(curves, func(c RiskCurve) string { return c.Name })
	styles := stylesOf(namesOf(groups, func(c RiskCurve) color.Color { return c.Color }))
	highest := 0.
	rows := table{header: "AURC"}
	var alt []string
	for i, g := range groups {
		style := seedStyle(styles[i], len(g.members))
		var aurc, risk float64
		for _, c := range g.members {
			if err := c.check(); err != nil {
				return nil, err
			}
			var x, y []float64
			for _, point := range c.Points {
				x, y = append(x, point.Coverage), append(y, point.Risk)
				if point.Coverage >= 0.05 {
					highest = max(highest, point.Risk)
				}
			}
			addLine(p, x, y, style)
			if x[0] == x[len(x)-1] { // a line without length shows nothing
				p.Add(marks{x, y, draw.GlyphStyle{Color: style.Color, Radius: binRadius, Shape: polygon{36, 0}}})
			}
			aurc += c.AURC / float64(len(g.members))
			risk += c.Points[len(c.Points)-1].Risk / float64(len(g.members))
		}
		rows.rows = append(rows.rows, tableRow{key: lineKey(g.label(), styles[i], draw.GlyphStyle{}), value: fmt.Sprintf("%.4f", aurc)})
		alt = append(alt, fmt.Sprintf("%s: risk %.3f at full coverage, AURC %.4f", g.label(), risk, aurc))
	}
	p.Y.Min, p.Y.Max = 0, min(1, max(highest*1.05, 1e-3))
	one := panel{
		Plot: p, title: "Risk against coverage", aspect: 0.62,
		xLabel: "coverage: share of the examples answered", yLabel: "risk: share of wrong answers",
		below: rows.draw, belowHeight: rows.height(),
	}
	return figureGrid{panels: []panel{one}}.figure("Risk-coverage curves. " + strings.Join(alt, "; ") + "."), nil
}

func (c RiskCurve) check() error {
	if len(c.Points) == 0 {
		return fmt.Errorf("plots: the risk-coverage curve of %q has no points", c.Name)
	}
	for i, p := range c.Points {
		if !isShare(p.Coverage) || !isShare(p.Risk) || i > 0 && p.Coverage < c.Points[i-1].Coverage {
			return fmt.Errorf("plots: point %d of the risk-coverage curve of %q is %+v: coverage must ascend in [0,1], risk must be in [0,1]", i+1, c.Name, p)
		}
	}
	if !finite(c.AURC) {
		return fmt.Errorf("plots: the AURC of %q is %v", c.Name, c.AURC)
	}
	return nil
}

// group holds what has one name: the seeds of a method.
type group[T any] struct {
	name    string
	members []T
}

// haveSeeds reports whether several have one name.
func haveSeeds[T any](all []T, name func(T) string) bool {
	return len(groupByName(all, name)) < len(all)
}

// groupByName groups in the order in which the names first appear.
func groupByName[T any](all []T, name func(T) string) []group[T] {
	var groups []group[T]
	for _, v := range all {
		i := slices.IndexFunc(groups, func(g group[T]) bool { return g.name == name(v) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group[T]{name: name(v)})
		}
		groups[i].members = append(groups[i].members, v)
	}
	return groups
}

// namesOf lists the groups' names and colors.
func namesOf[T any](groups []group[T], colorOf func(T) color.Color) []named {
	names := make([]named, len(groups))
	for i, g := range groups {
		names[i] = named{g.name, colorOf(g.members[0])}
	}
	return names
}

// label says how many seeds there are, if several.
func (g group[T]) label() string {
	if len(g.members) > 1 {
		return fmt.Sprintf("%s (%d seeds)", g.name, len(g.members))
	}
	return g.name
}

// seedStyle is a thinner line where several seeds are drawn.
func seedStyle(style draw.LineStyle, seeds int) draw.LineStyle {
	if seeds > 1 {
		style.Width = vg.Length(1.1)
	}
	return style
}

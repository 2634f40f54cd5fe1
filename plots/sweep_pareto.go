package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"ngebm/ngebm/study"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"ngebm/ngebm/study/palette"
)

// Pareto draws the settings of a sweep by two of its metrics, and in the color of a
// third: a large ringed point for each setting that no other dominates in all three,
// smaller ones for the others. Points are labeled with their settings, those
// of the front first; labels of others are left out where they have no room. Settings
// with a seed that failed are left out, and counted in the caption.
func Pareto(t *study.SweepTable, x, y, third string) (*Figure, error) {
	places, err := checkSweep(t, x, y, third)
	if err != nil {
		return nil, err
	}
	if x == y || third == x || third == y {
		return nil, errors.New("plots: a Pareto view needs three different metrics")
	}
	front, err := t.Pareto(x, y, third)
	if err != nil {
		return nil, err
	}
	colors, err := newHeat(t, places[2])
	if err != nil {
		return nil, err
	}
	view := paretoPoints{heat: colors}
	failed := 0
	for i, r := range t.Rows {
		if !drawable(r) {
			failed++
			continue
		}
		view.add(paretoPoint{
			r.Metrics[places[0]].Mean, r.Metrics[places[1]].Mean, r.Metrics[places[2]].Mean,
			slices.Contains(front, i), []string{varying(t, r.Settings)},
		})
	}
	// The front above the others.
	slices.SortStableFunc(view.points, func(a, b paretoPoint) int {
		switch {
		case a.front == b.front:
			return 0
		case b.front:
			return -1
		}
		return 1
	})
	one := panel{Plot: newPlot(), title: "Pareto view", aspect: .72, xLabel: withDirection(t.Metrics[places[0]]), yLabel: withDirection(t.Metrics[places[1]])}
	one.X.Min, one.X.Max = padded(view.points, func(p paretoPoint) float64 { return p.x })
	one.Y.Min, one.Y.Max = padded(view.points, func(p paretoPoint) float64 { return p.y })
	one.Add(gridLines{}, view)
	one.below, one.belowHeight = colors.drawBar, barSpace
	keys := legend{
		lineKey("on the front of all three", draw.LineStyle{}, frontMark(palette.SkyBlue)),
		lineKey("beaten by another", draw.LineStyle{}, beatenMark(palette.SkyBlue)),
	}
	var onFront []string
	for _, i := range front {
		r := t.Rows[i]
		onFront = append(onFront, fmt.Sprintf("%s (%.3f, %.3f, %.3f)", settingsSaid(t, r.Settings), r.Metrics[places[0]].Mean, r.Metrics[places[1]].Mean, r.Metrics[places[2]].Mean))
	}
	alt := fmt.Sprintf("Pareto view of %s against %s, with %s as color. On the front: %s.", t.Metrics[places[1]].Name, t.Metrics[places[0]].Name, t.Metrics[places[2]].Name, strings.Join(onFront, "; "))
	return figureGrid{keys, []panel{one}, view.caption(t, places, failed)}.figure(alt), nil
}

// varying writes the values of the settings that the sweep varies: "0.1 / 0".
func varying(t *study.SweepTable, settings []string) string {
	var parts []string
	for i, v := range settings {
		if len(t.Grid[i].Values) > 1 {
			parts = append(parts, settingValue(v))
		}
	}
	return strings.Join(parts, " / ")
}

// paretoPoint is what one combination of settings, or several that coincide, gave.
type paretoPoint struct {
	x, y, third float64
	front       bool
	names       []string
}

// label joins the names, of many only the first.
func (p paretoPoint) label() string {
	if more := len(p.names) - 2; more > 1 {
		return fmt.Sprintf("%s; %s; %d more", p.names[0], p.names[1], more)
	}
	return strings.Join(p.names, "; ")
}

// paretoPoints draws the points and as many labels as have room.
type paretoPoints struct {
	points []paretoPoint
	heat   heat
}

// add joins a point to one that it coincides with.
func (v *paretoPoints) add(p paretoPoint) {
	for i, other := range v.points {
		if other.x == p.x && other.y == p.y && other.third == p.third {
			v.points[i].names = append(other.names, p.names...)
			return
		}
	}
	v.points = append(v.points, p)
}

// padded is the range of a coordinate with room for marks and labels.
func padded(points []paretoPoint, of func(paretoPoint) float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range points {
		low, high = min(low, of(p)), max(high, of(p))
	}
	pad := .12 * (high - low)
	if flat(low, high) { // all the same
		pad = max(math.Abs(low)/100, 1e-3)
	}
	return low - pad, high + pad
}

func (v paretoPoints) caption(t *study.SweepTable, places []int, failed int) string {
	var names, halves []string
	for _, s := range t.Grid {
		if len(s.Values) > 1 {
			names = append(names, settingName(s.Key))
		}
	}
	for _, k := range places {
		var widths []float64
		for _, r := range t.Rows {
			if drawable(r) {
				widths = append(widths, r.Metrics[k].Half())
			}
		}
		halves = append(halves, fmt.Sprintf("%s ±%.3f", t.Metrics[k].Name, median(widths)))
	}
	text := ""
	if len(names) > 0 {
		text = "Labels: " + strings.Join(names, " / ") + ". "
	}
	text += seedsSaid(t)
	if len(t.Seeds) > 1 {
		text += fmt.Sprintf(" Intervals are not drawn; the median is %s.", strings.Join(halves, ", "))
	}
	if failed > 0 {
		text += fmt.Sprintf(" Left out, since a seed failed: %d of %d settings.", failed, len(t.Rows))
	}
	return text
}

func beatenMark(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 3.2, Shape: polygon{36, 0}}
}

func frontMark(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 5, Shape: ringed{}}
}

// ringed is a filled circle in a black ring.
type ringed struct{}

// DrawGlyph implements [draw.GlyphDrawer].
func (ringed) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	draw.CircleGlyph{}.DrawGlyph(c, style, at)
	c.SetLineStyle(draw.LineStyle{Color: color.Black, Width: lineWidth})
	var ring vg.Path
	ring.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
	ring.Arc(at, style.Radius, 0, 2*math.Pi)
	ring.Close()
	c.Stroke(ring)
}

// Plot implements [plot.Plotter].
func (v paretoPoints) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	var taken []vg.Rectangle
	at := make([]vg.Point, len(v.points))
	for i, point := range v.points {
		at[i] = vg.Point{X: trX(point.x), Y: trY(point.y)}
		style := beatenMark(v.heat.color(point.third))
		if point.front {
			style = frontMark(style.Color)
		}
		c.DrawGlyphNoClip(style, at[i])
		taken = append(taken, around(at[i], style.Radius, style.Radius))
	}
	for i, point := range slices.Backward(v.points) { // the front first
		style := textStyle(tickSize, point.front)
		style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
		width := style.Width(point.label())
		box, free := place(at[i], width/2+1, tickSize*.6, c.Rectangle, taken)
		if !free && !point.front {
			continue
		}
		taken = append(taken, box)
		middle := vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}
		c.FillText(style, middle, point.label())
	}
}

func around(at vg.Point, halfWidth, halfHeight vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: at.X - halfWidth, Y: at.Y - halfHeight}, Max: vg.Point{X: at.X + halfWidth, Y: at.Y + halfHeight}}
}

// place finds room for a label next to a point: where it covers nothing that is taken,
// else where it covers the smallest. Nothing is placed outside of the area.
func place(at vg.Point, halfWidth, halfHeight vg.Length, area vg.Rectangle, taken []vg.Rectangle) (box vg.Rectangle, free bool) {
	smallest := vg.Length(math.Inf(1))
	for _, gap := range []vg.Length{7, 12} {
		dx, dy := gap+halfWidth, gap+halfHeight
		for _, move := range []vg.Point{{X: dx}, {X: -dx}, {Y: dy}, {Y: -dy}, {X: dx - 3, Y: dy - 3}, {X: -dx + 3, Y: dy - 3}, {X: dx - 3, Y: -dy + 3}, {X: -dx + 3, Y: -dy + 3}} {
			middle := vg.Point{
				X: min(max(at.X+move.X, area.Min.X+halfWidth), area.Max.X-halfWidth),
				Y: min(max(at.Y+move.Y, area.Min.Y+halfHeight), area.Max.Y-halfHeight),
			}
			candidate, covered := around(middle, halfWidth, halfHeight), vg.Length(0)
			for _, t := range taken {
				covered += overlap(candidate, t)
			}
			if covered < smallest {
				box, smallest = candidate, covered
			}
			if covered == 0 {
				return box, true
			}
		}
	}
	return box, false
}

// overlap is the area that two rectangles share, in square points.
func overlap(a, b vg.Rectangle) vg.Length {
	width := min(a.Max.X, b.Max.X) - max(a.Min.X, b.Min.X)
	height := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	return max(width, 0) * max(height, 0)
}

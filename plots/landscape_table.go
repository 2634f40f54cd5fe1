package plots

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LandscapeRow is one row of a [LandscapeTable], such as one method.
type LandscapeRow struct {
	Name       string
	Landscapes []Landscape // one for each column; their titles are not drawn
}

// maxColumns is how many landscapes have room in a row.
const maxColumns = 6

// LandscapeTable draws small landscapes in rows and columns with a name for each, as
// Landscapes does. With [OwnScale] the range of each one's energies, of which its
// colors go from the lowest to the highest, is above it in place of a color
// bar. Axes are x₁ and x₂, without words. Up to six columns have room.
func LandscapeTable(scale Scale, columns []string, rows ...LandscapeRow) (*Figure, error) {
	if len(columns) == 0 || len(columns) > maxColumns || len(rows) == 0 {
		return nil, fmt.Errorf("plots: a table of %d rows and %d columns of landscapes: give a row or more, and 1 to %d columns", len(rows), len(columns), maxColumns)
	}
	var all []Landscape
	for i, row := range rows {
		if len(row.Landscapes) != len(columns) {
			return nil, fmt.Errorf("plots: row %d, %q, has %d landscapes for %d columns", i, row.Name, len(row.Landscapes), len(columns))
		}
		all = append(all, row.Landscapes...)
	}
	low, high := math.Inf(1), math.Inf(-1)
	ranges := make([][2]float64, len(all))
	for i, l := range all {
		if err := l.check(); err != nil {
			return nil, err
		}
		ranges[i][0], ranges[i][1] = l.Grid.energyRange()
		low, high = min(low, ranges[i][0]), max(high, ranges[i][1])
	}
	shared, err := newBands(low, high, manyBands)
	if err != nil {
		return nil, err
	}
	panels, arrow, numbers := make([]panel, len(all)), arrowNorm(all), landscapeClasses(all)
	for i, l := range all {
		b := shared
		if scale == OwnScale {
			if b, err = newBands(ranges[i][0], ranges[i][1], fewBands); err != nil {
				return nil, err
			}
		}
		p := l.panel(b, len(columns), arrow, numbers)
		p.title, p.xLabel, p.yLabel = "", "", "" // too small for them
		if scale == OwnScale {
			p.notes = append([]string{fmt.Sprintf("E from %s to %s", short(ranges[i][0]), short(ranges[i][1]))}, p.notes...)
		}
		p.leftWidth = labelSize * 2
		panels[i] = p
	}
	// A panel whose axis is that of its neighbor on the left, or below, has no ticks.
	same := func(a, b plot.Axis) bool { return a.Min == b.Min && a.Max == b.Max }
	for i, p := range panels {
		if i%len(columns) > 0 && same(p.Y, panels[i-1].Y) {
			p.Y.Tick.Marker = plot.ConstantTicks(nil)
		}
		if below := i + len(columns); below < len(panels) && same(p.X, panels[below].X) {
			p.X.Tick.Marker = plot.ConstantTicks(nil)
		}
	}
	keys := landscapeKeys(all, arrow, numbers)
	f := &Figure{Width: fullWidth, Alt: landscapeTableAlt(columns, rows, ranges), photo: pinnedColors(all)}
	width := f.Width - 2*margin
	keysHeight, head := keys.height(width)+gap/2, vg.Length(titleHeight)
	var barHeight vg.Length
	if scale == SharedScale {
		barHeight = barSpace
	}
	f.Height = 2*margin + keysHeight + head + barHeight + panelsHeight(panels, len(columns), width)
	f.draw = func(c draw.Canvas) {
		c = inner(c)
		keys.draw(c)
		areas := drawPanels(draw.Crop(c, 0, 0, barHeight, -keysHeight-head), panels, len(columns))
		name := textStyle(titleSize, true)
		name.XAlign = draw.XCenter
		for i, text := range columns {
			at := vg.Point{X: areas[i].Min.X + areas[i].Size().X/2, Y: c.Max.Y - keysHeight - head + 5}
			c.FillText(name, at, shorten(text, areas[i].Size().X+gap/2, name.Width))
		}
		name.Rotation = math.Pi / 2
		name.YAlign = draw.YTop
		for i, row := range rows {
			area := areas[i*len(columns)]
			at := vg.Point{X: c.Min.X, Y: area.Min.Y + area.Size().Y/2}
			level := name
			level.Rotation = 0
			c.FillText(name, at, shorten(row.Name, area.Size().Y+gap, level.Width))
		}
		if scale == SharedScale {
			side := c.Size().X / 5
			shared.drawBar(draw.Crop(c, side, -side, 0, barHeight-c.Size().Y))
		}
	}
	return f, nil
}

// short writes a number with three digits and a real minus sign.
func short(v float64) string { return strings.Replace(fmt.Sprintf("%.3g", v), "-", "−", 1) }

func landscapeTableAlt(columns []string, rows []LandscapeRow, ranges [][2]float64) string {
	var parts []string
	for i, row := range rows {
		var cells []string
		for j, l := range row.Landscapes {
			r := ranges[i*len(columns)+j]
			cells = append(cells, fmt.Sprintf("%s: %.3g to %.3g%s", columns[j], r[0], r[1], l.overlaysAlt()))
		}
		parts = append(parts, fmt.Sprintf("%s, %s", row.Name, strings.Join(cells, "; ")))
	}
	return "A table of energy landscapes over the plane, with the range of the energy in each. " + strings.Join(parts, ". ") + "."
}

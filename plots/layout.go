package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// key is one entry of a legend: a small drawing and what it stands for.
type key struct {
	label string
	thumb func(c draw.Canvas) // on a canvas of thumbWidth by the text's height
}

const (
	thumbWidth vg.Length = 20
	keyHeight  vg.Length = 15
	keyGap     vg.Length = 14
)

// lineKey stands for a line, with a marker on it unless that has no shape.
func lineKey(label string, line draw.LineStyle, mark draw.GlyphStyle) key {
	return key{label, func(c draw.Canvas) {
		middle := c.Center()
		if line.Width > 0 {
			c.StrokeLine2(line, c.Min.X, middle.Y, c.Max.X, middle.Y)
		}
		if mark.Shape != nil {
			c.DrawGlyphNoClip(mark, middle)
		}
	}}
}

// legend lays keys out in lines, as words of a text. It is above or below
// the panels, never on the data.
type legend []key

// lines breaks the legend into lines of at most a width. A label that is longer is cut.
func (l legend) lines(width vg.Length) [][]key {
	style := textStyle(labelSize, false)
	var lines [][]key
	used := vg.Length(0)
	for _, k := range l {
		k.label = shorten(k.label, width-thumbWidth-4, style.Width)
		w := thumbWidth + 4 + style.Width(k.label) + keyGap
		if len(lines) == 0 || used+w-keyGap > width {
			lines = append(lines, nil)
			used = 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], k)
		used += w
	}
	return lines
}

// height is what the legend takes up in a width.
func (l legend) height(width vg.Length) vg.Length {
	return vg.Length(len(l.lines(width))) * keyHeight
}

// draw draws the legend from the top left of a canvas.
func (l legend) draw(c draw.Canvas) {
	style := textStyle(labelSize, false)
	style.YAlign = draw.YCenter
	top := c.Max.Y
	for _, line := range l.lines(c.Size().X) {
		x := c.Min.X
		for _, k := range line {
			k.thumb(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: top - keyHeight}, Max: vg.Point{X: x + thumbWidth, Y: top},
			}})
			x += thumbWidth + 4
			c.FillText(style, vg.Point{X: x, Y: top - keyHeight/2}, k.label)
			x += style.Width(k.label) + keyGap
		}
		top -= keyHeight
	}
}

// inner is a canvas without the figure's margin.
func inner(c draw.Canvas) draw.Canvas { return draw.Crop(c, margin, -margin, margin, -margin) }

// panel is one plot of a figure with its words. They are drawn next to the plot,
// not by it, so that those of neighbors are aligned.
type panel struct {
	*plot.Plot
	title, xLabel, yLabel string
	notes                 []string            // lines between title and data
	aspect                float64             // height over width of the data's area, where that is fixed
	below                 func(c draw.Canvas) // drawn under the panel, if any, as wide as the data's area
	belowHeight           vg.Length
	leftWidth             vg.Length // what the plot draws to the left of its area, in the first column
}

const (
	titleHeight  vg.Length = titleSize * 1.9
	xLabelHeight vg.Length = labelSize * 1.6
	yLabelWidth  vg.Length = labelSize * 1.6
	noteHeight   vg.Length = tickSize * 1.4
)

// panelTiles lays panels out in rows of the given number of columns, the last of
// which may end early, with room for their words.
func panelTiles(panels []panel, columns int) draw.Tiles {
	above := titleHeight / 3
	if slices.ContainsFunc(panels, func(p panel) bool { return p.title != "" }) {
		above = titleHeight
	}
	tiles := draw.Tiles{
		Rows: (len(panels) + columns - 1) / columns, Cols: columns,
		PadX: gap, PadY: above + gap/2, PadTop: above, PadBottom: xLabelHeight,
	}
	for i, p := range panels {
		if p.yLabel != "" {
			tiles.PadLeft = yLabelWidth
			if i%columns > 0 {
				tiles.PadX = gap + yLabelWidth
			}
		}
		tiles.PadLeft = max(tiles.PadLeft, p.leftWidth)
		if p.xLabel != "" && i/columns < tiles.Rows-1 && i+columns < len(panels) {
			tiles.PadY = above + gap/2 + xLabelHeight
		}
	}
	var below, note vg.Length
	for _, p := range panels {
		below = max(below, p.belowHeight)
		note = max(note, vg.Length(len(p.notes))*noteHeight)
	}
	tiles.PadY += below + note
	tiles.PadTop += note
	tiles.PadBottom += below
	return tiles
}

// drawPanels draws panels so that their axes are in line, and returns where the
// data's area of each is.
func drawPanels(c draw.Canvas, panels []panel, columns int) []vg.Rectangle {
	tiles := panelTiles(panels, columns)
	rows := make([][]*plot.Plot, tiles.Rows)
	for i, p := range panels {
		if i%columns == 0 {
			rows[i/columns] = make([]*plot.Plot, columns)
		}
		rows[i/columns][i%columns] = p.Plot
	}
	canvases := plot.Align(rows, tiles, c)
	areas := make([]vg.Rectangle, len(panels))
	for i, p := range panels {
		canvas := canvases[i/columns][i%columns]
		p.Draw(canvas)
		p.words(canvas)
		areas[i] = p.DataCanvas(canvas).Rectangle
		if p.below != nil {
			data := p.DataCanvas(canvas)
			bottom := canvas.Min.Y - xLabelHeight
			p.below(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: data.Min.X, Y: bottom - p.belowHeight}, Max: vg.Point{X: data.Max.X, Y: bottom},
			}})
		}
	}
	return areas
}

// panelsHeight is what panels of a fixed aspect take up in a width.
func panelsHeight(panels []panel, columns int, width vg.Length) vg.Length {
	tiles := panelTiles(panels, columns)
	tileWidth := (width - tiles.PadLeft - tiles.PadRight - vg.Length(columns-1)*tiles.PadX) / vg.Length(columns)
	var tileHeight vg.Length
	for _, p := range panels {
		// What the axes take up does not depend on the canvas.
		trial := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: tileWidth, Y: tileWidth}}}
		data := p.DataCanvas(trial).Size()
		tileHeight = max(tileHeight, data.X*vg.Length(p.aspect)+tileWidth-data.Y)
	}
	return tiles.PadTop + tiles.PadBottom + vg.Length(tiles.Rows-1)*tiles.PadY + vg.Length(tiles.Rows)*tileHeight
}

// words writes title and labels around a panel that was drawn on a canvas.
func (p panel) words(c draw.Canvas) {
	data := p.DataCanvas(c)
	top, width := data.Max.Y+titleHeight/3, c.Max.X-data.Min.X+gap/2
	note := textStyle(tickSize, false)
	for _, line := range slices.Backward(p.notes) {
		c.FillText(note, vg.Point{X: data.Min.X, Y: top}, shorten(line, width, note.Width))
		top += noteHeight
	}
	title := textStyle(titleSize, true)
	c.FillText(title, vg.Point{X: data.Min.X, Y: top}, shorten(p.title, width, title.Width))
	label := textStyle(labelSize, false)
	label.XAlign, label.YAlign = draw.XCenter, draw.YTop
	c.FillText(label, vg.Point{X: data.Center().X, Y: c.Min.Y - 2}, shorten(p.xLabel, data.Size().X+gap, label.Width))
	label.YAlign = draw.YBottom
	yLabel := shorten(p.yLabel, data.Size().Y+gap, label.Width) // a rotated style has another width
	label.Rotation = math.Pi / 2
	c.FillText(label, vg.Point{X: c.Min.X - 4, Y: data.Center().Y}, yLabel)
}

// shorten cuts a text to a width, and shows that it did.
func shorten(s string, width vg.Length, fits func(string) vg.Length) string {
	if fits(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && fits(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

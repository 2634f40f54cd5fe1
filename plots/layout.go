package plots

import (
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

// legend lays keys out in lines, as words of a text. It stands above or below
// the panels, never on the data.
type legend []key

// lines breaks the legend into lines of at most a width.
func (l legend) lines(width vg.Length) [][]key {
	style := textStyle(labelSize, false)
	var lines [][]key
	used := vg.Length(0)
	for _, k := range l {
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

// grid arranges panels in rows of so many columns; the last row may end early.
func grid(panels []*plot.Plot, columns int) [][]*plot.Plot {
	var rows [][]*plot.Plot
	for start := 0; start < len(panels); start += columns {
		row := make([]*plot.Plot, columns)
		copy(row, panels[start:min(start+columns, len(panels))])
		rows = append(rows, row)
	}
	return rows
}

// drawGrid draws panels so that their axes are in line across rows and columns.
func drawGrid(c draw.Canvas, rows [][]*plot.Plot) {
	tiles := draw.Tiles{Rows: len(rows), Cols: len(rows[0]), PadX: gap, PadY: gap}
	canvases := plot.Align(rows, tiles, c)
	for j, row := range rows {
		for i, p := range row {
			if p != nil {
				p.Draw(canvases[j][i])
			}
		}
	}
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

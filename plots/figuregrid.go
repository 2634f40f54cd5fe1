package plots

import (
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// figureGrid is a figure of panels of a fixed aspect in rows: a legend above, a
// caption below.
type figureGrid struct {
	keys    legend
	panels  []panel
	caption string
}

// panelColumns is how many of n panels are in a row: three at most.
func panelColumns(n int) int {
	if n == 4 {
		return 2
	}
	return min(max(n, 1), 3)
}

const captionLine vg.Length = tickSize * 1.35

// figure lays the figureGrid out: a lone panel five inches wide, several in a
// notebook's width.
func (s figureGrid) figure(alt string) *Figure {
	columns := panelColumns(len(s.panels))
	f := &Figure{Width: fullWidth, Alt: alt}
	if columns == 1 {
		f.Width = 5 * vg.Inch
	}
	width := f.Width - 2*margin
	style := textStyle(tickSize, false)
	lines := wrap(s.caption, width, style.Width)
	keysHeight, captionHeight := s.keys.height(width), vg.Length(len(lines))*captionLine
	if keysHeight > 0 {
		keysHeight += gap / 2
	}
	if captionHeight > 0 {
		captionHeight += gap / 2
	}
	f.Height = 2*margin + keysHeight + captionHeight + panelsHeight(s.panels, columns, width)
	f.draw = func(c draw.Canvas) {
		c = inner(c)
		s.keys.draw(c)
		drawPanels(draw.Crop(c, 0, 0, captionHeight, -keysHeight), s.panels, columns)
		for i, line := range lines {
			c.FillText(style, vg.Point{X: c.Min.X, Y: c.Min.Y + vg.Length(len(lines)-1-i)*captionLine}, line)
		}
	}
	return f
}

// wrap breaks a text between words into lines of at most a width.
func wrap(s string, width vg.Length, fits func(string) vg.Length) []string {
	var lines []string
	for _, word := range strings.Fields(s) {
		if last := len(lines) - 1; last >= 0 && fits(lines[last]+" "+word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// table is a legend of one panel, to be drawn below it: a line for each key,
// with a number on the right.
type table struct {
	header string // of the numbers
	rows   []tableRow
}

type tableRow struct {
	key
	value, interval string // the interval is left out where it has no room
}

func (t table) height() vg.Length { return vg.Length(len(t.rows)+1)*keyHeight + gap/2 }

func (t table) draw(c draw.Canvas) {
	name := textStyle(labelSize, false)
	name.YAlign = draw.YCenter
	number, header := name, textStyle(labelSize, true)
	number.XAlign, header.XAlign, header.YAlign = draw.XRight, draw.XRight, draw.YCenter
	values := func(intervals bool) (texts []string, widest, longest vg.Length) {
		for _, row := range t.rows {
			text := row.value
			if intervals && row.interval != "" {
				text += " " + row.interval
			}
			texts = append(texts, text)
			widest = max(widest, name.Width(text))
			longest = max(longest, name.Width(row.label))
		}
		return texts, widest, longest
	}
	room := c.Size().X - thumbWidth - 4 - keyGap/2
	texts, widest, longest := values(true)
	if widest+longest > room {
		texts, widest, _ = values(false)
	}
	y := c.Max.Y - keyHeight/2
	c.FillText(header, vg.Point{X: c.Max.X, Y: y}, t.header)
	for i, row := range t.rows {
		y -= keyHeight
		row.thumb(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X, Y: y - keyHeight/2}, Max: vg.Point{X: c.Min.X + thumbWidth, Y: y + keyHeight/2},
		}})
		c.FillText(name, vg.Point{X: c.Min.X + thumbWidth + 4, Y: y}, shorten(row.label, room-widest, name.Width))
		c.FillText(number, vg.Point{X: c.Max.X, Y: y}, texts[i])
	}
}

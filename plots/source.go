package plots

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/data"
)

// WithSource returns the figure with a line below that says what data it shows: of each set
// its name and part, whether its pixels went through lossy compression, and the
// beginning of its checksum, which distinguishes it from others of the name. The
// alternative text says where the sets came from.
func (f *Figure) WithSource(sets ...data.Info) *Figure {
	var short, long []string
	for _, s := range sets {
		text := strings.TrimSpace(s.Name + " " + s.Split)
		if s.Lossy {
			text += ", lossy"
		}
		if s.Checksum != "" {
			text += ", SHA-256 " + s.Checksum[:min(8, len(s.Checksum))]
		}
		if !slices.Contains(short, text) {
			short, long = append(short, text), append(long, fmt.Sprintf("%s (%s)", text, s.Source))
		}
	}
	if short == nil {
		return f
	}
	style := textStyle(tickSize, false)
	lines := wrap("data: "+strings.Join(short, "; "), f.Width-2*margin, style.Width)
	height := vg.Length(len(lines)) * captionLine
	with := *f
	with.Height += height
	with.Alt = strings.TrimSpace(f.Alt + " Data: " + strings.Join(long, "; ") + ".")
	with.draw = func(c draw.Canvas) {
		f.draw(draw.Crop(c, 0, 0, height, 0))
		for i, line := range lines {
			c.FillText(style, vg.Point{X: c.Min.X + margin, Y: c.Min.Y + margin/2 + vg.Length(len(lines)-1-i)*captionLine}, line)
		}
	}
	return &with
}

package plots

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"image/png"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm"
)

// Learning draws where a run in the plane stands: its energy landscape on the left,
// and on the right how it came there, the loss, each of its terms and the accuracy
// against epochs, as [History] draws them. The history may be that of a run in
// mid-training (see [ngebm.Options.Watch]), of one step or more.
func Learning(l Landscape, history *ngebm.History) (*Figure, error) {
	land, err := Landscapes(OwnScale, l)
	if err != nil {
		return nil, err
	}
	runs := []Run{{Name: l.Title, History: history}}
	if err := checkRuns(runs); err != nil {
		return nil, err
	}
	styles := methodStyles([]string{l.Title})
	panels := []panel{lossPanel(runs, styles)}
	for _, term := range termNames(runs) {
		panels = append(panels, termPanel(runs, styles, term))
	}
	if p, ok := accuracyPanel(runs, styles); ok {
		panels = append(panels, p)
	}
	for _, p := range panels {
		p.X.Min, p.X.Max = 0, lastEpoch(runs)
		if _, logarithmic := p.Y.Scale.(plot.LogScale); !logarithmic { // there they would crowd at the top
			p.Y.Tick.Marker = roundTicks(3)
		}
	}
	panels[len(panels)-1].xLabel = epochLabel(runs)
	const least = 84 // of height for a panel with its title and ticks
	curves := &Figure{
		Width: fullWidth - land.Width - gap, Height: max(land.Height, vg.Length(least*len(panels))),
		Alt: historyAlt(runs),
	}
	keys := historyKeys([]Run{{History: history}}, styles) // the marks of evaluations; the title names the run
	curves.draw = func(c draw.Canvas) {
		c = inner(c)
		keys.draw(c)
		drawPanels(draw.Crop(c, 0, 0, 0, -keys.height(c.Size().X)), panels, 1)
	}
	return SideBySide(land, curves)
}

// Frame returns the figure as an img element of HTML, for a display that is renewed
// while something runs. It is made for speed: 96 pixels an inch, a PNG that is hardly
// compressed. What is to stay is shown with [Figure.Show].
func (f *Figure) Frame() (string, error) {
	if f == nil {
		return "", errors.New("plots: no figure to make a frame of")
	}
	var raw bytes.Buffer
	fast := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := fast.Encode(&raw, f.pixels(screenDPI)); err != nil {
		return "", fmt.Errorf("plots: %w", err)
	}
	return fmt.Sprintf(`<img style="max-width:100%%;background:white" width="%d" height="%d" alt="%s" src="data:image/png;base64,%s">`,
		int(f.Width.Dots(screenDPI)+0.5), int(f.Height.Dots(screenDPI)+0.5), html.EscapeString(f.Alt),
		base64.StdEncoding.EncodeToString(raw.Bytes())), nil
}

package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Learning draws the state of a run in the plane: its energy landscape on the left,
// and on the right how training went, the loss, each of its terms and the accuracy
// against epochs, as [History] draws them. The history may be that of a run that
// still trains (see [train.Options.OnEpochEnd]), of one step or more.
func Learning(l Landscape, run Run) (*Figure, error) {
	land, err := Landscapes(OwnScale, l)
	if err != nil {
		return nil, err
	}
	runs := []Run{run}
	if err := checkRuns(runs); err != nil {
		return nil, err
	}
	styles := runStyles(runs)
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
	const minHeight = 84 // of height for a panel with its title and ticks
	curves := &Figure{
		Width: fullWidth - land.Width - gap, Height: max(land.Height, vg.Length(minHeight*len(panels))),
		Alt: historyAlt(runs),
	}
	keys := historyKeys([]Run{{History: run.History}}, styles) // the marks of evaluations; the title names the run
	curves.draw = func(c draw.Canvas) {
		c = inner(c)
		keys.draw(c)
		drawPanels(draw.Crop(c, 0, 0, 0, -keys.height(c.Size().X)), panels, 1)
	}
	return SideBySide(land, curves)
}

package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/data"
	"ngebm/ngebm"
)

// Landscape is one energy landscape: a model over the plane.
type Landscape struct {
	Title string
	Grid  *Grid         // of the model, see [EnergyGrid]
	Data  *data.Dataset // points to draw on top, colored by label; may be nil
	// Arrows draws the gradient ∂E/∂x, from the differences of energies on the grid.
	// One scale holds for all landscapes of a figure; the legend gives it. Both axes must have one unit.
	Arrows bool
	// Chains draws SGLD chains in the plane, at most 100, evenly picked: their path
	// over the stored steps, where they start and where they end.
	Chains  *ngebm.Samples
	Segment *Segment // a line to draw, from A to B; see [EnergyAlong]
	Pins    []Pin    // places to mark, with an image next to them; see [ImagePlaneGrid]
	// Regions holds the classes' names, each to be written where its class is
	// predicted, if that area is large enough. Nil writes none.
	Regions []string
}

// Scale says what the colors of several landscapes mean.
type Scale int

const (
	// OwnScale gives each landscape colors from its own lowest to its own
	// highest energy, and its own color bar. Shapes can be compared, heights
	// only by the numbers on the bars. It suits cross-entropy next to NG-EBM,
	// whose energies differ so much in range that on one scale the flatter one
	// is a single color.
	OwnScale Scale = iota
	// SharedScale gives all landscapes one color bar, so that a color is the
	// same energy everywhere.
	SharedScale
)

// maxMarkers is how many points of a dataset are drawn; more would hide the
// landscape.
const maxMarkers = 600

// Landscapes draws energy landscapes side by side, three in a row: filled
// contours of E(x), bright where it is high, that is where the model finds
// inputs likely; the data, each class in its own color and shape (at most 600
// points, evenly picked); the boundary between decisions; and the overlays
// that a [Landscape] asks for. Gray is where the energy is not a finite number.
func Landscapes(scale Scale, landscapes ...Landscape) (*Figure, error) {
	if len(landscapes) == 0 {
		return nil, errors.New("plots: no landscape to draw")
	}
	ranges := make([][2]float64, len(landscapes))
	all := [2]float64{math.Inf(1), math.Inf(-1)}
	for i, l := range landscapes {
		if err := l.check(); err != nil {
			return nil, err
		}
		low, high := l.Grid.energyRange()
		ranges[i] = [2]float64{low, high}
		all = [2]float64{min(all[0], low), max(all[1], high)}
	}
	sharedBands, err := newBands(all[0], all[1], manyBands)
	if err != nil {
		return nil, err
	}
	panels := make([]panel, len(landscapes))
	columns, arrow, numbers := panelColumns(len(landscapes)), arrowNorm(landscapes), landscapeClasses(landscapes)
	for i, l := range landscapes {
		bands := sharedBands
		if scale == OwnScale {
			if bands, err = newBands(ranges[i][0], ranges[i][1], manyBands); err != nil {
				return nil, err
			}
		}
		panels[i] = l.panel(bands, columns, arrow, numbers)
		if scale == OwnScale {
			panels[i].below, panels[i].belowHeight = bands.drawBar, barSpace
		}
	}
	for i := len(panels) - 1; i > 0; i-- {
		if i%columns > 0 && panels[i].yLabel == panels[i-1].yLabel {
			panels[i].yLabel = "" // that of its neighbor holds for both
		}
	}

	keys := landscapeKeys(landscapes, arrow, numbers)
	f := &Figure{Width: fullWidth, Alt: landscapeAlt(landscapes, ranges), photo: pinnedColors(landscapes)}
	if columns == 1 {
		f.Width = 5 * vg.Inch
	}
	width := f.Width - 2*margin
	keysHeight := keys.height(width)
	var barHeight vg.Length
	if scale == SharedScale {
		barHeight = barSpace
	}
	f.Height = 2*margin + keysHeight + barHeight + panelsHeight(panels, columns, width)
	f.draw = func(c draw.Canvas) {
		c = inner(c)
		keys.draw(c)
		drawPanels(draw.Crop(c, 0, 0, barHeight, -keysHeight), panels, columns)
		if scale == SharedScale {
			side := c.Size().X / 5
			sharedBands.drawBar(draw.Crop(c, side, -side, 0, barHeight-c.Size().Y))
		}
	}
	return f, nil
}

func (l Landscape) check() error {
	if err := l.Grid.check(); err != nil {
		return err
	}
	if l.Data != nil {
		if err := checkPlane(l.Data); err != nil {
			return err
		}
	}
	if l.Regions != nil && len(l.Regions) != l.Grid.classes() {
		return fmt.Errorf("plots: %d names of regions for a grid with scores of %d classes", len(l.Regions), l.Grid.classes())
	}
	if s := l.Segment; s != nil {
		if err := s.check(); err != nil {
			return err
		}
	}
	return errors.Join(checkChains(l.Chains), checkPins(l.Pins))
}

// panel draws one landscape; arrow is the gradient's norm that is drawn as long as the
// distance between arrows.
func (l Landscape) panel(b bands, columns int, arrow float64, numbers classNumbers) panel {
	g := l.Grid
	p := newPlot()
	p.X.Min, p.X.Max = g.X[0], g.X[len(g.X)-1]
	p.Y.Min, p.Y.Max = g.Y[0], g.Y[len(g.Y)-1]
	p.Add(plotter.NewImage(b.paint(g), p.X.Min, p.Y.Min, p.X.Max, p.Y.Max))

	if columns <= 3 { // in small ones they are too fine to see
		addContours(p, field{g, func(row, column int) float64 { return g.Energy[row][column] }}, b.levels, draw.LineStyle{Color: withAlpha(color.White, 0x70), Width: 0.5})
	}
	lead, best := g.leads()
	for _, style := range boundaryStyles {
		for k, somewhere := range best {
			if somewhere { // a lead that is below 0 everywhere has no contour
				addContours(p, field{g, func(row, column int) float64 { return lead(k, row, column) }}, []float64{0}, style)
			}
		}
	}
	if hole := paintHoles(g); hole != nil { // above contours, which are ragged there
		p.Add(plotter.NewImage(hole, p.X.Min, p.Y.Min, p.X.Max, p.Y.Max))
	}
	if l.Data != nil {
		for k, m := range classMarks(l.Data, columns) {
			if len(m.x) > 0 {
				m.style = classMark(numbers[l.Data.Classes[k]], m.style.Radius)
				p.Add(m)
			}
		}
	}
	if l.Arrows {
		p.Add(arrows{g, arrow})
	}
	if l.Segment != nil {
		p.Add(*l.Segment)
	}
	var notes []string
	if l.Chains != nil {
		notes = addChains(p, l.Chains)
	}
	if l.Regions != nil {
		p.Add(regions{g, l.Regions, l.Pins})
	}
	for _, pin := range l.Pins {
		p.Add(pin)
	}
	aspect := (p.Y.Max - p.Y.Min) / (p.X.Max - p.X.Min)
	x, y := g.axisNames()
	return panel{Plot: p, title: l.Title, notes: notes, xLabel: x, yLabel: y, aspect: min(max(aspect, 0.4), 1.6)}
}

// addContours draws the lines on which a function has the given values, unless it is
// finite nowhere, as the lead of a lone class.
func addContours(p *plot.Plot, f field, levels []float64, style draw.LineStyle) {
	contours := plotter.NewContour(f, levels, nil)
	if contours.Min <= contours.Max {
		contours.LineStyles = []draw.LineStyle{style}
		p.Add(contours)
	}
}

// boundaryStyles draw the decision boundary: black within white, to be seen on
// dark and bright ground.
var boundaryStyles = []draw.LineStyle{{Color: color.White, Width: 3.2}, {Color: color.Black, Width: 1.6}}

// classMarks sorts at most maxMarkers points by label.
func classMarks(d *data.Dataset, columns int) []marks {
	n := min(d.Len(), maxMarkers)
	radius := min(3, max(1.3, 40/math.Sqrt(float64(max(n, 1))))) * []float64{1, 1, 0.9, 0.75, 0.6}[min(columns, 4)]
	byClass := make([]marks, len(d.Classes))
	for i := range n {
		j := i * d.Len() / n
		m := &byClass[d.Labels[j]]
		m.style.Radius = vg.Length(radius)
		m.x, m.y = append(m.x, float64(d.Points[2*j])), append(m.y, float64(d.Points[2*j+1]))
	}
	return byClass
}

// landscapeClasses numbers the classes of all landscapes.
func landscapeClasses(landscapes []Landscape) classNumbers {
	numbers := classNumbers{}
	for _, l := range landscapes {
		if l.Data != nil {
			numbers.add(l.Data.Classes)
		}
	}
	return numbers
}

// landscapeKeys names the classes that are drawn, the boundary, and the overlays.
func landscapeKeys(landscapes []Landscape, arrow float64, numbers classNumbers) legend {
	var keys legend
	seen := map[string]bool{}
	boundary, arrows, chains := false, false, false
	for _, l := range landscapes {
		boundary, arrows, chains = boundary || l.Grid.classes() > 1, arrows || l.Arrows, chains || l.Chains != nil
		if l.Data == nil {
			continue
		}
		for k, m := range classMarks(l.Data, 1) {
			if name := l.Data.Classes[k]; len(m.x) > 0 && !seen[name] {
				seen[name] = true
				keys = append(keys, lineKey(name, draw.LineStyle{}, classMark(numbers[name], 3)))
			}
		}
	}
	if boundary {
		keys = append(keys, lineKey("decision boundary", boundaryStyles[1], draw.GlyphStyle{}))
	}
	if arrows {
		keys = append(keys, arrowKey(arrow))
	}
	if chains {
		keys = append(keys, lineKey("start of an SGLD chain", draw.LineStyle{}, chainStart), lineKey("its end", draw.LineStyle{}, chainEnd))
	}
	return keys
}

func landscapeAlt(landscapes []Landscape, ranges [][2]float64) string {
	var parts []string
	for i, l := range landscapes {
		text := fmt.Sprintf("%s over the plane, between %.3g and %.3g", strings.TrimSpace("Energy landscape "+l.Title), ranges[i][0], ranges[i][1])
		if l.Data != nil {
			text += fmt.Sprintf(", with the points of %s in %d classes", l.Data.Name, len(l.Data.Classes))
		}
		if l.Grid.classes() > 1 {
			text += " and the decision boundary"
		}
		text += l.overlaysAlt()
		parts = append(parts, text+".")
	}
	return strings.Join(parts, " ")
}

// overlaysAlt describes the overlays of a landscape.
func (l Landscape) overlaysAlt() string {
	text := ""
	if l.Arrows {
		text += fmt.Sprintf(", with arrows along the gradient, whose norm is %.3g at most", l.Grid.steepest())
	}
	if l.Chains != nil {
		inside, total := l.ended()
		text += fmt.Sprintf(", with SGLD chains, of which %d of %d end within the picture", inside, total)
	}
	if s := l.Segment; s != nil {
		text += fmt.Sprintf(", with a line from A at (%.3g, %.3g) to B at (%.3g, %.3g)", s.From[0], s.From[1], s.To[0], s.To[1])
	}
	for _, p := range l.Pins {
		text += fmt.Sprintf(", with %s at (%.3g, %.3g)", p.Label, p.X, p.Y)
	}
	return text
}

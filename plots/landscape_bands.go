package plots

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bands divide a range of energies into steps of a round size, each of one
// color.
type bands struct {
	levels []float64     // the bands' ends, one more than there are bands
	colors []color.Color // the bands'
}

// How many bands a landscape has, and a small one.
const manyBands, fewBands = 14, 9

// newBands covers a range with about count bands.
func newBands(low, high float64, count int) (bands, error) {
	if flat(low, high) {
		pad := max(math.Abs(low)/10, 0.5)
		low, high = low-pad, high+pad
	}
	step := roundStep(high-low, count)
	first, last := math.Floor(low/step), math.Ceil(high/step)
	colors, err := energyMap(first*step, last*step)
	if err != nil {
		return bands{}, err
	}
	b := bands{levels: []float64{first * step}}
	for i := first + 1; i <= last; i++ {
		c, err := colors.At((i - 0.5) * step)
		if err != nil {
			return bands{}, err
		}
		b.levels, b.colors = append(b.levels, i*step), append(b.colors, c)
	}
	return b, nil
}

// color is that of the band that holds a value.
func (b bands) color(v float64) color.Color {
	if math.IsNaN(v) {
		return missing
	}
	step := b.levels[1] - b.levels[0]
	place := (v-b.levels[0])/step + 1e-6 // rounding must not speckle values at an edge
	return b.colors[min(max(int(math.Floor(place)), 0), len(b.colors)-1)]
}

// paintSize is the side of a painted landscape in pixels: about as many as the
// largest panel has.
const paintSize = 720

// paint fills a picture of the grid with the bands' colors.
func (b bands) paint(g *Grid) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, paintSize, paintSize))
	g.eachPixel(paintSize, func(x, y int, e float64) { img.Set(x, y, b.color(e)) })
	return img
}

// paintHoles fills only what has no finite energy; nil where there is no such.
func paintHoles(g *Grid) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, paintSize, paintSize))
	found := false
	g.eachPixel(paintSize, func(x, y int, e float64) {
		if math.IsNaN(e) {
			found = true
			img.Set(x, y, missing)
		}
	})
	if !found {
		return nil
	}
	return img
}

// barSpace is what a color bar takes up with its words.
const barSpace vg.Length = 42

// drawBar draws the color bar with its numbers and its label below it.
func (b bands) drawBar(c draw.Canvas) {
	const height = 9
	top := c.Max.Y - 2
	low, high := b.levels[0], b.levels[len(b.levels)-1]
	x := func(v float64) vg.Length { return c.X((v - low) / (high - low)) }
	corners := func(from, to float64) []vg.Point {
		return []vg.Point{{X: x(from), Y: top - height}, {X: x(to), Y: top - height}, {X: x(to), Y: top}, {X: x(from), Y: top}}
	}
	for i, band := range b.colors {
		c.FillPolygon(band, corners(b.levels[i], b.levels[i+1]))
	}
	outline := corners(low, high)
	line := draw.LineStyle{Color: frame, Width: thinWidth}
	c.StrokeLines(line, append(outline, outline[0]))
	text := textStyle(tickSize, false)
	text.XAlign, text.YAlign = draw.XCenter, draw.YTop
	for _, tick := range roundTicks(5).Ticks(low, high) {
		c.StrokeLine2(line, x(tick.Value), top-height, x(tick.Value), top-height-3)
		c.FillText(text, vg.Point{X: x(tick.Value), Y: top - height - 4}, tick.Label)
	}
	text = textStyle(labelSize, false)
	text.XAlign, text.YAlign = draw.XCenter, draw.YTop
	c.FillText(text, vg.Point{X: c.Center().X, Y: top - height - 4 - 1.25*tickSize}, "E(x) = logsumexp f(x)")
}

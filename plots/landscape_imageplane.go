package plots

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/data"
)

// InputModel gives logits, [examples][classes], for inputs that need not be
// examples of a set: in the network's units, one after the other. An
// [ngebm.Classifier] is one.
type InputModel interface {
	LogitsAt(ctx context.Context, x []float32) ([][]float64, error)
}

// ImagePlaneGrid evaluates a model on the plane through three images of a set, on a lattice
// of n by n inputs, and returns the grid and the images' places on it. Coordinates
// are distances in the network's units, in which pixels are in [-1,1]: x from the
// first image towards the second, y at a right angle to it on the third's side. The
// lattice reaches half the triangle's size beyond it, where some inputs have pixels that
// no image has. n must be in 2..1000, and the images must not be on one line.
func ImagePlaneGrid(ctx context.Context, m InputModel, d *data.Dataset, images [3]int, n int) (*Grid, []Pin, error) {
	if n < 2 || n > 1000 {
		return nil, nil, fmt.Errorf("plots: a grid of %d by %d inputs: choose 2 to 1000, 60 is smooth", n, n)
	}
	if _, _, err := pickImages(d, images[:], nil); err != nil {
		return nil, nil, err
	}
	size := d.Size()
	x := [3][]float64{}
	for i, index := range images {
		values := make([]float32, size)
		d.Example(index, values)
		for _, v := range values {
			x[i] = append(x[i], float64(v))
		}
	}
	// Two orthogonal directions of length 1 (Gram, Schmidt).
	u, v := floats.SubTo(make([]float64, size), x[1], x[0]), floats.SubTo(make([]float64, size), x[2], x[0])
	width := floats.Norm(u, 2)
	floats.Scale(1/width, u)
	across := floats.Dot(u, v)
	floats.AddScaled(v, -across, u)
	height := floats.Norm(v, 2)
	floats.Scale(1/height, v)
	if !(width > 1e-6 && height > 1e-6) {
		return nil, nil, fmt.Errorf("plots: images %v of %s are on one line: choose three others", images, d.Name)
	}
	g := &Grid{Axes: [2]string{"towards the second image", "towards the third"}}
	left, right := min(0, across), max(width, across)
	around := max(right-left, height) / 2
	g.X, g.Y = spread(left, right, around, n), spread(0, height, around, n)
	if err := latticeFits(n, size); err != nil {
		return nil, nil, err
	}
	inputs := make([]float32, 0, n*n*size)
	for _, b := range g.Y {
		for _, a := range g.X {
			for j := range size {
				inputs = append(inputs, float32(x[0][j]+a*u[j]+b*v[j]))
			}
		}
	}
	logits, err := m.LogitsAt(ctx, inputs)
	if err != nil {
		return nil, nil, err
	}
	if err := g.fill(logits); err != nil {
		return nil, nil, err
	}
	pins := []Pin{{X: 0, Y: 0}, {X: width, Y: 0}, {X: across, Y: height}}
	for i, index := range images {
		pins[i].Tile = Tile{Set: d, Index: index}
		pins[i].Label = "an image of " + d.Classes[d.Labels[index]]
	}
	return g, pins, nil
}

// maxLattice bounds the values of the inputs of a lattice, which are in memory together: 1 GiB.
const maxLattice = 1 << 28

// latticeFits returns an error where the inputs of n by n nodes would take too much memory.
func latticeFits(n, size int) error {
	if n*n > maxLattice/size {
		return fmt.Errorf("plots: %d by %d nodes of %d inputs each take too much memory: give %d nodes at most", n, n, size, int(math.Sqrt(float64(maxLattice/size))))
	}
	return nil
}

// Pin marks a place on a landscape, with an image next to it.
type Pin struct {
	X, Y  float64
	Label string // what the image shows, for those who cannot see it
	Tile  Tile   // the image; a nil Set draws none
}

// pinSize is the side of a pin's picture in pixels of a PNG, eight times that of a
// small digit.
const pinSize = 64

func checkPins(pins []Pin) error {
	for _, p := range pins {
		if !finite(p.X) || !finite(p.Y) {
			return fmt.Errorf("plots: the pin %q is at (%v, %v): give a place in the plane", p.Label, p.X, p.Y)
		}
		if p.Tile.Set == nil {
			continue
		}
		if _, _, err := pickImages(p.Tile.Set, []int{p.Tile.Index}, nil); err != nil {
			return err
		}
	}
	return nil
}

// pinnedColors reports whether an image with colors is pinned on one of the landscapes.
func pinnedColors(landscapes []Landscape) bool {
	return slices.ContainsFunc(landscapes, func(l Landscape) bool {
		return slices.ContainsFunc(l.Pins, func(p Pin) bool { return p.Tile.Set != nil && p.Tile.Set.Shape[2] == 3 })
	})
}

// area is the image's place on a canvas: away from the middle, so that what is
// between pins is not covered.
func (p Pin) area(c draw.Canvas, at vg.Point, img image.Image) vg.Rectangle {
	const distance = 6
	length := func(pixels int) vg.Length { return vg.Length(pixels) * vg.Inch / imageDPI }
	size := vg.Point{X: length(img.Bounds().Dx()), Y: length(img.Bounds().Dy())}
	low := vg.Point{X: at.X - size.X/2, Y: at.Y + distance}
	if at.Y < c.Center().Y {
		low.Y = at.Y - distance - size.Y
	}
	low.X = min(max(low.X, c.Min.X+2), c.Max.X-size.X-2)
	low.Y = min(max(low.Y, c.Min.Y+2), c.Max.Y-size.Y-2)
	return vg.Rectangle{Min: low, Max: low.Add(size)}
}

// Plot implements [plot.Plotter].
func (p Pin) Plot(c draw.Canvas, in *plot.Plot) {
	trX, trY := in.Transforms(&c)
	at := vg.Point{X: trX(p.X), Y: trY(p.Y)}
	if !c.Contains(at) {
		return
	}
	if p.Tile.Set != nil {
		img := enlarge(picture(p.Tile.Set, p.Tile.Index), pinSize)
		area := p.area(c, at, img)
		drawFrame(c, area, 1)
		c.DrawImage(area, img)
	}
	c.DrawGlyph(draw.GlyphStyle{Color: color.Black, Radius: 2.4, Shape: polygon{corners: 36}}, at)
}

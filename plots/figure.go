package plots

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"ngebm/data/files"
)

// Pixels an inch: what browsers take an inch for, and what a PNG is drawn in,
// twice as many so that it is sharp on a high-density screen and in print.
const (
	screenDPI = 96
	imageDPI  = 2 * screenDPI
)

// Figure is a figure that is ready to be drawn, in any format.
type Figure struct {
	Width, Height vg.Length
	// Alt describes the figure in a sentence or two for readers who cannot see it.
	// Every function of this package sets it; it may be replaced.
	Alt string

	draw  func(draw.Canvas) // on a canvas of that size
	photo bool              // holds images, whose colors must not be cut down
}

// PNG writes the figure at 192 pixels an inch on white. All but images are
// written in 256 colors, at half of the bytes and without a visible
// difference, so that a notebook with its figures stays small. Images keep their
// colors; gray ones, which have few, are written in a palette of just these.
func (f *Figure) PNG(w io.Writer) error {
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	img := f.Image(imageDPI)
	colors := ownColors(img)
	if len(colors) == 0 {
		if f.photo {
			return encoder.Encode(w, img)
		}
		colors = fewColors(img, pngColors)
	}
	return encoder.Encode(w, paletted(img, colors))
}

// pngColors is how many colors a figure without images is written in.
const pngColors = 256

// Image draws the figure on white at a resolution in pixels per inch: 96 gives the size
// at which a browser shows it, 192 what [Figure.PNG] writes.
func (f *Figure) Image(dpi int) *image.RGBA {
	canvas := vgimg.NewWith(vgimg.UseWH(f.Width, f.Height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	f.draw(draw.New(canvas))
	img := image.NewRGBA(canvas.Image().Bounds())
	xdraw.Draw(img, img.Rect, canvas.Image(), image.Point{}, xdraw.Src)
	return img
}

// ownColors lists the colors of a picture in the order in which they appear, nothing
// where there are more than 256.
func ownColors(img *image.RGBA) color.Palette {
	var colors color.Palette
	seen := map[color.RGBA]bool{}
	for i := 0; i < len(img.Pix); i += 4 {
		c := color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3]}
		if seen[c] {
			continue
		}
		if len(colors) == 256 {
			return nil
		}
		seen[c] = true
		colors = append(colors, c)
	}
	return colors
}

// fewColors are at most n colors of a picture: a quarter of them its commonest, which stay as
// they are, the others such that each color of the picture is near one of them, so that the
// color of a thin line is not lost to the shades of a large area. How near is what n colors
// suffice for.
func fewColors(img *image.RGBA, n int) color.Palette {
	count := map[color.RGBA]int{}
	for i := 0; i < len(img.Pix); i += 4 {
		count[color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3]}]++
	}
	commonest := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	for near := 4; ; near += 4 {
		if colors := cover(commonest, n/4, near, n); colors != nil {
			return colors
		}
	}
}

// cover takes the first colors, and of the others each that none before is near to, in all of
// red, green and blue; nil if these are more than n.
func cover(all []color.RGBA, first, near, n int) color.Palette {
	var colors color.Palette
	differ := func(a, b uint8) bool { return max(a, b)-min(a, b) > uint8(near) }
	for i, c := range all {
		if i >= first && slices.ContainsFunc(colors, func(other color.Color) bool {
			o := other.(color.RGBA)
			return !differ(o.R, c.R) && !differ(o.G, c.G) && !differ(o.B, c.B)
		}) {
			continue
		}
		if len(colors) == n {
			return nil
		}
		colors = append(colors, c)
	}
	return colors
}

// paletted gives each pixel the nearest of some colors.
func paletted(img *image.RGBA, colors color.Palette) *image.Paletted {
	few := image.NewPaletted(img.Rect, colors)
	known := map[color.RGBA]uint8{} // the search through the palette is slow
	for i := range few.Pix {
		c := color.RGBA{img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3]}
		index, ok := known[c]
		if !ok {
			index = uint8(colors.Index(c))
			known[c] = index
		}
		few.Pix[i] = index
	}
	return few
}

// PDF writes the figure as one page of its size. Text is drawn as outlines.
func (f *Figure) PDF(w io.Writer) error {
	canvas := vgpdf.New(f.Width, f.Height)
	f.draw(draw.NewCanvas(vector{canvas, true}, f.Width, f.Height))
	_, err := canvas.WriteTo(w)
	return err
}

// SVG writes the figure as a vector graphic. Text is drawn as outlines, so it
// looks the same whatever fonts the reader has.
func (f *Figure) SVG(w io.Writer) error {
	canvas := vgsvg.New(f.Width, f.Height)
	f.draw(draw.NewCanvas(vector{canvas, false}, f.Width, f.Height))
	_, err := canvas.WriteTo(w)
	return err
}

// Save writes the figure to a file, in the format that the name ends in: .png,
// .pdf or .svg. An existing file is replaced atomically.
func (f *Figure) Save(path string) error {
	write := map[string]func(io.Writer) error{".png": f.PNG, ".pdf": f.PDF, ".svg": f.SVG}[strings.ToLower(filepath.Ext(path))]
	if write == nil {
		return fmt.Errorf("plots: cannot save as %q: end the name in .png, .pdf or .svg", path)
	}
	if err := save(path, write); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return nil
}

// save writes a temporary file and renames it.
func save(path string, write func(io.Writer) error) error {
	file, err := files.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer file.Discard()
	buffered := bufio.NewWriter(file)
	if err := errors.Join(write(buffered), buffered.Flush()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return file.Commit()
}

// SideBySide combines figures into one, from left to right, aligned at their tops.
func SideBySide(figures ...*Figure) (*Figure, error) {
	if len(figures) == 0 {
		return nil, errors.New("plots: no figures to put side by side")
	}
	all := &Figure{Width: gap * vg.Length(len(figures)-1)}
	var alts []string
	for i, f := range figures {
		if f == nil || f.draw == nil {
			return nil, fmt.Errorf("plots: figure %d of %d is empty: make it with a function of this package", i+1, len(figures))
		}
		all.Width += f.Width
		all.Height = max(all.Height, f.Height)
		all.photo = all.photo || f.photo
		alts = append(alts, f.Alt)
	}
	all.Alt = strings.Join(alts, " ")
	all.draw = func(c draw.Canvas) {
		left := c.Min.X
		for _, f := range figures {
			f.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: left, Y: c.Max.Y - f.Height},
				Max: vg.Point{X: left + f.Width, Y: c.Max.Y},
			}})
			left += f.Width + gap
		}
	}
	return all, nil
}

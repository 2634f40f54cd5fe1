package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"
)

// Animation is a row of figures that are shown one after the other, in a loop: a
// landscape as it grows, or samples along their chains.
type Animation struct {
	// Alt describes the animation for readers who cannot see it. Animate combines the
	// descriptions of the first and the last figure; it may be replaced.
	Alt string
	// Width and Height are those of its figures.
	Width, Height vg.Length

	frames []*Figure
	each   time.Duration
}

// Animate returns an animation of figures of one size, each shown for the given time,
// 20 ms to 1 minute. The last one is shown four times as long.
func Animate(each time.Duration, frames ...*Figure) (*Animation, error) {
	if len(frames) == 0 {
		return nil, errors.New("plots: an animation needs a figure or more")
	}
	if each < 20*time.Millisecond || each > time.Minute {
		return nil, fmt.Errorf("plots: each figure of the animation is to show for %v; give from 20ms, below which browsers slow down, to 1m", each)
	}
	for i, f := range frames {
		if f == nil || f.draw == nil {
			return nil, fmt.Errorf("plots: figure %d of %d of the animation is empty: make it with a function of this package", i+1, len(frames))
		}
		if f.Width != frames[0].Width || f.Height != frames[0].Height {
			return nil, fmt.Errorf("plots: figure %d of the animation is %.4g by %.4g points and the first %.4g by %.4g: draw all in one size", i+1, f.Width, f.Height, frames[0].Width, frames[0].Height)
		}
	}
	alt := fmt.Sprintf("Animation of %d figures. At the start: %s At the end: %s", len(frames), frames[0].Alt, frames[len(frames)-1].Alt)
	return &Animation{alt, frames[0].Width, frames[0].Height, frames, each}, nil
}

// gifColors is how many colors an animation has; with none they fill six bits.
const gifColors = 63

// GIF writes the animation at 96 pixels an inch, in the 63 colors that suit its first
// and its last frame best. Frames after the first hold only what has changed, so what
// does not change costs nothing.
func (a *Animation) GIF(w io.Writer) error {
	var out gif.GIF
	first, last := a.frames[0].Image(screenDPI), a.frames[len(a.frames)-1].Image(screenDPI)
	both := image.NewRGBA(image.Rect(0, 0, first.Rect.Dx(), 2*first.Rect.Dy()))
	draw.Draw(both, first.Rect, first, image.Point{}, draw.Src)
	draw.Draw(both, first.Rect.Add(image.Pt(0, first.Rect.Dy())), last, image.Point{}, draw.Src)
	colors := fewColors(both, gifColors)
	out.Config = image.Config{Width: first.Rect.Dx(), Height: first.Rect.Dy(), ColorModel: append(colors, color.RGBA{})}
	var before *image.Paletted
	for i, f := range a.frames {
		frame := paletted(f.Image(screenDPI), colors)
		delay := int(a.each / (10 * time.Millisecond)) // in hundredths of a second
		if i == len(a.frames)-1 {
			delay *= 4
		}
		out.Image, out.Delay = append(out.Image, change(before, frame)), append(out.Delay, delay)
		before = frame
	}
	return gif.EncodeAll(w, &out)
}

// change is a frame where it differs from the one before, transparent elsewhere, and
// cut to what differs; all of it where there is none before.
func change(before, frame *image.Paletted) *image.Paletted {
	colors := append(append(color.Palette(nil), frame.Palette...), color.RGBA{})
	all := &image.Paletted{Pix: append([]uint8(nil), frame.Pix...), Stride: frame.Stride, Rect: frame.Rect, Palette: colors}
	if before == nil {
		return all
	}
	area := image.Rectangle{}
	for y := range frame.Rect.Dy() {
		for x := range frame.Rect.Dx() {
			if i := y*frame.Stride + x; frame.Pix[i] == before.Pix[i] {
				all.Pix[i] = uint8(len(frame.Palette))
			} else {
				area = area.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if area.Empty() { // a frame has a pixel or more
		area = image.Rect(0, 0, 1, 1)
	}
	return all.SubImage(area).(*image.Paletted)
}

// Save writes the animation to a file whose name ends in .gif. An existing file is replaced
// atomically.
func (a *Animation) Save(path string) error {
	if !strings.HasSuffix(strings.ToLower(path), ".gif") {
		return fmt.Errorf("plots: an animation cannot be saved as %s: give the file a name that ends in .gif", path)
	}
	if err := save(path, a.GIF); err != nil {
		return fmt.Errorf("plots: cannot save the animation: %w", err)
	}
	return nil
}

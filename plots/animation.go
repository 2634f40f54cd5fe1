package plots

import (
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// Animation is a row of figures that are shown one after the other, for ever: a
// landscape as it grows, or samples along their chains.
type Animation struct {
	frames []*Figure
	each   time.Duration
}

// Animate returns an animation of figures of one size, each shown for so long. The
// last one stays four times as long, so that one sees where it ends.
func Animate(each time.Duration, frames ...*Figure) (*Animation, error) {
	if len(frames) == 0 {
		return nil, errors.New("plots: an animation needs a figure or more")
	}
	if each < 20*time.Millisecond || each > time.Minute {
		return nil, fmt.Errorf("plots: each figure of the animation is to show for %v; give from 20ms, below which browsers slow down, to 1m", each)
	}
	for i, f := range frames {
		if f.Width != frames[0].Width || f.Height != frames[0].Height {
			return nil, fmt.Errorf("plots: figure %d of the animation is %.4g by %.4g points and the first %.4g by %.4g: draw all in one size", i+1, f.Width, f.Height, frames[0].Width, frames[0].Height)
		}
	}
	return &Animation{frames, each}, nil
}

// GIF writes the animation at 96 pixels an inch, each frame in the 256 colours that
// suit it best. Notebooks do not show it, since their pages hold PNG only: save it and
// show it where you publish.
func (a *Animation) GIF(w io.Writer) error {
	var out gif.GIF
	for i, f := range a.frames {
		frame := inFewColors(f.pixels(screenDPI)).(*image.Paletted)
		delay := int(a.each / (10 * time.Millisecond)) // in hundredths of a second
		if i == len(a.frames)-1 {
			delay *= 4
		}
		out.Image, out.Delay = append(out.Image, frame), append(out.Delay, delay)
	}
	return gif.EncodeAll(w, &out)
}

// Save writes the animation to a file whose name ends in .gif. A file that is there
// already is replaced at once or not at all.
func (a *Animation) Save(path string) error {
	if !strings.HasSuffix(strings.ToLower(path), ".gif") {
		return fmt.Errorf("plots: an animation cannot be saved as %s: give the file a name that ends in .gif", path)
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("plots: cannot save the animation: %w", err)
	}
	defer file.Cleanup() // does nothing once renamed
	if err = a.GIF(file); err == nil {
		err = file.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("plots: cannot save the animation as %s: %w", path, err)
	}
	return nil
}

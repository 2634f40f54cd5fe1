package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
)

// Poster returns the last frame of a GIF as a PNG, which a page shows to readers whose system
// prefers reduced motion.
func Poster(animation []byte) ([]byte, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(animation))
	if err != nil {
		return nil, err
	}
	if config.Width*config.Height > maxPicturePixels {
		return nil, fmt.Errorf("an animation of %d by %d pixels: draw it smaller", config.Width, config.Height)
	}
	all, err := gif.DecodeAll(bytes.NewReader(animation))
	if err != nil {
		return nil, err
	}
	seen := image.NewRGBA(image.Rect(0, 0, config.Width, config.Height))
	for i, frame := range all.Image { // each is drawn over what the previous ones left
		if i == len(all.Image)-1 {
			cover(seen, frame)
			break
		}
		switch all.Disposal[i] {
		case gif.DisposalBackground:
			clearRect(seen, frame.Rect)
		case gif.DisposalPrevious:
		default:
			cover(seen, frame)
		}
	}
	var poster bytes.Buffer
	if err := png.Encode(&poster, seen); err != nil {
		return nil, err
	}
	return poster.Bytes(), nil
}

// clearRect makes a rectangle transparent.
func clearRect(seen *image.RGBA, r image.Rectangle) {
	r = r.Intersect(seen.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		clear(seen.Pix[seen.PixOffset(r.Min.X, y):][:4*r.Dx()])
	}
}

// cover draws a frame whose colors are opaque or fully transparent. draw.Draw takes ten times
// as long for a paletted image.
func cover(seen *image.RGBA, frame *image.Paletted) {
	colors := make([]color.RGBA, len(frame.Palette))
	for i, c := range frame.Palette {
		colors[i] = color.RGBAModel.Convert(c).(color.RGBA)
	}
	visible := frame.Rect.Intersect(seen.Rect)
	for y := visible.Min.Y; y < visible.Max.Y; y++ {
		from, to := frame.Pix[frame.PixOffset(visible.Min.X, y):], seen.Pix[seen.PixOffset(visible.Min.X, y):]
		for x := range visible.Dx() {
			if c := colors[from[x]]; c.A != 0 {
				to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = c.R, c.G, c.B, c.A
			}
		}
	}
}

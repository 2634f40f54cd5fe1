package main

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
)

// lastFrame is where a GIF ends, as a PNG: what a page shows in its place to readers
// whose system is set to less motion.
func lastFrame(animation []byte) ([]byte, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(animation))
	if err != nil {
		return nil, err
	}
	if config.Width*config.Height > 1<<25 {
		return nil, fmt.Errorf("an animation of %d by %d pixels: draw it smaller", config.Width, config.Height)
	}
	all, err := gif.DecodeAll(bytes.NewReader(animation))
	if err != nil {
		return nil, err
	}
	seen := image.NewRGBA(image.Rect(0, 0, config.Width, config.Height))
	for _, frame := range all.Image { // each on top of those before
		draw.Draw(seen, frame.Rect, frame, frame.Rect.Min, draw.Over)
	}
	var still bytes.Buffer
	if err := png.Encode(&still, seen); err != nil {
		return nil, err
	}
	return still.Bytes(), nil
}

package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"ngebm/ngebm/study/palette"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Adversarial is an image before and after an attack, in [height, width,
// channels] as a network sees it, pixels in [-1,1].
type Adversarial struct {
	Original, Result []float32
	Before, After    string // captions, such as the prediction: "3, p = 0.98"
}

const (
	maxAdversarials = 100
	rowLabelPixels  = 190 // what rows' names take up on the left
)

// Adversarials draws attacked images of a shape, at most eight in a row, enlarged
// without smoothing: the image with its caption, what the attack added, and the
// result with its caption. What was added is amplified so that the largest change
// of all images can just be shown, by a factor that is written next to it: gray images
// from blue (darker) by white to orange (brighter), colored ones around mid-gray.
// Below is the largest change of a pixel of that image, in 1/255 of the pixel range.
func Adversarials(shape []int, examples ...Adversarial) (*Figure, error) {
	if err := checkAdversarials(shape, examples); err != nil {
		return nil, err
	}
	factor := amplification(examples)
	names := [3]string{"image", "change × " + strconv.FormatFloat(factor, 'g', -1, 64), "result"}

	rows := (len(examples) + 7) / 8
	columns := (len(examples) + rows - 1) / rows // rows of like length
	outer := int(margin.Dots(imageDPI))
	tile := min(largestTile, (imagesWidth-2*outer-rowLabelPixels-columns*tileGap)/columns)
	tileHeight := tile * shape[0] / max(shape[0], shape[1])
	width := 2*outer + rowLabelPixels + columns*(tile+tileGap)
	lineHeight := tileHeight + captionPixels
	rowHeight := 3*lineHeight + 2*tileGap
	height := 2*outer + rows*rowHeight - 2*tileGap

	f := &Figure{Width: pixelLength(width), Height: pixelLength(height), photo: true, Alt: adversarialAlt(examples, names[1])}
	f.draw = func(c draw.Canvas) {
		caption := textStyle(tickSize, false)
		caption.XAlign, caption.YAlign = draw.XCenter, draw.YTop
		name := textStyle(labelSize, true)
		name.YAlign = draw.YCenter
		meaning := textStyle(tickSize, false)
		meaning.YAlign = draw.YTop
		for i, e := range examples {
			pictures := [3]image.Image{float32Picture(shape, e.Original), changePicture(shape, e, factor), float32Picture(shape, e.Result)}
			captions := [3]string{e.Before, fmt.Sprintf("≤ %.3g/255", 255*largestChange(e)), e.After}
			for k, img := range pictures {
				img := enlarge(img, tile)
				left := outer + rowLabelPixels + i%columns*(tile+tileGap) + (tile-img.Bounds().Dx())/2
				top := height - outer - i/columns*rowHeight - k*lineHeight
				rect := drawTile(c, img, left, top, caption, shorten(captions[k], pixelLength(tile+tileGap/2), caption.Width))
				if i%columns > 0 {
					continue
				}
				at := vg.Point{X: c.Min.X + pixelLength(outer), Y: (rect.Min.Y + rect.Max.Y) / 2}
				c.FillText(name, at, names[k])
				if k == 1 {
					c.FillText(meaning, vg.Point{X: at.X, Y: at.Y - labelSize*0.8}, changeColors(shape))
				}
			}
		}
	}
	return f, nil
}

func checkAdversarials(shape []int, examples []Adversarial) error {
	if len(shape) != 3 || shape[0] < 1 || shape[1] < 1 || shape[2] != 1 && shape[2] != 3 {
		return fmt.Errorf("plots: shape %v: an image has height, width and 1 or 3 channels", shape)
	}
	if len(examples) == 0 {
		return errors.New("plots: no adversarial example to draw")
	}
	if len(examples) > maxAdversarials {
		return fmt.Errorf("plots: %d adversarial examples: draw at most %d", len(examples), maxAdversarials)
	}
	for i, e := range examples {
		for name, values := range map[string][]float32{"original": e.Original, "result": e.Result} {
			if len(values) != shape[0]*shape[1]*shape[2] {
				return fmt.Errorf("plots: the %s of example %d has %d values, its shape %v has %d", name, i, len(values), shape, shape[0]*shape[1]*shape[2])
			}
			for j, v := range values {
				if !(v >= -1 && v <= 1) { // NaN, too
					return fmt.Errorf("plots: value %d of the %s of example %d is %v: pixels must be in [-1,1]", j, name, i, v)
				}
			}
		}
	}
	return nil
}

// largestChange is of a pixel's value, as a share of the range.
func largestChange(e Adversarial) float64 {
	largest := 0.
	for j, v := range e.Original {
		largest = max(largest, math.Abs(float64(e.Result[j])-float64(v))/2)
	}
	return largest
}

// amplification is the largest round factor that keeps all changes in range: 1,
// 2 or 5 times a power of ten, at most 1000.
func amplification(examples []Adversarial) float64 {
	largest := 0.
	for _, e := range examples {
		largest = max(largest, largestChange(e))
	}
	factor := 1.
	for _, power := range []float64{1, 10, 100} {
		for _, f := range []float64{2, 5, 10} {
			if largest > 0 && largest*f*power <= 1 {
				factor = f * power
			}
		}
	}
	return factor
}

// float32Picture is an image of values in [-1,1].
func float32Picture(shape []int, values []float32) image.Image {
	return paintPixels(shape, func(pixel, channel int) uint8 {
		return uint8(math.Round((float64(values[pixel*shape[2]+channel%shape[2]]) + 1) / 2 * 255))
	})
}

// changePicture is what an attack added, amplified.
func changePicture(shape []int, e Adversarial, factor float64) image.Image {
	change := func(i int) float64 {
		return max(-1, min(1, factor*(float64(e.Result[i])-float64(e.Original[i]))/2))
	}
	if shape[2] == 3 {
		return paintPixels(shape, func(pixel, channel int) uint8 {
			return uint8(math.Round((change(3*pixel+channel) + 1) / 2 * 255))
		})
	}
	return paintPixels(shape, func(pixel, channel int) uint8 {
		v, end := change(pixel), palette.Vermillion
		if v < 0 {
			end = palette.Blue
		}
		full := [3]uint8{end.R, end.G, end.B}[channel]
		return uint8(math.Round(255 - math.Abs(v)*float64(255-full)))
	})
}

// changeColors says how to read a changePicture.
func changeColors(shape []int) string {
	if shape[2] == 3 {
		return "gray: none"
	}
	return "orange: brighter\nblue: darker"
}

// paintPixels makes an image from the level of each pixel's red, green and blue.
func paintPixels(shape []int, level func(pixel, channel int) uint8) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, shape[1], shape[0]))
	for i := range shape[0] * shape[1] {
		img.SetNRGBA(i%shape[1], i/shape[1], color.NRGBA{level(i, 0), level(i, 1), level(i, 2), 0xff})
	}
	return img
}

func adversarialAlt(examples []Adversarial, change string) string {
	const listed = 10
	var parts []string
	for _, e := range examples[:min(listed, len(examples))] {
		parts = append(parts, fmt.Sprintf("%s became %s by changes of at most %.3g/255", e.Before, e.After, 255*largestChange(e)))
	}
	if len(examples) > listed {
		parts = append(parts, "and more")
	}
	return fmt.Sprintf("%d adversarial examples, each as image, %s and result: %s.", len(examples), change, strings.Join(parts, "; "))
}

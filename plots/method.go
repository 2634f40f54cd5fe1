package plots

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/study/palette"
)

// named is what a curve, bar or marker stands for, with the color that was given for it.
type named struct {
	name  string
	color color.Color // nil or transparent: not given
}

// given reports whether a color was set.
func given(c color.Color) bool {
	if c == nil {
		return false
	}
	_, _, _, alpha := c.RGBA()
	return alpha > 0
}

// colorsOf returns the color of each: the given one, else the next of the default colors
// that is not given for another.
func colorsOf(all []named) []color.Color {
	free := slices.Clone(palette.Lines)
	for _, n := range all {
		if given(n.color) {
			free = slices.DeleteFunc(free, func(c color.NRGBA) bool { return sameColor(c, n.color) })
		}
	}
	if len(free) == 0 {
		free = palette.Lines
	}
	colors := make([]color.Color, len(all))
	next := 0
	for i, n := range all {
		if colors[i] = n.color; !given(n.color) {
			colors[i] = free[next%len(free)]
			next++
		}
	}
	return colors
}

// colorsByName is colorsOf by name, of which the first color counts.
func colorsByName(all []named) map[string]color.Color {
	var distinct []named
	for _, n := range all {
		if !slices.ContainsFunc(distinct, func(d named) bool { return d.name == n.name }) {
			distinct = append(distinct, n)
		}
	}
	colors := map[string]color.Color{}
	for i, c := range colorsOf(distinct) {
		colors[distinct[i].name] = c
	}
	return colors
}

func sameColor(a, b color.Color) bool {
	return color.NRGBAModel.Convert(a) == color.NRGBAModel.Convert(b)
}

// dashes distinguish the lines of one color in a figure.
var dashes = [][]vg.Length{nil, {6, 2}, {2, 2}, {6, 2, 2, 2}}

// stylesOf returns a line style for each: its color, and dashes where an earlier line
// has that color or a shade of it. Where none has a color, as for scores or datasets,
// that are compared in one figure only, the styles are [defaultStyles].
func stylesOf(all []named) []draw.LineStyle {
	if !slices.ContainsFunc(all, func(n named) bool { return given(n.color) }) {
		return defaultStyles(len(all))
	}
	styles := make([]draw.LineStyle, len(all))
	for i, c := range colorsOf(all) {
		earlier := 0
		for _, s := range styles[:i] {
			if sameHue(s.Color, c) {
				earlier++
			}
		}
		styles[i] = draw.LineStyle{Color: c, Width: lineWidth, Dashes: dashes[earlier%len(dashes)]}
	}
	return styles
}

// defaultStyles returns n line styles, each of another color than its neighbors,
// and of another pair of color and dashes than any of the first 28.
func defaultStyles(n int) []draw.LineStyle {
	styles := make([]draw.LineStyle, n)
	for i := range styles {
		styles[i] = draw.LineStyle{Color: palette.Lines[i%len(palette.Lines)], Width: lineWidth, Dashes: dashes[i%len(dashes)]}
	}
	return styles
}

// sameHue reports whether two colors are equal or shades of one color, which is hard to
// see in a thin line: their hues differ by 5 degrees or less. Grays have no hue.
func sameHue(a, b color.Color) bool {
	hueA, saturatedA := hue(a)
	hueB, saturatedB := hue(b)
	if !saturatedA || !saturatedB {
		return sameColor(a, b)
	}
	difference := math.Abs(hueA - hueB)
	return min(difference, 360-difference) <= 5
}

// hue is that of the HSV model, in degrees; false for a gray.
func hue(c color.Color) (degrees float64, ok bool) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	r, g, b := float64(n.R), float64(n.G), float64(n.B)
	high, low := max(r, g, b), min(r, g, b)
	if high == low {
		return 0, false
	}
	switch high {
	case r:
		degrees = 60 * (g - b) / (high - low)
	case g:
		degrees = 60 * (2 + (b-r)/(high-low))
	default:
		degrees = 60 * (4 + (r-g)/(high-low))
	}
	return math.Mod(degrees+360, 360), true
}

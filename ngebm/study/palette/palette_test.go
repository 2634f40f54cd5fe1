package palette_test

import (
	"image/color"
	"math"
	"testing"

	"ngebm/ngebm/study"
	"ngebm/ngebm/study/palette"
)

// contrast returns the contrast of two opaque colors by WCAG 2.1: from 1 (none) to 21.
func contrast(a, b color.Color) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + .05) / (dark + .05)
}

// luminance returns an opaque color's relative luminance by WCAG 2.1, from 0 (black) to 1.
func luminance(c color.Color) float64 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= .04045 {
			return s / 12.92
		}
		return math.Pow((s+.055)/1.055, 2.4)
	}
	return .2126*linear(n.R) + .7152*linear(n.G) + .0722*linear(n.B)
}

// grounds are what figures are seen on: paper, the plate of dark pages (site.css), dark pages
// and JupyterLab's dark theme.
var grounds = map[string]color.Color{
	"white paper":     color.White,
	"a plate":         color.NRGBA{0xf4, 0xf5, 0xf7, 0xff},
	"a dark page":     color.NRGBA{0x14, 0x17, 0x1c, 0xff},
	"JupyterLab dark": color.NRGBA{0x11, 0x11, 0x11, 0xff},
}

// Every method, and every line without a method, is seen on every ground.
func TestContrast(t *testing.T) {
	colors := map[string]color.Color{"after temperature": study.Row{}.AfterT().Color}
	for _, m := range append(study.Methods(), study.ComparisonMethods()...) {
		if m.Color != nil {
			colors[m.Name] = m.Color
		}
	}
	for _, c := range palette.Lines {
		colors["a line"] = c
		for name, c := range colors {
			for where, ground := range grounds {
				if got := contrast(c, ground); got < 3 {
					t.Errorf("%s (%v) on %s: contrast %.2f, less than 3", name, c, where, got)
				}
			}
		}
	}
}

// The shades of NG-EBM darken with the weights; in gray they differ.
func TestShades(t *testing.T) {
	weak, middle, strong := luminance(palette.LightVermillion), luminance(palette.Vermillion), luminance(palette.DarkVermillion)
	if !(weak > 1.1*middle && middle > 1.3*strong) {
		t.Errorf("luminances %.3f, %.3f, %.3f", weak, middle, strong)
	}
}

// Examples by WCAG's own formula: black on white is 21, #767676 the lightest gray with 4.5
// on white (https://www.w3.org/TR/WCAG21/#contrast-minimum).
func TestContrastFormula(t *testing.T) {
	for _, c := range []struct {
		a    color.Color
		want float64
	}{{color.Black, 21}, {color.White, 1}, {color.NRGBA{0x76, 0x76, 0x76, 0xff}, 4.54}} {
		if got := contrast(c.a, color.White); math.Abs(got-c.want) > .005 {
			t.Errorf("%v: %.3f, want %v", c.a, got, c.want)
		}
	}
}

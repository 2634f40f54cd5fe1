package plots

import (
	"image/color"
	"slices"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestColorsOf(t *testing.T) {
	for name, test := range map[string]struct {
		all  []named
		want []color.Color
	}{
		"none is given":      {[]named{{"a", nil}, {"b", color.NRGBA{}}, {"c", nil}}, []color.Color{blue, vermillion, bluishGreen}},
		"all are given":      {[]named{{"a", olive}, {"b", olive}}, []color.Color{olive, olive}},
		"others take others": {[]named{{"a", nil}, {"b", blue}, {"c", nil}}, []color.Color{vermillion, blue, bluishGreen}},
		"none is left": {
			[]named{{"", blue}, {"", vermillion}, {"", bluishGreen}, {"", reddishPurple}, {"", orange}, {"", skyBlue}, {"", black}, {"", nil}},
			[]color.Color{blue, vermillion, bluishGreen, reddishPurple, orange, skyBlue, black, blue},
		},
	} {
		if got := colorsOf(test.all); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

var olive = color.NRGBA{0x99, 0x99, 0x33, 0xff}

func TestColorsByName(t *testing.T) {
	got := colorsByName([]named{{"a", olive}, {"b", nil}, {"a", black}, {"b", black}})
	if len(got) != 2 || got["a"] != olive || got["b"] != blue {
		t.Errorf("%v: want the first color of each name", got)
	}
}

// Lines of one color, and of shades of it, differ in dashes.
func TestStylesDash(t *testing.T) {
	styles := stylesOf([]named{{"NG-EBM 1", vermillion}, {"cross-entropy", blue}, {"NG-EBM 2", vermillion}, {"weak", lightVermillion}, {"paper", darkVermillion}, {"mixup", color.Gray{0x7f}}, {"margin", black}})
	var numbers []int
	for _, s := range styles {
		numbers = append(numbers, slices.IndexFunc(dashes, func(d []vg.Length) bool { return slices.Equal(d, s.Dashes) }))
	}
	if want := []int{0, 0, 1, 2, 3, 0, 0}; !slices.Equal(numbers, want) {
		t.Errorf("dashes %v, want %v", numbers, want)
	}
}

// Scores and datasets, which have no color, never look the same in a figure.
func TestDefaultStyles(t *testing.T) {
	type look struct {
		color  color.Color
		dashes int
	}
	seen := map[look]int{}
	for i, s := range stylesOf(make([]named, 28)) {
		l := look{s.Color, len(s.Dashes)}
		if len(s.Dashes) > 0 {
			l.dashes = int(s.Dashes[0]) + 10*len(s.Dashes)
		}
		if other, ok := seen[l]; ok {
			t.Errorf("lines %d and %d look the same", other, i)
		}
		seen[l] = i
	}
	if got := stylesOf([]named{{"JEM", bluishGreen}, {"own", nil}}); got[0].Color != bluishGreen || got[1].Color != color.Color(blue) {
		t.Errorf("next to a method's color %v", got)
	}
}

// Vermillion and its shades have one hue; no two other colors of the palette have.
func TestSameHue(t *testing.T) {
	shades := []color.Color{vermillion, lightVermillion, darkVermillion}
	all := append(slices.Clone(shades), orange, bluishGreen, yellow, blue, reddishPurple, black, color.White, color.Gray{0x7f})
	for i, a := range all {
		for j, b := range all {
			if got, want := sameHue(a, b), i == j || i < len(shades) && j < len(shades); got != want {
				t.Errorf("%v and %v: %t", a, b, got)
			}
		}
	}
}

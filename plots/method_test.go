package plots

import (
	"image/color"
	"slices"
	"testing"

	"gonum.org/v1/plot/vg"
	"ngebm/ngebm/study/palette"
)

func TestColorsOf(t *testing.T) {
	for name, test := range map[string]struct {
		all  []named
		want []color.Color
	}{
		"none is given":      {[]named{{"a", nil}, {"b", color.NRGBA{}}, {"c", nil}}, []color.Color{palette.Blue, palette.Vermillion, palette.BluishGreen}},
		"all are given":      {[]named{{"a", palette.Olive}, {"b", palette.Olive}}, []color.Color{palette.Olive, palette.Olive}},
		"others take others": {[]named{{"a", nil}, {"b", palette.Blue}, {"c", nil}}, []color.Color{palette.Vermillion, palette.Blue, palette.BluishGreen}},
		"none is left": {
			[]named{{"", palette.Blue}, {"", palette.Vermillion}, {"", palette.BluishGreen}, {"", palette.ReddishPurple}, {"", palette.Ocher}, {"", palette.SkyBlue}, {"", palette.Violet}, {"", nil}},
			[]color.Color{palette.Blue, palette.Vermillion, palette.BluishGreen, palette.ReddishPurple, palette.Ocher, palette.SkyBlue, palette.Violet, palette.Blue},
		},
	} {
		if got := colorsOf(test.all); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestColorsByName(t *testing.T) {
	got := colorsByName([]named{{"a", palette.Olive}, {"b", nil}, {"a", palette.Violet}, {"b", palette.Violet}})
	if len(got) != 2 || got["a"] != palette.Olive || got["b"] != palette.Blue {
		t.Errorf("%v: want the first color of each name", got)
	}
}

// Lines of one color, and of shades of it, differ in dashes.
func TestStylesDash(t *testing.T) {
	styles := stylesOf([]named{{"NG-EBM 1", palette.Vermillion}, {"cross-entropy", palette.Blue}, {"NG-EBM 2", palette.Vermillion}, {"weak", palette.LightVermillion}, {"paper", palette.DarkVermillion}, {"mixup", color.Gray{0x7f}}, {"margin", palette.Violet}})
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
	if got := stylesOf([]named{{"JEM", palette.BluishGreen}, {"own", nil}}); got[0].Color != palette.BluishGreen || got[1].Color != color.Color(palette.Blue) {
		t.Errorf("next to a method's color %v", got)
	}
}

// Vermillion and its shades have one hue; no two other colors of the palette have.
func TestSameHue(t *testing.T) {
	shades := []color.Color{palette.Vermillion, palette.LightVermillion, palette.DarkVermillion}
	all := append(slices.Clone(shades), palette.Ocher, palette.BluishGreen, palette.Classes[6], palette.Blue, palette.ReddishPurple, palette.Violet, color.White, color.Gray{0x7f})
	for i, a := range all {
		for j, b := range all {
			if got, want := sameHue(a, b), i == j || i < len(shades) && j < len(shades); got != want {
				t.Errorf("%v and %v: %t", a, b, got)
			}
		}
	}
}

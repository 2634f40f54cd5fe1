package plots

import (
	"image/color"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
)

// Each of the first 56 classes has a pair of color and shape of its own, and of
// the first eight each has its own color.
func TestClassMarks(t *testing.T) {
	type look struct {
		c color.Color
		s draw.GlyphDrawer
	}
	seen, colors := map[look]int{}, map[color.Color]bool{}
	for k := range 56 {
		m := classMark(k, 3)
		if other, ok := seen[look{m.Color, m.Shape}]; ok {
			t.Errorf("classes %d and %d look the same", k, other)
		}
		seen[look{m.Color, m.Shape}] = k
		if k < 8 {
			colors[m.Color] = true
		}
	}
	if len(colors) != 8 {
		t.Errorf("%d colors for eight classes", len(colors))
	}
}

func TestRoundTicks(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		want      string
	}{
		{0, 40, "0 10 20 30 40"},
		{0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{0.72, 0.98, "0.75 0.80 0.85 0.90 0.95"},
		{-3, 3, "−2 0 2"},
		{0, 100_000, "0 2e+04 4e+04 6e+04 8e+04 1e+05"},
		{0, 0.0005, "0 0.0001 0.0002 0.0003 0.0004 0.0005"},
		{1.7e9, 1.704e9, "1.7e+09 1.701e+09 1.702e+09 1.703e+09 1.704e+09"},
		{450_000, 451_000, "4.5e+05 4.502e+05 4.504e+05 4.506e+05 4.508e+05 4.51e+05"},
		{450_500, 450_503, "450500 450501 450502 450503"},
		{-0.000451, -0.00045, "−0.000451 −0.0004508 −0.0004506 −0.0004504 −0.0004502 −0.00045"},
		{1, 1, "1"},
		{1e16, 1e16 + 2, ""},
	} {
		var labels []string
		for _, tick := range roundTicks(5).Ticks(test.low, test.high) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != test.want && test.want != "" {
			t.Errorf("%v to %v: %s, want %s", test.low, test.high, got, test.want)
		}
	}
}

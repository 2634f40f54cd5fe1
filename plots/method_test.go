package plots

import (
	"image/color"
	"testing"
)

func TestMethodColor(t *testing.T) {
	for name, like := range map[string]string{
		"NG-EBM, γ = 0.1":             "ng-ebm",
		"NG-EBM β=γ=.01":              "NG-EBM weak",
		"NG-EBM, β = 0.01, γ = 1e-2":  "NG-EBM weak",
		"NG-EBM, β = 0, γ = 0":        "NG-EBM weak",
		"NG-EBM β=γ=1":                "NG-EBM strong",
		"NG-EBM (α=β=γ=1)":            "NG-EBM strong",
		"NG-EBM, β = 0.01, γ = 1":     "NG-EBM strong",
		"NG-EBM, α = 1":               "ng-ebm",
		"Cross-Entropy":               "cross-entropy",
		"JEM":                         "jem",
		"ng-ebm-paper":                "NG-EBM strong",
		"label-smoothing":             "label smoothing",
		"energy-margin":               "margin",
		"cross-entropy + temperature": "temperature scaling",
		"NG-EBM + adversarial":        "adversarial training",
		"Label smoothing 0.1":         "label smoothing",
		"my own":                      "my own",
	} {
		if MethodColor(name) != MethodColor(like) {
			t.Errorf("%q and %q have different colors", name, like)
		}
	}
	seen := map[color.Color]string{}
	for _, m := range methods {
		if other, ok := seen[m.color]; ok {
			t.Errorf("%q and %q have one color", m.part, other)
		}
		seen[m.color] = m.part
	}
	if MethodColor("NG-EBM weak") == MethodColor("NG-EBM") || MethodColor("NG-EBM strong") == MethodColor("NG-EBM") {
		t.Error("variants of NG-EBM have one shade")
	}
	styles := methodStyles([]string{"NG-EBM 1", "cross-entropy", "NG-EBM 2", "NG-EBM β=γ=1"})
	if styles[0].Color != styles[2].Color || len(styles[0].Dashes) == len(styles[2].Dashes) {
		t.Error("two runs of one method must share the color and differ in dashes")
	}
	if len(styles[3].Dashes) == len(styles[0].Dashes) {
		t.Error("a shade must differ in dashes too")
	}
}

// Scores and data sets, which are no methods, never look the same in a figure.
func TestPlainStyles(t *testing.T) {
	type look struct {
		color  color.Color
		dashes int
	}
	seen := map[look]int{}
	for i, s := range stylesOf(make([]string, 28)) {
		l := look{s.Color, len(s.Dashes)}
		if len(s.Dashes) > 0 {
			l.dashes = int(s.Dashes[0]) + 10*len(s.Dashes)
		}
		if other, ok := seen[l]; ok {
			t.Errorf("lines %d and %d look the same", other, i)
		}
		seen[l] = i
	}
	if got := stylesOf([]string{"JEM", "NG-EBM"})[0].Color; got != MethodColor("JEM") {
		t.Errorf("JEM is drawn in %v beside a method", got)
	}
}

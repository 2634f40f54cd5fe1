package plots

import (
	"hash/fnv"
	"image/color"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// methods gives each method its color. The first entry that the name contains
// decides, so "cross-entropy + temperature" stands before "cross-entropy".
var methods = []struct {
	part  string
	color color.NRGBA
}{
	{"temperature", skyBlue},
	{"adversarial", orange},
	{"smoothing", reddishPurple},
	{ngEBM, vermillion},
	{"jem++", olive},
	{"jem", bluishGreen},
	{"focal", color.NRGBA{0x8c, 0x56, 0x4b, 0xff}},
	{"mixup", color.NRGBA{0x7f, 0x7f, 0x7f, 0xff}},
	{"margin", black},
	{"cross-entropy", blue},
}

const ngEBM = "ng-ebm"

// Shades of NG-EBM's color: the heavier the regularization, the darker. As gray
// they are 79, 54 and 31 % bright (CIE L*), so print tells them apart.
var (
	lightVermillion = color.NRGBA{0xff, 0xb2, 0x7f, 0xff}
	darkVermillion  = color.NRGBA{0x80, 0x2f, 0x00, 0xff}
)

// olive sets JEM++ apart from JEM's green (after Tol's muted palette).
var olive = color.NRGBA{0x99, 0x99, 0x33, 0xff}

// MethodColor returns the color in which a method is drawn in every figure,
// by what its name contains: "cross-entropy, seed 2" has the color of
// "cross-entropy". NG-EBM comes in three shades: a light one for a name that
// says "weak" or gives weights β and γ of at most 0.03 ("NG-EBM β=γ=.01"), a
// dark one for "strong", "paper" or a weight of 0.3 or more, the plain one else. A name
// that holds no known method gets a color of its own that depends on nothing
// but the name.
func MethodColor(name string) color.Color {
	c, _ := methodColor(name)
	return c
}

// methodColor tells besides which method it is: the part of the name that
// decided, or nothing if there was none.
func methodColor(name string) (c color.NRGBA, method string) {
	lower := strings.ToLower(name)
	for _, m := range methods {
		if !strings.Contains(lower, m.part) {
			continue
		}
		if m.part == ngEBM {
			return shade(lower), m.part
		}
		return m.color, m.part
	}
	others := []color.NRGBA{black, {0x7f, 0x7f, 0x7f, 0xff}, {0x8c, 0x56, 0x4b, 0xff}}
	h := fnv.New32a()
	h.Write([]byte(lower))
	return others[h.Sum32()%uint32(len(others))], ""
}

// weight finds what stands after β or γ: "β=γ=.01", "γ = 0,1", "β 1e-2".
var weight = regexp.MustCompile(`[βγ]\s*=?\s*([0-9]*[.,]?[0-9]+(?:e[-−+]?[0-9]+)?)`)

// shade returns the color of a variant of NG-EBM by its largest weight.
func shade(name string) color.NRGBA {
	switch {
	case strings.Contains(name, "weak"):
		return lightVermillion
	case strings.Contains(name, "strong") || strings.Contains(name, "paper"):
		return darkVermillion
	}
	largest := -1.
	for _, found := range weight.FindAllStringSubmatch(name, -1) {
		if w, err := strconv.ParseFloat(strings.NewReplacer(",", ".", "−", "-").Replace(found[1]), 64); err == nil {
			largest = max(largest, w)
		}
	}
	switch {
	case largest >= 0.3:
		return darkVermillion
	case largest >= 0 && largest <= 0.03:
		return lightVermillion
	}
	return vermillion
}

// dashes distinguish the lines of one color in a figure.
var dashes = [][]vg.Length{nil, {6, 2}, {2, 2}, {6, 2, 2, 2}}

// methodStyles returns a line style for each name: color by method, dashes
// where an earlier name has that color, or a shade of it, already.
func methodStyles(names []string) []draw.LineStyle {
	styles := make([]draw.LineStyle, len(names))
	seen := map[any]int{}
	for i, name := range names {
		c, method := methodColor(name)
		var hue any = method
		if method == "" {
			hue = c
		}
		styles[i] = draw.LineStyle{Color: c, Width: lineWidth, Dashes: dashes[seen[hue]%len(dashes)]}
		seen[hue]++
	}
	return styles
}

// stylesOf returns a line style for each name: those of methods where all names
// are methods' ([methodStyles]); else colors in the order of the names, as for
// scores or datasets, that are compared in one figure only.
func stylesOf(names []string) []draw.LineStyle {
	for _, name := range names {
		if _, method := methodColor(name); method == "" {
			return plainStyles(len(names))
		}
	}
	return methodStyles(names)
}

// plainStyles returns n line styles, each of another color than its neighbors,
// and of another pair of color and dashes than any of the first 28.
func plainStyles(n int) []draw.LineStyle {
	colors := []color.Color{blue, vermillion, bluishGreen, reddishPurple, orange, skyBlue, black}
	styles := make([]draw.LineStyle, n)
	for i := range styles {
		styles[i] = draw.LineStyle{Color: colors[i%len(colors)], Width: lineWidth, Dashes: dashes[i%len(dashes)]}
	}
	return styles
}

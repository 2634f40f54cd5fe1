package plots

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"ngebm/data"
)

// hills is a model whose logits are made of bumps around centers, one a class.
type hills struct {
	centers [][2]float64
	height  float64
}

func (h hills) Logits(_ context.Context, d *data.Dataset) ([][]float64, error) {
	logits := make([][]float64, d.Len())
	for i := range logits {
		for _, c := range h.centers {
			x, y := float64(d.Points[2*i])-c[0], float64(d.Points[2*i+1])-c[1]
			logits[i] = append(logits[i], h.height*math.Exp(-(x*x+y*y)/2))
		}
	}
	return logits, nil
}

// pointSet is n points, evenly around hills' centers, made without chance.
func pointSet(t testing.TB, n int, centers [][2]float64) *data.Dataset {
	t.Helper()
	d := data.Dataset{Info: data.Info{Name: "three spirals", Split: "test", Source: "computed", License: "CC0-1.0", Classes: []string{"first", "second", "third"}[:len(centers)]}, Shape: []int{2}}
	for i := range n {
		k := i % len(centers)
		radius, angle := 1.1*math.Sqrt(float64(i)/float64(n)), 2.4*float64(i)
		d.Labels = append(d.Labels, int32(k))
		d.Points = append(d.Points, float32(centers[k][0]+radius*math.Cos(angle)), float32(centers[k][1]+radius*math.Sin(angle)))
	}
	if n == 0 { // a set that no loader would make
		d.Points = []float32{}
		return &d
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var corners = [][2]float64{{-1.5, -1}, {1.5, -1}, {0, 1.4}}

func survey(t testing.TB, m Model, d *data.Dataset) *Grid {
	t.Helper()
	g, err := EnergyGrid(t.Context(), m, d, 100)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestLandscapesGolden(t *testing.T) {
	d := pointSet(t, 300, corners)
	steep := Landscape{Title: "cross-entropy", Grid: survey(t, hills{corners, 30}, d), Data: d}
	flat := Landscape{Title: "NG-EBM, β = γ = 0.1", Grid: survey(t, hills{corners, 3}, d), Data: d}
	t.Run("own scales", func(t *testing.T) {
		f, err := Landscapes(OwnScale, steep, flat)
		golden(t, "landscapes", f, err)
	})
	t.Run("shared scale", func(t *testing.T) {
		f, err := Landscapes(SharedScale, steep, flat, Landscape{Title: "without data", Grid: flat.Grid})
		golden(t, "landscapes-shared", f, err)
	})
	t.Run("one, two classes, a hole", func(t *testing.T) {
		two, _, err := data.Open(context.Background(), "moons", data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := survey(t, hills{corners[:2], 2}, two)
		for _, row := range g.Energy[10:20] {
			for i := 10; i < 30; i++ {
				row[i] = math.NaN()
			}
		}
		f, err := Landscapes(OwnScale, Landscape{Title: "moons", Grid: g, Data: two})
		golden(t, "landscapes-one", f, err)
	})
}

func TestLandscapesDegenerate(t *testing.T) {
	d := pointSet(t, 30, corners)
	flat := func(e float64) *Grid {
		return &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{e, e}, {e, e}}}
	}
	one := pointSet(t, 20, corners[:1])
	scores := flat(1)
	scores.Scores = [][][]float64{{{1, 2}, {1, 2}}, {{1, 2}, {1}}}
	tests := []struct {
		name      string
		landscape Landscape
		err       string
	}{
		{"all energies equal", Landscape{Grid: flat(3)}, ""},
		{"all zero", Landscape{Grid: flat(0), Data: d}, ""},
		{"one class", Landscape{Title: "one", Grid: survey(t, hills{corners[:1], 1}, one), Data: one}, ""},
		{"one point", Landscape{Title: "one", Grid: survey(t, hills{corners, 1}, pointSet(t, 1, corners)), Data: pointSet(t, 1, corners)}, ""},
		{"no points", Landscape{Title: "none", Grid: flat(1), Data: pointSet(t, 0, corners)}, ""},
		{"a tenth of the range NaN", Landscape{Grid: &Grid{X: []float64{0, 1, 2}, Y: []float64{0, 1}, Energy: [][]float64{{0, 1, math.NaN()}, {2, 3, math.Inf(1)}}}}, ""},
		{"class scores NaN", Landscape{Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{0, 1}, {2, 3}}, Scores: [][][]float64{{{math.NaN(), 1}, {1, 2}}, {{2, 1}, {0, 0}}}}}, ""},
		{"tie everywhere", Landscape{Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{0, 1}, {2, 3}}, Scores: [][][]float64{{{1, 1}, {1, 1}}, {{1, 1}, {1, 1}}}}}, ""},
		{"far from square", Landscape{Grid: &Grid{X: []float64{0, 1000}, Y: []float64{0, 1}, Energy: [][]float64{{0, 1}, {2, 3}}}}, ""},
		{"large numbers", Landscape{Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{1e9, 1e9 + 1}, {2e9, 3e9}}}}, ""},
		{"all NaN", Landscape{Grid: flat(math.NaN())}, "no energy on the grid is a finite number"},
		{"no grid", Landscape{}, "needs a grid"},
		{"one column", Landscape{Grid: &Grid{X: []float64{0}, Y: []float64{0, 1}}}, "needs a grid"},
		{"descending", Landscape{Grid: &Grid{X: []float64{1, 0}, Y: []float64{0, 1}}}, "must ascend, but 0 is at index 1"},
		{"rows missing", Landscape{Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{1, 2}}}}, "has 2 rows but energies for 1"},
		{"columns missing", Landscape{Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{1, 2}, {1}}}}, "its row 1 does not"},
		{"scores missing", Landscape{Grid: scores}, "1 at row 1, column 1"},
		{"images", Landscape{Grid: flat(1), Data: stripes(t, 3, 8, 8, 1)}, "shows points in the plane"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Landscapes(OwnScale, test.landscape)
			switch {
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error %v, want one with %q", err, test.err)
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err == "":
				checkDrawn(t, f)
			}
		})
	}
	if _, err := Landscapes(OwnScale); err == nil {
		t.Error("no landscapes: no error")
	}
}

// wordsOf lists what is written on a figure.
func wordsOf(t *testing.T, f *Figure, err error) (words []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	canvas := &recorder.Canvas{}
	f.draw(draw.NewCanvas(canvas, f.Width, f.Height))
	for _, a := range canvas.Actions {
		if s, ok := a.(*recorder.FillString); ok {
			words = append(words, s.String)
		}
	}
	return words
}

// Only neighbors with the same axis share its name and its ticks.
func TestLandscapesAxes(t *testing.T) {
	over := func(name string, y ...float64) Landscape {
		return Landscape{Grid: &Grid{X: []float64{0, 1}, Y: y, Energy: [][]float64{{0, 1}, {2, 3}}, Axes: [2]string{"x", name}}}
	}
	a, b := over("weight", 0, 1), over("height", 70, 71)
	count := func(words []string, word string) (n int) {
		for _, w := range words {
			if w == word {
				n++
			}
		}
		return n
	}
	f, err := Landscapes(OwnScale, a, a, b)
	if w := wordsOf(t, f, err); count(w, "weight") != 1 || count(w, "height") != 1 {
		t.Errorf("of the axes' names are written %q", w)
	}
	f, err = LandscapeTable(OwnScale, []string{"1", "2", "3"}, LandscapeRow{"row", []Landscape{a, b, b}}, LandscapeRow{"row", []Landscape{a, a, a}})
	if w := wordsOf(t, f, err); count(w, "70.4") != 1 || count(w, "0.4") != 5 { // 3 below and 2 on the left
		t.Errorf("of the ticks are written %q", w)
	}
	b.Grid.X = []float64{0, 5}
	f, err = LandscapeTable(OwnScale, []string{"1"}, LandscapeRow{"row", []Landscape{a}}, LandscapeRow{"row", []Landscape{b}})
	if w := wordsOf(t, f, err); count(w, "0.4") != 2 || count(w, "4") != 1 {
		t.Errorf("of the ticks are written %q", w)
	}
}

// Where an image with colors is pinned the picture keeps its colors.
func TestPinsKeepTheirColors(t *testing.T) {
	for _, channels := range []int{1, 3} {
		l := Landscape{
			Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{0, 1}, {2, 3}}},
			Pins: []Pin{{}, {Tile: Tile{Set: stripes(t, 1, 8, 8, channels)}}},
		}
		one, err := Landscapes(OwnScale, l)
		table, errTable := LandscapeTable(OwnScale, []string{"a"}, LandscapeRow{"row", []Landscape{l}})
		if err != nil || errTable != nil || one.photo != (channels == 3) || table.photo != one.photo {
			t.Errorf("%d channels: kept are %v and %v (%v, %v)", channels, one.photo, table.photo, err, errTable)
		}
	}
}

type failing struct{ logits [][]float64 }

func (f failing) Logits(context.Context, *data.Dataset) ([][]float64, error) {
	if f.logits == nil {
		return nil, errors.New("out of memory")
	}
	return f.logits, nil
}

func TestEnergyGrid(t *testing.T) {
	d := pointSet(t, 100, corners)
	g := survey(t, hills{corners, 2}, d)
	// The hill of the second class is highest near its center, on the right.
	best, at := math.Inf(-1), [2]float64{}
	for i, y := range g.Y {
		for j, x := range g.X {
			if g.Scores[i][j][1] > best {
				best, at = g.Scores[i][j][1], [2]float64{x, y}
			}
		}
	}
	if math.Hypot(at[0]-1.5, at[1]+1) > 0.05 {
		t.Errorf("the second class peaks at %v, want near (1.5, -1): rows or columns are mixed up", at)
	}
	// logsumexp of logits at a node, written out.
	s := g.Scores[3][5]
	if want := math.Log(math.Exp(s[0]) + math.Exp(s[1]) + math.Exp(s[2])); math.Abs(g.Energy[3][5]-want) > 1e-12 {
		t.Errorf("E = %v, want logsumexp %v = %v", g.Energy[3][5], s, want)
	}
	for name, test := range map[string]struct {
		m   Model
		d   *data.Dataset
		n   int
		err string
	}{
		"one point a side": {hills{corners, 1}, d, 1, "choose 2 to 1000"},
		"too fine":         {hills{corners, 1}, d, 5000, "a grid of 5000 by 5000"},
		"images":           {hills{corners, 1}, stripes(t, 1, 8, 8, 1), 10, "shows points in the plane"},
		"no data":          {hills{corners, 1}, nil, 10, "no dataset"},
		"no points":        {hills{corners, 1}, pointSet(t, 0, corners), 10, "has no points"},
		"model fails":      {failing{}, d, 10, "out of memory"},
		"too few logits":   {failing{[][]float64{{1}}}, d, 10, "logits for 1 of 100 points"},
		"empty logits":     {failing{make([][]float64, 4)}, d, 2, "no logits"},
	} {
		if _, err := EnergyGrid(t.Context(), test.m, test.d, test.n); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.err)
		}
	}
}

func ExampleLandscapes() {
	train, _, err := data.Open(context.Background(), "moons", data.Options{})
	if err != nil {
		panic(err)
	}
	var model Model = hills{[][2]float64{{-1, 0}, {1, 0}}, 2} // in earnest, a trained classifier
	grid, err := EnergyGrid(context.Background(), model, train, 100)
	if err != nil {
		panic(err)
	}
	figure, err := Landscapes(OwnScale, Landscape{Title: "two hills", Grid: grid, Data: train})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

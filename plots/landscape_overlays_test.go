package plots

import (
	"context"
	"math"
	"strings"
	"testing"

	"ngebm/ngebm"
)

// climbing is chains that go from a ring around the origin towards it, or away from
// it, in so many steps.
func climbing(count, steps int, factor float64) *ngebm.Samples {
	s := &ngebm.Samples{Shape: []int{2}, Labels: make([]int32, count)}
	for k := range steps + 1 {
		var x []float32
		for i := range count {
			angle, radius := 2.4*float64(i), 2*math.Pow(factor, float64(k))
			x = append(x, float32(radius*math.Cos(angle+float64(k)/9)), float32(radius*math.Sin(angle+float64(k)/9)))
		}
		s.Steps, s.X = append(s.Steps, k), append(s.X, x)
	}
	return s
}

func TestOverlaysGolden(t *testing.T) {
	d := pointSet(t, 300, corners)
	steep, flat := survey(t, hills{corners, 6}, d), survey(t, hills{corners, 1}, d)
	t.Run("arrows", func(t *testing.T) {
		f, err := Landscapes(OwnScale, Landscape{Title: "steep", Grid: steep, Arrows: true}, Landscape{Title: "a sixth of it", Grid: flat, Arrows: true})
		golden(t, "landscapes-arrows", f, err)
	})
	t.Run("chains, a line, regions", func(t *testing.T) {
		f, err := Landscapes(SharedScale,
			Landscape{Title: "inwards", Grid: steep, Data: d, Chains: climbing(12, 20, .95)},
			Landscape{Title: "outwards", Grid: steep, Chains: climbing(12, 20, 1.05)},
			Landscape{Title: "a line", Grid: flat, Segment: &Segment{[2]float64{-2, -2}, [2]float64{2, 1}}, Regions: d.Classes})
		golden(t, "landscapes-chains", f, err)
	})
}

func TestOverlaysDegenerate(t *testing.T) {
	flat := &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{2, 2}, {2, 2}}}
	nan := math.NaN()
	hole := &Grid{X: []float64{0, 1, 2}, Y: []float64{0, 1, 2}, Energy: [][]float64{{0, nan, 1}, {nan, 1, nan}, {1, math.Inf(1), 0}},
		Scores: [][][]float64{{{nan, nan}, {0, 1}, {1, 0}}, {{0, 1}, {0, 1}, {0, 0}}, {{1, 0}, {nan, 0}, {0, math.Inf(-1)}}}}
	lost := climbing(3, 2, 1)
	lost.X[2] = []float32{float32(nan), 0, 1, 1, float32(math.Inf(1)), 0}
	ragged := climbing(3, 2, 1)
	ragged.X[1] = ragged.X[1][:2]
	images := climbing(3, 2, 1)
	images.Shape = []int{8, 8, 1}
	for _, test := range []struct {
		name      string
		landscape Landscape
		err       string
	}{
		{"arrows where all energies are equal", Landscape{Grid: flat, Arrows: true}, ""},
		{"arrows beside NaN", Landscape{Grid: hole, Arrows: true}, ""},
		{"regions beside NaN", Landscape{Grid: hole, Regions: []string{"a", "b"}}, ""},
		{"no chains", Landscape{Grid: flat, Chains: climbing(0, 3, 1)}, ""},
		{"chains of one step", Landscape{Grid: flat, Chains: climbing(2, 0, 1)}, ""},
		{"chains to NaN", Landscape{Grid: flat, Chains: lost}, ""},
		{"a line beyond the picture", Landscape{Grid: flat, Segment: &Segment{[2]float64{-5, 0.5}, [2]float64{9, 0.5}}}, ""},
		{"a line without length", Landscape{Grid: flat, Segment: &Segment{}}, "the line from [0 0] to [0 0] has length 0"},
		{"a pin without a picture", Landscape{Grid: flat, Pins: []Pin{{X: .5, Y: .5}, {X: 9, Y: 9}}}, ""},
		{"a pin of points", Landscape{Grid: flat, Pins: []Pin{{Tile: Tile{Set: pointSet(t, 3, corners)}}}}, "an image has height, width and 1 or 3 channels"},
		{"chains of no step", Landscape{Grid: flat, Chains: &ngebm.Samples{Shape: []int{2}}}, "0 steps of chains of shape [2]"},
		{"chains of images", Landscape{Grid: flat, Chains: images}, "chains of shape [8 8 1]"},
		{"a chain lost", Landscape{Grid: flat, Chains: ragged}, "2 numbers at step 1 of the chains, 6 at their start"},
		{"names of too few regions", Landscape{Grid: hole, Regions: []string{"a"}}, "1 names of regions for a grid with scores of 2 classes"},
	} {
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
}

// The arrows' gradient is that of the function: of one bump h·exp(-r²/2), whose
// energy is the bump itself, it is -x times the bump.
func TestGridGradient(t *testing.T) {
	d := pointSet(t, 100, corners)
	g := survey(t, hills{[][2]float64{{0, 0}}, 5}, d)
	for _, at := range [][2]int{{30, 40}, {50, 50}, {80, 10}} {
		x, y := g.X[at[1]], g.Y[at[0]]
		bump := 5 * math.Exp(-(x*x+y*y)/2)
		dx, dy := g.gradient(at[0], at[1])
		if math.Abs(dx+x*bump) > .01 || math.Abs(dy+y*bump) > .01 {
			t.Errorf("at (%.2f, %.2f) the gradient is (%.3f, %.3f), want (%.3f, %.3f)", x, y, dx, dy, -x*bump, -y*bump)
		}
	}
}

func TestDepths(t *testing.T) {
	g := &Grid{X: make([]float64, 5), Y: make([]float64, 3)}
	for _, row := range []string{"aaaab", "aaabb", "aaaa?"} {
		var scores [][]float64
		for _, class := range row {
			scores = append(scores, map[rune][]float64{'a': {2, 1}, 'b': {1, 2}, '?': {math.NaN(), math.NaN()}}[class])
		}
		g.Scores = append(g.Scores, scores)
	}
	winner := g.winners()
	depth := depths(winner)
	want := [][]int{{1, 1, 1, 1, 1}, {1, 2, 1, 1, 1}, {1, 1, 1, 1, 1}}
	for row := range want {
		for column := range want[row] {
			if depth[row][column] != want[row][column] {
				t.Errorf("depth %v, want %v", depth, want)
			}
		}
	}
	if winner[0][4] != 1 || winner[1][1] != 0 || winner[2][4] != -1 {
		t.Errorf("winners %v", winner)
	}
}

func TestLandscapeTable(t *testing.T) {
	d := pointSet(t, 300, corners)
	row := func(name string, heights ...float64) LandscapeRow {
		r := LandscapeRow{Name: name}
		for _, h := range heights {
			r.Landscapes = append(r.Landscapes, Landscape{Grid: survey(t, hills{corners, h}, d), Data: d})
		}
		return r
	}
	grows, stays := row("grows", 1, 3, 9, 27), row("stays", 2, 2, 2, 2)
	columns := []string{"epoch 1", "epoch 3", "epoch 10", "epoch 40"}
	t.Run("own scales", func(t *testing.T) {
		f, err := LandscapeTable(OwnScale, columns, grows, stays)
		golden(t, "landscape-table", f, err)
		if want := "epoch 40: 1.1 to 27. stays"; err == nil && !strings.Contains(f.Alt, want) {
			t.Errorf("the alternative text %q lacks %q", f.Alt, want)
		}
	})
	t.Run("shared scale", func(t *testing.T) {
		f, err := LandscapeTable(SharedScale, columns[:2], row("grows", 1, 9), row("a name that is far too long for the height of its row", 2, 2))
		golden(t, "landscape-table-shared", f, err)
	})
	flat := Landscape{Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: [][]float64{{2, 2}, {2, 2}}}}
	for name, test := range map[string]struct {
		columns []string
		rows    []LandscapeRow
		err     string
	}{
		"one flat landscape": {[]string{"a"}, []LandscapeRow{{"r", []Landscape{flat}}}, ""},
		"no row":             {[]string{"a"}, nil, "a table of 0 rows and 1 columns"},
		"seven columns":      {make([]string, 7), []LandscapeRow{stays}, "1 to 6 columns"},
		"a short row":        {columns[:2], []LandscapeRow{{"r", []Landscape{flat}}}, `row 0, "r", has 1 landscapes for 2 columns`},
		"no grid":            {[]string{"a"}, []LandscapeRow{{"r", []Landscape{{}}}}, "needs a grid"},
	} {
		f, err := LandscapeTable(OwnScale, test.columns, test.rows...)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: error %v, want one with %q", name, err, test.err)
		case test.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.err == "":
			checkDrawn(t, f)
		}
	}
}

func ExampleLandscapeTable() {
	set := pointSet(new(testing.T), 60, corners)
	rows := []LandscapeRow{{Name: "cross-entropy"}, {Name: "NG-EBM"}}
	for i := range rows {
		for _, height := range []float64{1, 2, 5} { // in earnest, classifiers after more and more epochs
			grid, err := EnergyGrid(context.Background(), hills{corners, height}, set, 60)
			if err != nil {
				panic(err)
			}
			rows[i].Landscapes = append(rows[i].Landscapes, Landscape{Grid: grid, Arrows: true})
		}
	}
	figure, err := LandscapeTable(OwnScale, []string{"1 epoch", "10 epochs", "40 epochs"}, rows...)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

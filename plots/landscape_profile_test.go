package plots

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
)

func TestProfilesGolden(t *testing.T) {
	d := pointSet(t, 300, corners)
	line := Segment{[2]float64{-3, -1.2}, [2]float64{3, -.6}}
	var all []*Profile
	for title, height := range map[string]float64{"steep": 6, "flat": 1} {
		p, err := EnergyAlong(t.Context(), hills{corners, height}, line, d, 200)
		if err != nil {
			t.Fatal(err)
		}
		p.Title = title
		if all = append(all, p); title == "steep" {
			all[0], all[len(all)-1] = all[len(all)-1], all[0]
		}
	}
	for i := 60; i < 80; i++ {
		all[1].Energy[i] = math.NaN()
	}
	f, err := Profiles(all...)
	golden(t, "profiles", f, err)
}

// A class has one mark and one line in all panels, as the legend says, whatever order its set lists the
// classes in.
func TestClassesByName(t *testing.T) {
	d := pointSet(t, 30, corners)
	turned := *d // the same points, with the classes listed from the last to the first
	turned.Classes, turned.Labels = slices.Clone(d.Classes), slices.Clone(d.Labels)
	slices.Reverse(turned.Classes)
	for i, label := range turned.Labels {
		turned.Labels[i] = int32(len(d.Classes)-1) - label
	}
	same, err := data.New(turned)
	if err != nil {
		t.Fatal(err)
	}
	profile := func(d *data.Dataset, logits ...float64) *Profile {
		return &Profile{Near: d, Segment: Segment{[2]float64{-3, -1}, [2]float64{3, -1}}, Distance: []float64{0, 6}, Energy: []float64{4, 4}, Logits: [][]float64{logits, logits}}
	}
	grid := &Grid{X: []float64{-3, 3}, Y: []float64{-3, 3}, Energy: [][]float64{{1, 1}, {1, 1}}}
	first, other := Landscape{Grid: grid, Data: d}, Landscape{Grid: grid, Data: same}
	for name, draw := range map[string]func(l Landscape, p *Profile) (*Figure, error){
		"landscapes": func(l Landscape, _ *Profile) (*Figure, error) { return Landscapes(OwnScale, first, l) },
		"table": func(l Landscape, _ *Profile) (*Figure, error) {
			return LandscapeTable(OwnScale, []string{"a", "b"}, LandscapeRow{Name: "row", Landscapes: []Landscape{first, l}})
		},
		"profiles": func(_ Landscape, p *Profile) (*Figure, error) { return Profiles(profile(d, 1, 2, 3), p) },
	} {
		want, err1 := draw(first, profile(d, 1, 2, 3))
		got, err2 := draw(other, profile(same, 3, 2, 1))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Image(50).Pix, want.Image(50).Pix) {
			t.Errorf("%s: another order of the classes gives another picture", name)
		}
	}
}

// Lines of 32 classes differ in color or dashes.
func TestClassLinesDiffer(t *testing.T) {
	seen := map[string]int{}
	for k := range 32 {
		style := classLine(k)
		text := fmt.Sprint(style.Color, style.Dashes)
		if other, ok := seen[text]; ok {
			t.Errorf("the lines of classes %d and %d are equal", other, k)
		}
		seen[text] = k
	}
}

// Along the line from (0, 0) to (3, 4), whose length is 5, the energy of one bump
// h·exp(-r²/2) at the origin is the bump itself.
func TestEnergyAlong(t *testing.T) {
	d := pointSet(t, 3, corners)
	p, err := EnergyAlong(t.Context(), hills{[][2]float64{{0, 0}}, 2}, Segment{To: [2]float64{3, 4}}, d, 6)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range []float64{0, 1, 2, 3, 4, 5} {
		if want := 2 * math.Exp(-r*r/2); math.Abs(p.Distance[i]-r) > 1e-12 || math.Abs(p.Energy[i]-want) > 1e-6 {
			t.Errorf("at %v the energy is %v, want %v at %v", p.Distance[i], p.Energy[i], want, r)
		}
	}
	line := Segment{[2]float64{0, 0}, [2]float64{1, 0}}
	for name, test := range map[string]struct {
		m    Model
		line Segment
		d    *data.Dataset
		n    int
		err  string
	}{
		"one point":      {hills{corners, 1}, line, d, 1, "choose 2 to 100000"},
		"no length":      {hills{corners, 1}, Segment{}, d, 9, "has length 0"},
		"to nowhere":     {hills{corners, 1}, Segment{To: [2]float64{math.NaN()}}, d, 9, "has length NaN"},
		"to infinity":    {hills{corners, 1}, Segment{To: [2]float64{math.Inf(1)}}, d, 9, "has length +Inf"},
		"images":         {hills{corners, 1}, line, stripes(t, 1, 8, 8, 1), 9, "shows points in the plane"},
		"no data":        {hills{corners, 1}, line, nil, 9, "no dataset"},
		"model fails":    {failing{}, line, d, 9, "out of memory"},
		"too few logits": {failing{[][]float64{{1}}}, line, d, 9, "logits for 1 of 9 points"},
	} {
		if _, err := EnergyAlong(t.Context(), test.m, test.line, test.d, test.n); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.err)
		}
	}
}

func TestProfilesDegenerate(t *testing.T) {
	d := pointSet(t, 30, corners)
	line := Segment{To: [2]float64{1, 0}}
	profile := func(energies ...float64) *Profile {
		p := &Profile{Near: d, Segment: line, Distance: upToFloats(len(energies)), Energy: energies}
		for _, e := range energies {
			p.Logits = append(p.Logits, []float64{e, e - 1, math.NaN()})
		}
		return p
	}
	short := profile(1, 2)
	short.Logits = short.Logits[:1]
	none := profile(1, 2)
	none.Near = pointSet(t, 0, corners)
	for name, test := range map[string]struct {
		p   *Profile
		err string
	}{
		"all energies equal": {profile(3, 3, 3), ""},
		"NaN and infinity":   {profile(3, math.NaN(), math.Inf(1), 4, 5), ""},
		"no points":          {none, ""},
		"all NaN":            {profile(math.NaN(), math.NaN()), "no energy of the profile"},
		"logits missing":     {short, "an energy and logits for each"},
		"nothing":            {nil, "an energy and logits for each"},
	} {
		f, err := Profiles(test.p)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: error %v, want one with %q", name, err, test.err)
		case test.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.err == "":
			checkDrawn(t, f)
		}
	}
	if _, err := Profiles(); err == nil {
		t.Error("no profile drawn without an error")
	}
}

func upToFloats(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	return values
}

func ExampleEnergyAlong() {
	train, _, err := data.Open(context.Background(), "moons", data.Options{})
	if err != nil {
		panic(err)
	}
	var model Model = hills{[][2]float64{{-1, 0}, {1, 0}}, 2} // in earnest, a trained classifier
	profile, err := EnergyAlong(context.Background(), model, Segment{From: [2]float64{-3, 0}, To: [2]float64{3, 0}}, train, 300)
	if err != nil {
		panic(err)
	}
	figure, err := Profiles(profile)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

func ExampleProfiles() {
	train, _, err := data.Open(context.Background(), "moons", data.Options{})
	if err != nil {
		panic(err)
	}
	line := Segment{From: [2]float64{-3, 0}, To: [2]float64{3, 0}}
	var profiles []*Profile
	for _, height := range []float64{2, 8} { // in earnest, classifiers
		p, err := EnergyAlong(context.Background(), hills{[][2]float64{{-1, 0}, {1, 0}}, height}, line, train, 300)
		if err != nil {
			panic(err)
		}
		p.Title = fmt.Sprintf("hills of %g", height)
		profiles = append(profiles, p)
	}
	figure, err := Profiles(profiles...)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

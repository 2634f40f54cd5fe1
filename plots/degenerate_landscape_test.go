package plots

import (
	"math"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
)

// degenerateLandscapes are the figures of a model over the plane.
func degenerateLandscapes(t *testing.T) map[string]degenerateCases {
	d := pointSet(t, 30, corners)
	level := func(energies ...float64) Landscape { // over four nodes
		e := [][]float64{{energies[0], energies[0]}, {energies[0], energies[len(energies)-1]}}
		return Landscape{Title: "level", Grid: &Grid{X: []float64{0, 1}, Y: []float64{0, 1}, Energy: e}}
	}
	over := func(l Landscape, set *data.Dataset) Landscape { l.Data = set; return l }
	lone, point := pointSet(t, 20, corners[:1]), pointSet(t, 1, corners)
	short, unnamed := *d, *d
	short.Points = short.Points[1:]
	unnamed.Classes = unnamed.Classes[:1]
	ragged := level(1)
	ragged.Grid.Energy = ragged.Grid.Energy[:1]
	narrow := level(1)
	narrow.Grid.X = []float64{1, 1}
	pinned := level(1)
	pinned.Pins = []Pin{{X: math.NaN(), Label: "lost"}}
	lost := level(1, 2)
	lost.Arrows, lost.Chains = true, climbing(2, 3, 1)
	lost.Chains.X[3] = []float32{float32(math.NaN()), 0, float32(math.Inf(1)), 0}

	// The same landscapes in each of the functions that draw one.
	rows := func(draw func(...Landscape) (*Figure, error)) []degenerate {
		row := func(fault, says string, l Landscape) degenerate {
			return degenerate{fault, func() (*Figure, error) { return draw(l) }, says}
		}
		return []degenerate{
			row("nothing", "needs a grid", Landscape{}),
			row("nothing", "", over(level(1, 2), pointSet(t, 0, corners))),
			row("one", "", Landscape{Grid: survey(t, hills{corners, 1}, point), Data: point}),
			row("one class", "", Landscape{Grid: survey(t, hills{corners[:1], 1}, lone), Data: lone}),
			row("all equal", "", level(0)),
			row("all equal", "", level(-1e9)),
			row("all equal", "", level(0, 5e-324)),
			row("NaN", "", level(1, math.NaN())),
			row("NaN", "no energy on the grid is a finite number", level(math.NaN())),
			row("NaN", `the pin "lost" is at (NaN, 0)`, pinned),
			row("NaN", "", lost),
			row("infinite", "", level(1, math.Inf(1))),
			row("infinite", "diverged", level(1.7e308, -1.7e308)),
			row("infinite", "", level(-1e300, 1e300)),
			row("mismatched", "has 2 rows but energies for 1", ragged),
			row("mismatched", "has 59 coordinates for 30 labels", over(level(1), &short)),
			row("mismatched", "example 1 of three spirals has label 1", over(level(1), &unnamed)),
			row("no size", "must ascend, but 1 is at index 1", narrow),
		}
	}
	history := madeUp(30, 15, 1)

	line := Segment{To: [2]float64{1, 0}}
	profile := func(energies ...float64) *Profile {
		p := &Profile{Title: "title", Near: d, Segment: line, Distance: upToFloats(len(energies)), Energy: energies}
		for _, e := range energies {
			p.Logits = append(p.Logits, []float64{e, e - 1, 0})
		}
		return p
	}
	along := func(fault, says string, change func(*Profile), energies ...float64) degenerate {
		p := profile(energies...)
		if change != nil {
			change(p)
		}
		return degenerate{fault, func() (*Figure, error) { return Profiles(p) }, says}
	}
	return map[string]degenerateCases{
		"Landscapes": {append(rows(func(l ...Landscape) (*Figure, error) { return Landscapes(SharedScale, l...) }),
			degenerate{"nothing", func() (*Figure, error) { return Landscapes(OwnScale) }, "no landscape"}), []string{"one bin"}},
		"LandscapeTable": {append(rows(func(l ...Landscape) (*Figure, error) {
			return LandscapeTable(OwnScale, []string{"a"}, LandscapeRow{"row", l})
		}), degenerate{"mismatched", func() (*Figure, error) {
			return LandscapeTable(OwnScale, []string{"a", "b"}, LandscapeRow{"row", []Landscape{level(1)}})
		}, "has 1 landscapes for 2 columns"}), []string{"one bin"}},
		"Learning": {append(rows(func(l ...Landscape) (*Figure, error) { return Learning(l[0], Run{History: history}) }),
			degenerate{"nothing", func() (*Figure, error) { return Learning(level(1), Run{}) }, "has no steps"},
			degenerate{"nothing", func() (*Figure, error) { return Learning(level(1), Run{History: &ngebm.History{}}) }, "has no steps"},
			degenerate{"one", func() (*Figure, error) { return Learning(level(1), Run{History: &ngebm.History{Loss: []float32{1}}}) }, ""},
		), []string{"one bin"}},
		"Profiles": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Profiles() }, "no profile"},
			{"nothing", func() (*Figure, error) { return Profiles(nil) }, "two distances or more"},
			along("nothing", "", func(p *Profile) { p.Near = pointSet(t, 0, corners) }, 1, 2),
			along("one", "two distances or more", nil, 1),
			along("one class", "", func(p *Profile) { p.Near = lone }, 1, 2),
			along("all equal", "", nil, 0, 0),
			along("all equal", "", nil, 1e16, 1e16, 1e16+2),
			along("NaN", "", nil, 1, math.NaN(), 2, 3),
			along("NaN", "no energy of the profile", nil, math.NaN(), math.NaN()),
			along("infinite", "", nil, 1, math.Inf(1), math.Inf(-1), 2),
			along("infinite", "no energy of the profile", nil, 1.7e308, -1.7e308),
			along("mismatched", "an energy and logits for each", func(p *Profile) { p.Logits = p.Logits[:1] }, 1, 2),
			along("no size", "must ascend, but 0 is at index 1", func(p *Profile) { p.Distance[1] = 0 }, 1, 2),
			along("no size", "has length 0", func(p *Profile) { p.Segment = Segment{} }, 1, 2),
		}, []string{"one bin"}},
	}
}

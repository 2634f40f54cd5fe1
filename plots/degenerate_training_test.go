package plots

import (
	"math"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/study"
)

// degenerateTraining are the figures of training and of sweeps.
func degenerateTraining(t *testing.T) map[string]degenerateCases {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	run := func(fault, says string, h *ngebm.History) degenerate {
		return degenerate{fault, func() (*Figure, error) { return History(Run{Name: "run", History: h}) }, says}
	}
	losses := func(values ...float32) *ngebm.History {
		return &ngebm.History{StepsPerEpoch: 2, Terms: []string{"cross-entropy", "variance"}, Weights: []float64{1, .1}, Loss: values, Values: [][]float32{values, values}}
	}
	short := losses(1, 2)
	short.Values[1] = short.Values[1][:1]

	cell := study.Grid{{Key: "beta", Values: []string{"0"}}, {Key: "gamma", Values: []string{".1"}}}
	always := func(v float64) func(int) [3]float64 { return func(int) [3]float64 { return [3]float64{v, v, v} } }
	spoilt := func(v float64) *study.SweepTable {
		s := sweepOf(byWeights("1"), 2, plausible)
		for k := range s.Metrics {
			s.Rows[3].Metrics[k].Mean = v
		}
		return s
	}
	ragged, foreign, empty := sweepOf(byWeights("1"), 2, plausible), sweepOf(byWeights("1"), 2, plausible), sweepOf(byWeights("1"), 2, plausible)
	ragged.Rows[2].Metrics = ragged.Rows[2].Metrics[:1]
	foreign.Rows[2].Settings = []string{"1", "7", "0"}
	empty.Grid = byWeights()
	sweep := func(draw func(*study.SweepTable) (*Figure, error)) degenerateCases {
		row := func(fault, says string, s *study.SweepTable) degenerate {
			return degenerate{fault, func() (*Figure, error) { return draw(s) }, says}
		}
		return degenerateCases{[]degenerate{
			row("nothing", "no rows", nil), row("nothing", "no rows", &study.SweepTable{}),
			row("one", "", sweepOf(cell, 1, plausible)),
			row("all equal", "", sweepOf(byWeights("1"), 1, always(.5))),
			row("all equal", "", sweepOf(byWeights("1"), 1, always(0))),
			row("NaN", "of row 3 of the sweep's table is NaN", spoilt(math.NaN())),
			row("infinite", "of row 3 of the sweep's table is +Inf", spoilt(math.Inf(1))),
			row("infinite", "of row 3 of the sweep's table is 1.7e+308", spoilt(1.7e308)),
			row("mismatched", "has 3 settings and 1 metrics", ragged),
			row("mismatched", "row 2 of the sweep's table has beta = 7, which its grid lacks", foreign),
			row("no size", "which its grid lacks", empty),
		}, []string{"one class", "one bin"}}
	}
	return map[string]degenerateCases{
		"Terms": degenerateTerms(),
		"History": {[]degenerate{
			{"nothing", func() (*Figure, error) { return History() }, "no run"},
			run("nothing", "has no steps: train it first", nil),
			run("nothing", "has no steps: train it first", &ngebm.History{}),
			run("one", "", losses(1)),
			run("all equal", "", losses(2, 2, 2)), run("all equal", "", losses(0, 0, 0)), run("all equal", "", losses(1e-45, 1e-45)),
			run("NaN", "", losses(1, nan, 2)), run("NaN", "", losses(nan, nan)),
			{"NaN", func() (*Figure, error) {
				return History(Run{Name: "run", History: losses(1, 2), Cost: ngebm.Cost{Seconds: math.NaN(), DataWait: math.NaN()}})
			}, ""},
			run("infinite", "", losses(1, inf, -inf)), run("infinite", "", losses(3e38, 1e-38, 1, 2)),
			run("mismatched", "has 2 steps of the loss but 1 of variance", short),
		}, []string{"one class", "one bin", "no size"}},
		"WeightMap": sweep(func(s *study.SweepTable) (*Figure, error) { return WeightMap(s, "ECE", "beta", "gamma") }),
		"Pareto":    sweep(func(s *study.SweepTable) (*Figure, error) { return Pareto(s, "accuracy", "ECE", "robust_accuracy") }),
	}
}

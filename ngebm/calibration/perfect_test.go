package calibration

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ngebm/ngebm/bootstrap"
)

// Ten predictions of confidence .8: the number of right answers is binomial. Mean gap and
// range by scipy.stats.binom, scipy 1.17.1.
func TestPerfectIsBinomial(t *testing.T) {
	s := Sample{}
	for i := range 10 {
		s.Probabilities, s.Labels = append(s.Probabilities, []float64{.8, .2}), append(s.Labels, int32(i%2))
	}
	r := measured(t, s, Options{Bins: 5})
	if got, want := r.Perfect["ECE"].Mean, 0.09663676416; math.Abs(got-want) > 1e-9 {
		t.Errorf("mean ECE of a perfect model %v, want %v", got, want)
	}
	for _, b := range r.Reliability {
		if b.Count > 0 && (math.Abs(b.Perfect.Low-.5) > 1e-12 || math.Abs(b.Perfect.High-1) > 1e-12) {
			t.Errorf("accuracies of a perfect model from %v to %v, want .5 to 1", b.Perfect.Low, b.Perfect.High)
		}
	}
}

// What is expected of a perfectly calibrated model is the mean and the range of samples
// whose answers are right with the probabilities that are named, in small bins, whose
// distribution is computed, and in large ones, where it is normal.
func TestPerfectIsWhatSamplesShow(t *testing.T) {
	for _, n := range []int{60, 600, 4000} {
		rng := rand.New(rand.NewPCG(7, uint64(n)))
		s := drawn(rng, n, 4, 1)
		r := measured(t, s, Options{})
		p := asProbabilities(s).Probabilities
		sums, outside := map[string]float64{}, map[string]float64{}
		const samples = 400
		for range samples {
			for i, row := range p {
				u, label := rng.Float64(), 0
				for u > row[label] && label < len(row)-1 {
					u -= row[label]
					label++
				}
				s.Labels[i] = int32(label)
			}
			m := metricsOf(t, s, DefaultBins)
			for name, of := range map[string]float64{"ECE": m.ECE, "ECE_equal_mass": m.ECEEqualMass, "ECE_midpoint": m.ECEMidpoint} {
				sums[name] += of / samples
				if e := r.Perfect[name]; of < e.Low || of > e.High {
					outside[name] += 1. / samples
				}
			}
		}
		for name, e := range r.Perfect {
			// A standard error of 400 draws is some .015 of the mean, and .011 of the share.
			if math.Abs(sums[name]/e.Mean-1) > .05 || outside[name] < .01 || outside[name] > .1 {
				t.Errorf("n = %d: %s of a perfect model %+v, but samples have the mean %.5f, and %.3f of them are outside", n, name, e, sums[name], outside[name])
			}
		}
	}
}

// Intervals of the ECE and the accuracy cover the truth nearly as often as they say, from
// perfect calibration to large gaps. (The percentile interval, which was here before,
// covers a true ECE of .03 in .34 of the samples, and one of 0 in none.)
func TestCoverage(t *testing.T) {
	const n, trials = 600, 100
	for _, heat := range []float64{1, 1.25, 3} {
		rng := rand.New(rand.NewPCG(11, uint64(100*heat)))
		truth := metricsOf(t, binary(rng, 300_000, heat), DefaultBins)
		covered, percentile := map[string]float64{}, 0.
		for trial := range trials {
			r := drawnIntervals(t, binary(rng, n, heat), bootstrap.Options{Resamples: 100, Seed: uint64(trial)})
			for name, want := range map[string]float64{
				"ECE": truth.ECE, "accuracy": truth.Accuracy, "NLL": truth.NLL, "ECE_equal_mass": truth.ECEEqualMass,
				"ECE_debiased": truth.ECE, "RMSCE_debiased": truth.RMSCE, "RMSCE": truth.RMSCE, "Brier_sum": truth.Brier, "AURC": truth.AURC,
			} {
				if heat == 1 && strings.Contains(name, "CE") {
					want = 0 // what is left of so many is chance
				}
				i, ok := r.Intervals[name]
				if !ok {
					t.Fatalf("%s has no interval", name)
				}
				covered[name] += 0 // so that one that never covers is there too
				if i.Low <= want && want <= i.High {
					covered[name] += 1. / trials
				}
			}
			if i := r.Intervals["ECE"]; 2*r.ECE-i.High <= truth.ECE && truth.ECE <= 2*r.ECE-i.Low {
				percentile += 1. / trials
			}
		}
		t.Logf("logits times %v: true ECE %.4f, covered %.3v; by the percentile interval %.3f", heat, truth.ECE, covered, percentile)
		for name, share := range covered {
			if share < .85 {
				t.Errorf("logits times %v (ECE %.4f): the 95 %% interval of %s covers the truth in %.3f", heat, truth.ECE, name, share)
			}
		}
	}
}

// drawnIntervals is a report with intervals, without the smooth ECE.
func drawnIntervals(t *testing.T, s Sample, o bootstrap.Options) Report {
	e, err := newEvaluation(s, DefaultBins)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Metrics: e.metrics(e.once(), e.newScratch()), Perfect: e.perfect()}
	if err := r.draw(e, o); err != nil {
		t.Fatal(err)
	}
	return r
}

// binary is a sample of two classes as a good classifier leaves it, most confidences near
// 1. Its logits are heat times too large.
func binary(rng *rand.Rand, n int, heat float64) Sample {
	s := Sample{}
	for range n {
		z := .1 + 2.5*rng.ExpFloat64()
		label := int32(0)
		if rng.Float64() > 1/(1+math.Exp(-z)) {
			label = 1
		}
		s.Logits, s.Labels = append(s.Logits, []float64{heat * z, 0}), append(s.Labels, label)
	}
	return s
}

package calibration

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ngebm/ngebm/bootstrap"
	"pgregory.net/rapid"
)

// drawn returns a sample with random logits, whose labels are drawn from the
// softmax of the logits divided by heat: it is calibrated at T = heat.
func drawn(rng *rand.Rand, n, classes int, heat float64) Sample {
	s := Sample{Temperature: heat}
	p := make([]float64, classes)
	for range n {
		row := make([]float64, classes)
		for k := range row {
			row[k] = 3 * rng.NormFloat64()
		}
		s.predict(row, 0, p)
		u, label := rng.Float64(), 0
		for u > p[label] && label < classes-1 {
			u -= p[label]
			label++
		}
		s.Logits, s.Labels = append(s.Logits, row), append(s.Labels, int32(label))
	}
	s.Temperature = 0
	return s
}

func measured(t testing.TB, s Sample, o Options) *Report {
	t.Helper()
	r, err := Measure(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The ECE of a calibrated sample falls towards 0 as 1/√n, in every form but that
// with midpoints.
func TestCalibratedSampleHasNoCalibrationError(t *testing.T) {
	for _, n := range []int{1000, 10_000, 100_000} {
		r := measured(t, drawn(rand.New(rand.NewPCG(1, 2)), n, 4, 1), Options{})
		bound := 2.5 / math.Sqrt(float64(n))
		for name, got := range map[string]float64{"ECE": r.ECE, "RMSCE": r.RMSCE, "ECE_equal_mass": r.ECEEqualMass, "classwise_ECE": r.ClasswiseECE, "√reliability": math.Sqrt(r.BrierReliability) / 2} {
			if got > bound {
				t.Errorf("n = %d: %s is %v, above %v", n, name, got, bound)
			}
		}
	}
}

// A sample that is calibrated at another temperature gives it back, and its
// calibration error with it.
func TestTemperatureIsFound(t *testing.T) {
	for _, heat := range []float64{.3, 1, 2.5, 20} {
		rng := rand.New(rand.NewPCG(3, 4))
		validation := drawn(rng, 20_000, 5, heat)
		r := measured(t, drawn(rng, 20_000, 5, heat), Options{Validation: &validation})
		if math.Abs(r.TOpt/heat-1) > .05 {
			t.Errorf("T_opt is %v, want about %v", r.TOpt, heat)
		}
		if r.ECEAfterT > .015 {
			t.Errorf("T = %v: ECE %v before, %v after", heat, r.ECE, r.ECEAfterT)
		}
	}
}

// sample draws samples of every kind for property tests: ties, large logits, few
// examples.
func sample(t *rapid.T) Sample {
	n, classes := rapid.IntRange(2, 60).Draw(t, "n"), rapid.IntRange(2, 12).Draw(t, "classes")
	scale := rapid.SampledFrom([]float64{.1, 1, 30, 1000}).Draw(t, "scale")
	var s Sample
	for range n {
		row := make([]float64, classes)
		for k := range row {
			row[k] = scale * float64(rapid.IntRange(-4, 4).Draw(t, "logit"))
		}
		s.Logits = append(s.Logits, row)
		s.Labels = append(s.Labels, int32(rapid.IntRange(0, classes-1).Draw(t, "label")))
	}
	return s
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sample(t)
		o := Options{Bins: rapid.IntRange(1, len(s.Labels)).Draw(t, "bins"), Validation: &s}
		r, err := Measure(s, o)
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		near("accuracy after temperature", r.AfterT.Accuracy, r.Accuracy)
		near("Brier's parts", r.BrierReliability-r.BrierResolution+r.BrierUncertainty+r.BrierWithinBins, r.Brier)
		if r.NLLAtTOpt > r.NLL+1e-9 {
			t.Errorf("NLL is %v, and %v at T_opt = %v", r.NLL, r.NLLAtTOpt, r.TOpt)
		}
		if r.ECE > r.RMSCE+1e-9 || r.RMSCE > r.MCE+1e-9 || math.Abs(r.MeanConfidence-r.Accuracy) > r.ECE+1e-9 {
			t.Errorf("|mean confidence - accuracy| ≤ ECE ≤ RMSCE ≤ MCE does not hold: %+v", r.Metrics)
		}
		examples := 0
		for _, b := range r.Reliability {
			examples += b.Count
		}
		near("examples in bins", float64(examples), float64(len(s.Labels)))

		// Neither the order of the examples, nor a constant added to a row, nor
		// giving probabilities for logits changes a metric.
		order := rand.New(rand.NewPCG(1, 1)).Perm(len(s.Labels))
		var shuffled Sample
		for _, i := range order {
			shuffled.Logits, shuffled.Labels = append(shuffled.Logits, slices.Clone(s.Logits[i])), append(shuffled.Labels, s.Labels[i])
			for k := range shuffled.Logits[len(shuffled.Logits)-1] {
				shuffled.Logits[len(shuffled.Logits)-1][k] += 1024
			}
		}
		for what, other := range map[string]Sample{"shuffled": shuffled, "as probabilities": asProbabilities(s)} {
			again, err := Measure(other, Options{Bins: o.Bins})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range Conventions() {
				if what == "as probabilities" && (c.Name == "NLL" || c.Name == "accuracy") {
					continue // clipped; ties that logits do not have
				}
				if what == "shuffled" && math.Abs(s.Logits[0][0]) < 1 {
					continue // adding 1024 rounds logits of .1
				}
				if what == "as probabilities" && again.Accuracy != r.Accuracy {
					continue
				}
				near(what+": "+c.Name, c.Of(again.Metrics), c.Of(r.Metrics))
			}
		}
	})
}

func TestTemperatureAtABound(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      Sample
		t      float64
		expect string
	}{
		{"all right", Sample{Logits: [][]float64{{2, 1}, {0, 3}}, Labels: []int32{0, 1}}, 1, "T is left at 1"},
		{"right on ties", Sample{Logits: [][]float64{{2, 2}, {0, 3}}, Labels: []int32{0, 1}}, 1, "T is left at 1"},
		{"all wrong", Sample{Logits: [][]float64{{2, 1}, {0, 3}}, Labels: []int32{1, 0}}, MaxTemperature, "T = ∞"},
		{"chance", Sample{Logits: [][]float64{{1, 0}, {1, 0}}, Labels: []int32{0, 1}}, MaxTemperature, "T = ∞"},
		{"nothing said", Sample{Logits: [][]float64{{1, 1}, {5, 5}}, Labels: []int32{0, 1}}, 1, "no temperature changes"},
		{"huge logits", Sample{Logits: [][]float64{{1e9, 0}, {1e9, 0}, {1e9, 0}}, Labels: []int32{0, 0, 1}}, MaxTemperature, "outside the range"},
	} {
		got, err := FitTemperature(c.s)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.T/c.t-1) > 1e-6 || !strings.Contains(got.Warning, c.expect) {
			t.Errorf("%s: %+v, want T = %v and a warning of %q", c.name, got, c.t, c.expect)
		}
		r := measured(t, c.s, Options{Bins: 1, Validation: &c.s})
		if len(r.Warnings) != 1 {
			t.Errorf("%s: the report's warnings are %q", c.name, r.Warnings)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Two of three right at a distance of 1: the best confidence is 2/3.
	got, err := FitTemperature(Sample{Logits: [][]float64{{1, 0}, {1, 0}, {1, 0}}, Labels: []int32{0, 0, 1}})
	if want := 1 / math.Ln2; err != nil || math.Abs(got.T-want) > 1e-9 || got.Warning != "" {
		t.Errorf("T = %+v (%v), want 1/ln 2 = %v", got, err, want)
	}
}

func TestBadInput(t *testing.T) {
	good := [][]float64{{.5, .5}, {.25, .75}, {1, 0}}
	labels := []int32{0, 1, 0}
	with := func(row int, values ...float64) [][]float64 {
		rows := slices.Clone(good)
		rows[row] = values
		return rows
	}
	for want, c := range map[string]struct {
		s   Sample
		o   Options
		row int // that a RowError names; -1: no RowError
	}{
		"logits or probabilities":                                           {s: Sample{Labels: labels}, row: -1},
		"there are no examples":                                             {s: Sample{Logits: [][]float64{}}, row: -1},
		"3 rows but 2 labels":                                               {s: Sample{Logits: good, Labels: labels[:2]}, row: -1},
		"at least 2 classes":                                                {s: Sample{Logits: [][]float64{{1}}, Labels: labels[:1]}, row: -1},
		"3 values, but the rows before have 2":                              {s: Sample{Logits: with(2, 1, 2, 3), Labels: labels}, row: 2},
		"row 1, value 1 (the first of each is 0) is NaN":                    {s: Sample{Logits: with(1, 0, math.NaN()), Labels: labels}, row: 1},
		"value 0 (the first of each is 0) is -Inf":                          {s: Sample{Logits: with(1, math.Inf(-1), 0), Labels: labels}, row: 1},
		"value 1 (the first of each is 0) is 1e+300":                        {s: Sample{Logits: with(1, 0, 1e300), Labels: labels}, row: 1},
		"label 2 is not a class; with 2 values":                             {s: Sample{Logits: good, Labels: []int32{0, 2, 1}}, row: 1},
		"label -1 is not a class":                                           {s: Sample{Logits: good, Labels: []int32{0, 1, -1}}, row: 2},
		"value 0 (the first of each is 0) is -0.5, which is no probability": {s: Sample{Probabilities: with(0, -.5, 1.5), Labels: labels}, row: 0},
		"sum to 0.9, not 1":                                                 {s: Sample{Probabilities: with(1, .4, .5), Labels: labels}, row: 1},
		"4 bins but 3 examples":                                             {s: Sample{Logits: good, Labels: labels}, o: Options{Bins: 4}, row: -1},
		"15 bins but 3 examples":                                            {s: Sample{Logits: good, Labels: labels}, row: -1},
		"-1 bins":                                                           {s: Sample{Logits: good, Labels: labels}, o: Options{Bins: -1}, row: -1},
		"temperature is -2":                                                 {s: Sample{Logits: good, Labels: labels, Temperature: -2}, row: -1},
		"-5 resamples":                                                      {s: Sample{Logits: good, Labels: labels}, o: Options{Bins: 2, Bootstrap: bootstrap.Options{Resamples: -5}}, row: -1},
		"validation: calibration: row 0":                                    {s: Sample{Logits: good, Labels: labels}, o: Options{Bins: 2, Validation: &Sample{Logits: good, Labels: []int32{7, 0, 0}}}, row: 0},
		"validation sample has 3 classes, the me":                           {s: Sample{Logits: good, Labels: labels}, o: Options{Bins: 2, Validation: &Sample{Logits: [][]float64{{1, 2, 3}}, Labels: []int32{0}}}, row: -1},
	} {
		_, err := Measure(c.s, c.o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
			continue
		}
		var row *RowError
		if errors.As(err, &row) != (c.row >= 0) || row != nil && row.Row != c.row {
			t.Errorf("%v: row %+v, want %d", err, row, c.row)
		}
	}
}

// Intervals hold their metric (or, for ECE and its like, which chance biases upwards, lie
// near or below it), come from the seed alone, and cover every metric but four.
func TestIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s, validation := drawn(rng, 2000, 3, 2), drawn(rng, 1000, 3, 2)
	o := Options{Validation: &validation, Bootstrap: bootstrap.Options{Resamples: 200, Seed: 1}}
	r := measured(t, s, o)
	for _, c := range Conventions() {
		i, ok := r.Intervals[c.Name]
		if slices.Contains([]string{"smooth_ECE", "MCE", "classwise_ECE", "Brier_uncertainty"}, c.Name) {
			if ok {
				t.Errorf("%s has the interval %v", c.Name, i)
			}
			continue
		}
		if !ok || !(i.Low < i.High) || i.Low > c.Of(r.Metrics) || i.High < .8*c.Of(r.Metrics) {
			t.Errorf("%s is %v, its interval %v", c.Name, c.Of(r.Metrics), i)
		}
	}
	if i := r.Intervals["T_opt"]; !(i.Low < r.TOpt && r.TOpt < i.High && i.Low > 1.6 && i.High < 2.4) {
		t.Errorf("T_opt is %v, its interval %v", r.TOpt, i)
	}
	if r.Intervals["ECE_after_T"] != r.AfterT.Intervals["ECE"] {
		t.Error("ECE_after_T has another interval than ECE after temperature")
	}
	// Binomial: ±1.96 √(a(1-a)/n).
	half := 1.96 * math.Sqrt(r.Accuracy*(1-r.Accuracy)/2000)
	if i := r.Intervals["accuracy"]; math.Abs((i.High-i.Low)/2/half-1) > .2 {
		t.Errorf("accuracy %v: interval %v, want ± %v", r.Accuracy, i, half)
	}
	if again := measured(t, s, o); !reflect.DeepEqual(r, again) {
		t.Error("the same seed gave other intervals")
	}
}

func TestReportAsJSON(t *testing.T) {
	s := reference(t, "C_n37_K3_edge")
	r := measured(t, s, Options{Validation: &s, Bootstrap: bootstrap.Options{Resamples: 10}})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(b, &keys); err != nil {
		t.Fatal(err)
	}
	for _, c := range Conventions() {
		if keys[c.Name] != c.Of(r.Metrics) {
			t.Errorf("%s in JSON is %v, want %v", c.Name, keys[c.Name], c.Of(r.Metrics))
		}
	}
	if keys["T_opt"] != r.TOpt || keys["ECE_after_T"] != r.ECEAfterT {
		t.Errorf("T_opt and ECE_after_T in JSON: %v, %v", keys["T_opt"], keys["ECE_after_T"])
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(*r, back) {
		t.Errorf("what was read back differs (%v)", err)
	}
}

func TestRiskCoverage(t *testing.T) {
	// Confidences .9 (right), .8 (wrong), .8 (right), .6 (wrong).
	s := Sample{
		Probabilities: [][]float64{{.9, .1}, {.8, .2}, {.2, .8}, {.6, .4}},
		Labels:        []int32{0, 1, 1, 1},
	}
	got, err := RiskCoverage(s, 100)
	want := []RiskPoint{{.25, 0, .9}, {.75, 1. / 3, .8}, {1, .5, .6}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("risk-coverage curve %v (%v), want %v", got, err, want)
	}
	// The two at .8 in either order: risks 0, (1/2 + 0)/2, 1/3, 1/2.
	if r := measured(t, s, Options{Bins: 4}); math.Abs(r.AURC-(0+.25+1./3+.5)/4) > 1e-15 {
		t.Errorf("AURC is %v", r.AURC)
	}
	const aurcOfA = 0.49904701985350786
	// 1 - get_selective_stats(confidences, right)[0], uncertainty-calibration 0.1.4.
	a := reference(t, "A_n5000_K10")
	if r := measured(t, a, Options{}); math.Abs(r.AURC-aurcOfA) > 1e-9 {
		t.Errorf("AURC is %.15g, want %.15g", r.AURC, aurcOfA)
	}
	curve, err := RiskCoverage(a, 50)
	if last := curve[len(curve)-1]; err != nil || len(curve) > 52 || last.Coverage != 1 || math.Abs(last.Risk-(1-.4776)) > 1e-12 {
		t.Errorf("%d points, the last %v (%v)", len(curve), last, err)
	}
}

// confident is a sample of two classes and label 0, in which the i-th example has a confidence that is
// spread over the bins. The first right ones are right.
func confident(n, right int) Sample {
	s := Sample{}
	for i := range n {
		c := .5 + (float64(i*7%n)+.5)/float64(2*n)
		if i >= right {
			c = 1 - c
		}
		s.Probabilities, s.Labels = append(s.Probabilities, []float64{c, 1 - c}), append(s.Labels, 0)
	}
	return s
}

// The accuracy is the share of right answers to the last bit, however they fall into bins: it is at most 1,
// and two models with as many right answers are equal. So is each class's share in Brier's uncertainty.
func TestAccuracyIsAShare(t *testing.T) {
	for n := 15; n < 400; n++ {
		for _, right := range []int{n, n - n/10} {
			r := metricsOf(t, confident(n, right), DefaultBins)
			if want := float64(right) / float64(n); r.Accuracy != want {
				t.Fatalf("%d of %d are right: accuracy %v, want %v", right, n, r.Accuracy, want)
			}
			if r.MeanConfidence > 1 || r.BrierUncertainty != 0 {
				t.Fatalf("%d of %d are right: %+v; all are of one class", right, n, r)
			}
		}
	}
}

// Probabilities of float32 may be above 1; confidences, and their means in bins, are not.
func TestConfidenceIsAtMostOne(t *testing.T) {
	s := Sample{Probabilities: [][]float64{{1 + 0x1p-23, 0}, {0, 1 + 5e-4}, {.9, .1}}, Labels: []int32{0, 1, 0}}
	r := measured(t, s, Options{Bins: 2})
	if want := (1 + 1 + .9) / 3; r.MeanConfidence != want || r.Reliability[1].Confidence != want || r.Perfect["ECE"].High > 1 {
		t.Errorf("mean confidence %v, in a bin %v, want %v; perfect %+v", r.MeanConfidence, r.Reliability[1].Confidence, want, r.Perfect)
	}
	curve, err := RiskCoverage(s, 3)
	if err != nil || curve[0].Threshold != 1 {
		t.Errorf("risk-coverage curve %v (%v)", curve, err)
	}
}

// Where all is right, all resamples are, too: the accuracy has Wilson's interval.
func TestIntervalOfAllRight(t *testing.T) {
	s := Sample{Logits: [][]float64{{2, 0}, {0, 2}, {3, 0}}, Labels: []int32{0, 1, 0}}
	r := measured(t, s, Options{Bins: 2, Bootstrap: bootstrap.Options{Resamples: 50, Seed: 1}})
	if i := r.Intervals["accuracy"]; i != bootstrap.Wilson(1, 3) || i.Low > .5 {
		t.Errorf("accuracy %v has the interval %v", r.Accuracy, i)
	}
}

// A resample without a wrong example has no best temperature. With one wrong example of 60, that
// is 1/e of all, so that the interval would have no upper end.
func TestNoIntervalOfTemperature(t *testing.T) {
	for _, c := range []struct {
		name   string
		wrong  int
		margin float64 // of the wrong ones
		draws  bool
	}{
		{"one wrong", 1, 1, false},
		{"twelve wrong", 12, 1, true},
		{"no better than chance", 30, 2.99, false}, // half of the resamples have T = ∞
	} {
		v := Sample{}
		for i := range 60 {
			row, label := []float64{0, 3}, int32(1)
			if i < c.wrong {
				row, label = []float64{c.margin, 0}, 1
			}
			v.Logits, v.Labels = append(v.Logits, row), append(v.Labels, label)
		}
		r := measured(t, v, Options{Validation: &v, Bootstrap: bootstrap.Options{Resamples: 200, Seed: 1}})
		interval, drawn := r.Intervals["T_opt"]
		if drawn != c.draws || drawn && !(interval.Low < r.Calibrated.TOpt && r.Calibrated.TOpt < interval.High && interval.High < 10*r.Calibrated.TOpt) {
			t.Errorf("%s: T %v has the interval %v", c.name, r.Calibrated.TOpt, interval)
		}
		if warned := strings.Contains(strings.Join(r.Warnings, "; "), "no interval"); warned == c.draws {
			t.Errorf("%s: %q", c.name, r.Warnings)
		}
	}
}

// Equal logits are predicted as the first of them.
func TestTemperatureOfTies(t *testing.T) {
	fit, err := FitTemperature(Sample{Logits: [][]float64{{1, 1}, {0, 2}}, Labels: []int32{1, 1}})
	if err != nil || fit.AllRight || fit.T != 1 || !strings.Contains(fit.Warning, "equal") {
		t.Errorf("%+v (%v)", fit, err)
	}
}

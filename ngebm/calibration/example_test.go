package calibration_test

import (
	"fmt"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
)

// Four answers, each with a confidence of .8, of which two are right: the
// classifier claims .3 more than it keeps.
func ExampleMeasure() {
	r, err := calibration.Measure(calibration.Sample{
		Probabilities: [][]float64{{.8, .2}, {.8, .2}, {.2, .8}, {.2, .8}},
		Labels:        []int32{0, 1, 1, 0},
	}, calibration.Options{Bins: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f, mean confidence %.2f, ECE %.2f\n", r.Accuracy, r.MeanConfidence, r.ECE)
	for _, b := range r.Reliability {
		if b.Count > 0 {
			fmt.Printf("(%.2f, %.2f]: %d examples, confidence %.2f, accuracy %.2f\n", b.Low, b.High, b.Count, b.Confidence, b.Accuracy)
		}
	}
	// Output:
	// accuracy 0.50, mean confidence 0.80, ECE 0.30
	// (0.75, 1.00]: 4 examples, confidence 0.80, accuracy 0.50
}

// The temperature is fitted on validation data and applied to test data. It
// leaves the accuracy as it is.
func ExampleMeasure_temperature() {
	test := calibration.Sample{Logits: [][]float64{{4, 0}, {0, 4}, {4, 0}, {0, 4}}, Labels: []int32{0, 1, 1, 1}}
	validation := calibration.Sample{Logits: [][]float64{{4, 0}, {4, 0}, {4, 0}, {4, 0}}, Labels: []int32{0, 0, 0, 1}}
	r, err := calibration.Measure(test, calibration.Options{Bins: 2, Validation: &validation})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("T = %.3f\n", r.TOpt) // 4 / ln 3
	fmt.Printf("ECE      %.3f → %.3f\n", r.ECE, r.ECEAfterT)
	fmt.Printf("accuracy %.3f → %.3f\n", r.Accuracy, r.AfterT.Accuracy)
	// Output:
	// T = 3.641
	// ECE      0.232 → 0.000
	// accuracy 0.750 → 0.750
}

// Every metric comes with an interval if resamples are asked for.
func ExampleMeasure_intervals() {
	s := calibration.Sample{}
	for i := range 400 { // a confidence of .88, and three of four right
		s.Logits = append(s.Logits, []float64{2, 0})
		s.Labels = append(s.Labels, int32(i%4/3))
	}
	r, err := calibration.Measure(s, calibration.Options{Bootstrap: bootstrap.Options{Resamples: 1000, Seed: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	i := r.Intervals["ECE"]
	fmt.Printf("ECE %.2f, between %.2f and %.2f\n", r.ECE, i.Low, i.High)
	// Output:
	// ECE 0.13, between 0.09 and 0.17
}

func ExampleFitTemperature() {
	// Everything is right: no finite logits are large enough.
	t, err := calibration.FitTemperature(calibration.Sample{Logits: [][]float64{{1, 0}, {0, 1}}, Labels: []int32{0, 1}})
	fmt.Println(t.T, err)
	fmt.Println(t.Warning)
	// Output:
	// 1 <nil>
	// T is left at 1, since the NLL is lowest at T = 0: every validation example is classified right, so that no confidence is too high; use more validation data
}

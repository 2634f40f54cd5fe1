package measure_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/measure"
)

// Every report is of the set it says, and good images come before bad ones.
func TestShifts(t *testing.T) {
	run := trained(t)
	shifts, err := measure.Shifts(t.Context(), run.Classifier, run.Test, run.Validation, 7)
	if err != nil {
		t.Fatal(err)
	}
	if len(shifts) != len(data.Corruptions()) {
		t.Fatalf("%d shifts, want one for each of %d corruptions", len(shifts), len(data.Corruptions()))
	}
	clean, err := run.Classifier.Accuracy(t.Context(), run.Test)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shifts {
		accuracies := s.Values(func(r *calibration.Report) float64 { return r.Accuracy })
		if len(accuracies) != 1+data.Severities || math.Abs(accuracies[0]-clean) > 1e-12 {
			t.Errorf("%s: accuracies %v, want %d of which the first is %v", s.Kind, accuracies, 1+data.Severities, clean)
		}
		bad, err := run.Test.Corrupt(s.Kind, 4, 7)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := run.Classifier.Accuracy(t.Context(), bad); err != nil || math.Abs(accuracies[4]-want) > 1e-12 {
			t.Errorf("%s: accuracy %v at severity 4, the classifier's is %v, %v", s.Kind, accuracies[4], want, err)
		}
		if s.Data.Checksum != run.Test.Checksum || s.Reports[5].Calibrated == nil || s.Reports[5].TOpt != s.Reports[0].TOpt {
			t.Errorf("%s is of %+v, temperatures %v and %v", s.Kind, s.Data, s.Reports[0].Calibrated, s.Reports[5].Calibrated)
		}
	}
	text, err := json.Marshal(shifts[0])
	if err != nil || !strings.Contains(string(text), `"kind":"gaussian noise","seed":7,"data":{"name":"UCI digits"`) {
		t.Errorf("the JSON begins %.100s, %v", text, err)
	}
	if plain, err := measure.Shifts(t.Context(), run.Classifier, run.Test, nil, 7); err != nil || plain[0].Reports[1].Calibrated != nil {
		t.Errorf("without validation there is a temperature, or %v", err)
	}
	few, err := run.Test.Sample(10, 1)
	if err != nil {
		t.Fatal(err)
	}
	if shifts, err := measure.Shifts(t.Context(), run.Classifier, few, nil, 7); err != nil || shifts[0].Reports[0].Bins != 10 {
		t.Errorf("of 10 images: %v", err)
	}
	moons, _, err := data.Open(t.Context(), "moons:10", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := measure.Shifts(t.Context(), run.Classifier, moons, nil, 7); err == nil {
		t.Error("points are corrupted")
	}
}

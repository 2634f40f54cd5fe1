package study_test

import (
	"math"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// The options with which the NG-EBM authors evaluate: noise on test inputs, the weights of the
// best validation accuracy. What is found is what the classifier with those weights gives on
// inputs with that noise; the runs that were trained are the same.
func TestAuthorsOptions(t *testing.T) {
	folder := t.TempDir()
	p := smallPlan(t)
	p.Methods, p.Seeds, p.Selection = []string{"cross-entropy"}, []uint64{1}, study.Selection{}
	p.Measure.Linf, p.Measure.L2 = nil, nil
	nll := map[string]float64{}
	for name, change := range map[string]func(m *study.Protocol){
		"last":  func(*study.Protocol) {},
		"noise": func(m *study.Protocol) { m.TestNoise = .3 },
		"best":  func(m *study.Protocol) { m.Best = true },
		"both":  func(m *study.Protocol) { m.TestNoise, m.Best = .3, true },
	} {
		one := p
		change(&one.Measure)
		one.Base.EvalEvery = 1
		one.Base.LearningRate, one.Base.Schedule = .3, "constant" // so that the last step is not the best
		r, err := run(t, one, folder)
		if err != nil {
			t.Fatal(err)
		}
		found := r.Runs[0]
		nll[name] = found.Calibration.NLL
		if !one.Measure.Best {
			continue
		}
		trained, err := train.Run(t.Context(), testdevice.Open(t, "go"), found.Config, train.Options{Runs: folder})
		if err != nil {
			t.Fatal(err)
		}
		best, err := ngebm.LoadBest(t.Context(), testdevice.Open(t, "go"), trained.Dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if best.History.Steps() >= trained.History.Steps() {
			t.Errorf("the best step is the last one, %d", best.History.Steps())
		}
		_, part, err := trained.Test.RandomSplit(300, 1, "test", "test")
		if err == nil && one.Measure.TestNoise > 0 {
			part, err = part.WithNoise(.3, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		accuracy, err := best.Classifier.Accuracy(t.Context(), part)
		if err != nil || math.Abs(accuracy-found.Calibration.Accuracy) > 1e-12 || found.Training.Steps != trained.History.Steps() {
			t.Errorf("%s: accuracy %v after %d steps of training; the best weights have %v (%v)", name, found.Calibration.Accuracy, found.Training.Steps, accuracy, err)
		}
	}
	for _, pair := range [][2]string{{"last", "noise"}, {"last", "best"}, {"noise", "both"}, {"best", "both"}} {
		if nll[pair[0]] == nll[pair[1]] {
			t.Errorf("%s and %s have one NLL, %v", pair[0], pair[1], nll[pair[0]])
		}
	}
}

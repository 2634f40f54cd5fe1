package plots

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/study/palette"
)

// madeUp is a history that looks like training: each term decays with noise.
// It is drawn from a fixed seed; no model was trained.
func madeUp(steps, perEpoch int, weights ...float64) *ngebm.History {
	names := []string{"cross-entropy", "energy variance", "gradient norm"}
	from, to := []float64{0.69, 0.02, 0.3}, []float64{0.06, 0.6, 0.9}
	h := &ngebm.History{StepsPerEpoch: perEpoch, Terms: names[:len(weights)], Weights: weights, Values: make([][]float32, len(weights))}
	random := rand.New(rand.NewPCG(1, uint64(steps)))
	for step := 1; step <= steps; step++ {
		loss := 0.
		for t, w := range weights {
			end := to[t]
			if t > 0 {
				end /= 1 + 20*w // a penalised term stays small
			}
			v := (end + (from[t]-end)*math.Exp(-6*float64(step)/float64(steps))) * math.Exp(0.25*random.NormFloat64())
			h.Values[t] = append(h.Values[t], float32(v))
			loss += w * v
		}
		h.Loss = append(h.Loss, float32(loss))
		h.LearningRate = append(h.LearningRate, 1e-3)
		if step%(5*perEpoch) == 0 {
			for i, split := range []string{"validation", "test"} {
				e := ngebm.Evaluation{Step: step, Split: split, Examples: 500, Loss: loss * (1.1 + 0.2*float64(i))}
				e.Accuracy = 0.96 + 0.02*weights[len(weights)-1] - 0.4*math.Exp(-5*float64(step)/float64(steps)) - 0.02*float64(i)
				for t := range weights {
					e.Values = append(e.Values, float64(h.Values[t][step-1])*(1.1+0.2*float64(i)))
				}
				h.Evaluations = append(h.Evaluations, e)
			}
		}
	}
	return h
}

// madeUpJEM is a history of JEM that was set back once and then diverged for good: its
// evaluations have no value for terms that no set has.
func madeUpJEM(steps, perEpoch int) *ngebm.History {
	h := madeUp(steps, perEpoch, 1, 0)
	random := rand.New(rand.NewPCG(2, uint64(steps)))
	gap, slope := make([]float32, steps), make([]float32, steps)
	for i := range steps {
		burst := math.Exp(max(0, float64(i-steps+20)) / 3)
		gap[i] = float32(-.3*math.Exp(-float64(i)/100) + .2*random.NormFloat64() + .2*burst)
		slope[i] = float32((1 + .2*random.Float64()) * burst)
	}
	h.Terms, h.Weights = append(h.Terms, jem.NameGap, jem.NameSlope), append(h.Weights, 1, 0)
	h.Values = append(h.Values, gap, slope)
	for i := range h.Evaluations {
		e := &h.Evaluations[i]
		e.Loss, e.Values = e.Values[0], append(e.Values, math.NaN(), math.NaN()) // of cross-entropy alone, which is not drawn
	}
	h.Stopped = fmt.Sprintf("the mean energies of samples and data are 157 apart, beyond jem.max_gap = 100, at step %d", steps)
	h.Events = []ngebm.Event{
		{Step: steps / 2, What: fmt.Sprintf("diverged: the samples' chains broke out, their slope is NaN, at step %d", steps/2)},
		{Step: steps/2 - 60, What: fmt.Sprintf("set back to step %d, attempt 2 with the SGLD step times 0.5", steps/2-60)},
		{Step: steps, What: "diverged: " + h.Stopped},
	}
	h.Rollbacks = 1
	return h
}

func TestHistoryGolden(t *testing.T) {
	t.Run("JEM, set back, data wait", func(t *testing.T) {
		f, err := History(Run{Name: "JEM", Color: methodColor("JEM"), History: madeUpJEM(400, 15), Cost: ngebm.Cost{Seconds: 31.2, DataWait: .047}})
		golden(t, "history-jem", f, err)
		for _, want := range []string{"their slope is NaN, at step 200", "set back to step 140, attempt 2 with the SGLD step times 0.5 (after 2)", "beyond jem.max_gap = 100"} {
			if strings.Count(f.Alt, want) != 1 {
				t.Errorf("the alternative text says %q %d times:\n%s", want, strings.Count(f.Alt, want), f.Alt)
			}
		}
	})
	t.Run("one run", func(t *testing.T) {
		f, err := History(Run{Name: "NG-EBM", Color: methodColor("NG-EBM"), History: madeUp(600, 15, 1, 0.1, 0.1)})
		golden(t, "history", f, err)
	})
	t.Run("several runs", func(t *testing.T) {
		f, err := History(
			Run{Name: "cross-entropy", Color: methodColor("cross-entropy"), History: madeUp(600, 15, 1, 0, 0), Cost: ngebm.Cost{Seconds: 9.87, DataWait: .05}},
			Run{Name: "NG-EBM", Color: methodColor("NG-EBM"), History: madeUp(600, 15, 1, 0.1, 0.1), Cost: ngebm.Cost{Seconds: 20.1, DataWait: .04}},
			Run{Name: "NG-EBM strong", Color: methodColor("NG-EBM strong"), History: madeUp(500, 15, 1, 1, 1)},
		)
		golden(t, "history-compare", f, err)
	})
	t.Run("NaN", func(t *testing.T) {
		h := madeUp(300, 15, 1, 0.1, 0.1)
		for i := range h.Loss { // an outburst, a hole, and the end
			if i > 200 {
				for _, v := range append([][]float32{h.Loss}, h.Values...) {
					v[i] *= float32(math.Exp(float64(i-200) / 10))
				}
			}
		}
		for i := 100; i < 130; i++ {
			h.Values[1][i] = float32(math.NaN())
		}
		h.Loss[299], h.Values[2][299] = float32(math.NaN()), float32(math.Inf(1))
		h.Stopped = "loss is NaN at step 300: try a smaller learning rate, β or γ"
		f, err := History(Run{Name: "NG-EBM", Color: methodColor("NG-EBM"), History: h})
		golden(t, "history-nan", f, err)
	})
}

// A run that was evaluated at its end only has no curve of accuracies: it stands in
// words, as do times, with the wait for data where that was much.
func TestHistoryNotes(t *testing.T) {
	h := madeUp(100, 10, 1, 0)
	h.Evaluations = h.Evaluations[len(h.Evaluations)-1:]
	h.Evaluations[0].Accuracy, h.Evaluations[0].Split = .987, "test"
	runs := []Run{{Name: "cross-entropy", Color: palette.Blue, History: h, Cost: ngebm.Cost{Seconds: 2.1, DataWait: .074}}, {Name: "NG-EBM", Color: palette.Vermillion, History: h, Cost: ngebm.Cost{Seconds: 4, DataWait: 1}}}
	var got []string
	for _, n := range historyNotes(runs, nil, fullWidth) {
		got = append(got, n.text)
	}
	const want = "Accuracy: cross-entropy 0.987 (test), NG-EBM 0.987 (test).|Time to train: cross-entropy 2.1 s, NG-EBM 4 s (25 % of it waiting for data)."
	if strings.Join(got, "|") != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// The alternative text has the loss and its terms averaged alike: a loss that is its one term
// ends where the term ends, whatever the last step had.
func TestHistoryAlt(t *testing.T) {
	loss := make([]float32, 100) // averaged over 5 steps
	for i := range loss {
		loss[i] = 2
	}
	loss[0], loss[99] = 5, 8
	h := &ngebm.History{StepsPerEpoch: 10, Terms: []string{energy.NameCrossEntropy, energy.NameVariance}, Weights: []float64{1, 0},
		Loss: loss, Values: [][]float32{loss, make([]float32, 100)}}
	h.Values[1][99] = float32(math.NaN())
	f, err := History(Run{Name: "made up", History: h})
	const want = "Training history of made up over 10 epochs (100 steps), moving averages: the loss goes from 3 to 4, " +
		"cross-entropy (α = 1) ends at 4, energy variance (β = 0) ends at what is no finite number." // (5+2+2)/3, (2+2+8)/3
	if err != nil || f.Alt != want {
		t.Errorf("%v\n%s\nwant\n%s", err, f.Alt, want)
	}
}

// Every history draws, or says why not.
func TestHistoryDegenerate(t *testing.T) {
	nan := float32(math.NaN())
	tests := []struct {
		name    string
		history *ngebm.History
		err     string // part of it; empty where a figure is expected
	}{
		{"one step", madeUp(1, 15, 1, 0.1, 0.1), ""},
		{"two steps", madeUp(2, 15, 1, 0.1, 0.1), ""},
		{"one term", madeUp(100, 10, 1), ""},
		{"one term of weight 2", madeUp(100, 10, 2), ""},
		{"two terms", madeUp(100, 10, 1, 1), ""},
		{"100,000 steps", madeUp(100_000, 500, 1, 0.1, 0.1), ""},
		{"epochs unknown", &ngebm.History{Loss: []float32{2, 1}}, ""},
		{"all equal", &ngebm.History{Loss: []float32{1, 1, 1}}, ""},
		{"all zero", &ngebm.History{Loss: []float32{0, 0}}, ""},
		{"all NaN", &ngebm.History{Loss: []float32{nan, nan}, Stopped: "loss is NaN at step 1"}, ""},
		{"huge and tiny", &ngebm.History{Loss: []float32{3e38, 1e-38, -3e38, float32(math.Inf(1))}}, ""},
		{"evaluation without terms", &ngebm.History{StepsPerEpoch: 1, Terms: []string{"a", "b"}, Weights: []float64{1, 1}, Loss: []float32{1}, Values: [][]float32{{1}, {0}},
			Evaluations: []ngebm.Evaluation{{Step: 1, Split: "test", Accuracy: 1}}}, ""},
		{"no history", nil, `the history of "run" has no steps`},
		{"no steps", &ngebm.History{}, `the history of "run" has no steps`},
		{"terms without curves", &ngebm.History{Loss: []float32{1}, Terms: []string{"a"}}, "names 1 terms but holds 0 curves"},
		{"a curve too short", &ngebm.History{Loss: []float32{1, 2}, Terms: []string{"a"}, Weights: []float64{1}, Values: [][]float32{{1}}}, "has 2 steps of the loss but 1 of a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := History(Run{Name: "run", History: test.history})
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
	if _, err := History(); err == nil || !strings.Contains(err.Error(), "no run") {
		t.Errorf("no runs: error %v", err)
	}
}

func ExampleHistory() {
	plain := madeUp(600, 15, 1, 0, 0) // a real one comes from training, run.History
	regularised := madeUp(600, 15, 1, 0.1, 0.1)
	figure, err := History(
		Run{Name: "cross-entropy", Color: methodColor("cross-entropy"), History: plain},
		Run{Name: "NG-EBM", Color: methodColor("NG-EBM"), History: regularised},
	)
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "plots")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	if err := figure.Save(folder + "/history.png"); err != nil { // in a notebook: figure.Show()
		panic(err)
	}
	// Output:
}

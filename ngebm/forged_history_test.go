//go:build unix

package ngebm

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	bf "github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/internal/ckpt"
)

// loaded loads a run from its folder alone, with what a forger wrote in its cost.json.
func loaded(t *testing.T, dir string, cost any) (*Run, error) {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	if cost != nil {
		text, err := json.Marshal(cost)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, ckpt.CostFile), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Load(t.Context(), backend, dir, nil)
}

// No text of a stranger's folder reaches a person's terminal as more than one line, or as
// anything that steers it.
func TestForgedTextIsPlain(t *testing.T) {
	const forged = "\x1b]0;pwned\a\x1b[2J\nngebm: fine\u009b2J\u2028\u202e"
	h := newHonest(t)
	cfg := DefaultConfig("folder:"+forged, "mlp-3")
	cfg.Name, cfg.Margin = forged, Margin{Outliers: forged}
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.info.Config, h.info.Network = text, &networkInfo{Sum: forged, GoMLX: forged}
	dir := h.store(t, func(head *header) {
		head.History.Terms[0], head.History.Stopped = forged, forged
		head.History.Events = []Event{{1, forged}}
		head.History.Evaluations[0].Checksum = forged
	})
	maker := Maker{Source: forged, Libraries: forged, Kind: forged, Processor: forged}
	r, err := loaded(t, dir, Cost{Device: forged, Code: forged, Maker: maker, Earlier: []Maker{maker}})
	if err != nil {
		t.Fatal(err)
	}
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	all := r.Config.Name + r.Config.Data + r.Config.Margin.Outliers + fmt.Sprintf("%+v", r.Cost) + r.Warning + r.History.Stopped + strings.Join(r.History.Terms, "") + r.History.Events[0].What
	if strings.ContainsFunc(all, odd) || len(r.Notes) == 0 || strings.ContainsFunc(strings.Join(r.Notes, ""), odd) {
		t.Errorf("%q, %q", all, r.Notes)
	}
	for line := range strings.Lines(r.String()) {
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, odd) || strings.HasPrefix(line, "ngebm: fine") {
			t.Errorf("it prints %q", line)
		}
	}
	h = newHonest(t)
	h.info.Hash = forged
	if _, err := loaded(t, h.store(t, nil), nil); err == nil || strings.ContainsFunc(err.Error(), odd) || !strings.Contains(err.Error(), "not 12 hex digits") {
		t.Errorf("a forged hash: %v", err)
	}
}

// Numbers that training cannot have written are refused, not shown as facts.
func TestForgedNumbersAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*History)
		want   string
	}{
		"an evaluation on -1 examples":  {func(h *History) { h.Evaluations[0].Examples = -1 }, "an evaluation on -1 examples"},
		"an evaluation on none":         {func(h *History) { h.Evaluations[0].Examples = 0 }, "an evaluation on 0 examples"},
		"an accuracy of 1e300":          {func(h *History) { h.Evaluations[0].Accuracy = 1e300 }, "the accuracy 1e+300, which is not in [0,1]"},
		"an accuracy below 0":           {func(h *History) { h.Evaluations[0].Accuracy = -.1 }, "not in [0,1]"},
		"a loss that ends training":     {func(h *History) { h.Evaluations[0].Loss = -1e300 }, "the loss -1e+300, beyond 1e+08"},
		"a cross-entropy of NaN":        {func(h *History) { h.Evaluations[0].Values[0] = math.NaN() }, `"cross-entropy" is NaN`},
		"a cross-entropy below 0":       {func(h *History) { h.Evaluations[0].Values[0] = -1 }, `"cross-entropy" is -1`},
		"an evaluation after the end":   {func(h *History) { h.Evaluations[0].Step = 3 }, "do not fit each other"},
		"a weight of 1e308":             {func(h *History) { h.Weights[0] = 1e308 }, `the weight 1e+308 of "cross-entropy", and its configuration 1`},
		"a weight below 0":              {func(h *History) { h.Weights[0] = -1e308 }, "below 0"},
		"an event at step -5":           {func(h *History) { h.Events = []Event{{-5, "x"}} }, "an event at step -5"},
		"an event after the end":        {func(h *History) { h.Events = []Event{{41, "x"}} }, "reports step 41, and its configuration has 40 steps (20 epochs of 2)"},
		"an event of a megabyte":        {func(h *History) { h.Events = []Event{{1, strings.Repeat("x", 1<<20)}} }, "an event of 1048576 bytes"},
		"an event for every step":       {func(h *History) { h.Events = make([]Event, 100_000) }, "100000 events, more than 2002"},
		"a term of a megabyte":          {func(h *History) { h.Terms[0] = strings.Repeat("x", 1<<20) }, "a term of 1048576 bytes"},
		"recoveries that nobody wanted": {func(h *History) { h.Rollbacks = 2 }, "reports 2 recoveries, and its configuration allows 0"},
		"recoveries below 0":            {func(h *History) { h.Rollbacks = -1 }, "-1 recoveries"},
		"steps per epoch below 0":       {func(h *History) { h.StepsPerEpoch = -1 }, "do not fit each other"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newHonest(t).store(t, func(head *header) { c.change(&head.History) })
			mustRefuse(t, dir, c.want)
		})
	}
}

// So are those of cost.json.
func TestForgedCostsAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ cost, want string }{
		"seconds below 0":       {`{"seconds":-1e300}`, "seconds is -1e+300, not from 0 to 1e+10"},
		"seconds beyond all":    {`{"seconds":1e300}`, "seconds is 1e+300"},
		"waiting below 0":       {`{"data_wait":-1}`, "data_wait is -1"},
		"processors below 0":    {`{"process_seconds":-1}`, "process_seconds is -1"},
		"-2^62 devices":         {`{"devices":-4611686018427387904}`, "devices is -4611686018427387904"},
		"an earlier -1 devices": {`{"earlier":[{"devices":-1}]}`, "devices is -1"},
		"many makers":           {`{"earlier":[` + strings.Repeat("{},", 5000) + `{}]}`, "5001 earlier makers"},
		"a long name":           {`{"code":"` + strings.Repeat("x", 10000) + `"}`, "code, device, machine and parent are longer than 4096 bytes"},
		"a long machine":        {`{"machine":"` + strings.Repeat("x", 10000) + `"}`, "code, device, machine and parent are longer than 4096 bytes"},
		"a long maker":          {`{"kind":"` + strings.Repeat("x", 10000) + `"}`, "a maker is longer than 4096 bytes"},
		"no number":             {`{"seconds":null,"devices":"two"}`, "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newHonest(t).store(t, nil)
			if err := os.WriteFile(filepath.Join(dir, ckpt.CostFile), []byte(c.cost), 0o644); err != nil {
				t.Fatal(err)
			}
			mustRefuse(t, dir, c.want)
			mustRefuse(t, dir, "delete the file, only the record of the run's cost is lost")
		})
	}
}

// Nothing can come of an optimizer's moment that is no number either.
func TestMomentsAreNumbers(t *testing.T) {
	for name, bad := range map[string]*tensors.Tensor{
		"NaN":                  tensors.FromFlatDataAndDimensions([]float32{0, 0, 0, 0, float32(math.NaN()), 0}, 2, 3),
		"infinite":             tensors.FromFlatDataAndDimensions([]float32{0, 0, 0, 0, 0, float32(math.Inf(-1))}, 2, 3),
		"NaN of 64 bits":       tensors.FromFlatDataAndDimensions([]float64{0, 0, 0, 0, 0, math.NaN()}, 2, 3),
		"infinite, as bfloat":  tensors.FromFlatDataAndDimensions([]bf.BFloat16{0, 0, 0, 0, 0, bf.FromFloat32(float32(math.Inf(1)))}, 2, 3),
		"infinite, as float16": tensors.FromFlatDataAndDimensions([]float16.Float16{0, 0, 0, 0, 0, float16.Inf(1)}, 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHonest(t)
			h.checkpoint.weights = append(h.checkpoint.weights, ckpt.Tensor{Name: "/optimizers/adam/fc0/weight_m1", Trainable: false, Value: bad})
			mustRefuse(t, h.store(t, nil), `a variable "/optimizers/adam/fc0/weight_m1" that is NaN or infinite`)
		})
	}
	h := newHonest(t)
	largest := tensors.FromFlatDataAndDimensions([]float32{math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0, 0, 0}, 2, 3)
	h.checkpoint.weights = append(h.checkpoint.weights, ckpt.Tensor{Name: "/optimizers/adam/fc0/weight_m1", Trainable: false, Value: largest})
	if _, err := loaded(t, h.store(t, nil), nil); err != nil {
		t.Error(err)
	}
}

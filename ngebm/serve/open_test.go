package serve

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/internal/testrun"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/train"
)

// What is to be known of the run and its predictor is logged: that one has no seal, and that other code fitted
// the other.
func TestLoadLogsNotes(t *testing.T) {
	backend := testdevice.Open(t, "go")
	cfg := ngebm.DefaultConfig("moons:400", "mlp-8")
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Validation = 5, 50, 1e-2, 60
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	testrun.Unseal(t, run.Dir)
	p, err := predict.Fit(t.Context(), run, predict.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Computation = "another"
	if err := p.Save(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h, err := Load(t.Context(), backend, run.Dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no checksum covers the class names", "the predictor was fitted otherwise (by another"} {
		if text := log.String(); !strings.Contains(text, want) || strings.Count(text, "level=WARN") != 2 {
			t.Errorf("the log does not say %q:\n%s", want, text)
		}
	}
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Images that no file gives, or of a set that the program made, are served as numbers.
func TestForRunWithoutFiles(t *testing.T) {
	net, err := nets.Parse("mlp-4")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data  string
		shape []int
	}{"two channels": {"npz:set.npz", []int{2, 2, 2}}, "a set of one's own": {"", []int{2, 2, 1}}} {
		classifier, err := ngebm.NewClassifier(testdevice.Open(t, "go"), net, 1, c.shape, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		h, err := ForRun(&ngebm.Run{Config: ngebm.Config{Data: c.data}, Classifier: classifier}, &echo{}, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/predict", strings.NewReader("GIF89a")))
		if w.Code != 415 || !strings.Contains(w.Body.String(), "takes no image files") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

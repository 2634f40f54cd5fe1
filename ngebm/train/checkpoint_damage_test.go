package train_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data/progress"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// file returns the path of a file in the folder of the only run below runs.
func file(t *testing.T, runs, name string) string {
	t.Helper()
	return filepath.Join(onlyRun(t, runs), name)
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// stoppedAt trains the configuration until it is stopped at that step, saving after
// each one.
func stoppedAt(t *testing.T, cfg ngebm.Config, runs string, step int64) *ngebm.Run {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run, err := train.Run(ctx, testdevice.Open(t, "go"), cfg, train.Options{Runs: runs, Progress: stopAfter{step, cancel}, SaveEvery: 1})
	if !errors.Is(err, train.ErrStopped) {
		t.Fatalf("stopped at step %d: %v", step, err)
	}
	return run
}

// said keeps what is reported.
type said struct{ tasks []string }

func (s *said) Report(r progress.Report) {
	if r.Unit == "" {
		s.tasks = append(s.tasks, r.Task)
	}
}

// sealedAs is a checkpoint of another format version, whole.
func sealedAs(raw []byte, version byte) []byte {
	raw = slices.Clone(raw)
	raw[7] = version
	sum := sha256.Sum256(raw[:len(raw)-32])
	copy(raw[len(raw)-32:], sum[:])
	return raw
}

// A last checkpoint that is damaged is passed over, with a warning, for the one before
// it and that for the best one; the run goes on and ends as if nothing had been. What no
// fault of a disk explains is refused and left as it is.
func TestDamagedCheckpoint(t *testing.T) {
	cfg, backend := small(), testdevice.Open(t, "go")
	alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	const last, previous, best = "checkpoint.ngebm", "previous.ngebm", "best.ngebm"
	for _, c := range []struct {
		name  string
		harm  map[string]func(good []byte) []byte // nil: the file is gone
		warns []string
		err   string // or refused
	}{
		{"changed", map[string]func([]byte) []byte{last: flip}, []string{"SHA-256 does not match", "previous.ngebm, of step"}, ""},
		{"cut", map[string]func([]byte) []byte{last: func(b []byte) []byte { return b[:len(b)-9] }}, []string{"is damaged", "previous.ngebm"}, ""},
		{"emptied", map[string]func([]byte) []byte{last: func([]byte) []byte { return nil }}, []string{"cut short at 0 bytes", "previous.ngebm"}, ""},
		{"zeroed", map[string]func([]byte) []byte{last: func(b []byte) []byte { return make([]byte, len(b)) }}, []string{"not an ngebm checkpoint", "previous.ngebm"}, ""},
		{"version changed", map[string]func([]byte) []byte{last: func(b []byte) []byte { b[7] = '9'; return b }}, []string{"is damaged", "previous.ngebm"}, ""},
		{"two damaged", map[string]func([]byte) []byte{last: flip, previous: flip}, []string{"best.ngebm, of step"}, ""},
		{"one gone", map[string]func([]byte) []byte{last: flip, previous: nil}, []string{"best.ngebm, of step"}, ""},
		{"an old run, with one file", map[string]func([]byte) []byte{previous: nil, best: nil}, nil, ""},
		{"taken away", map[string]func([]byte) []byte{last: nil}, nil, ""},
		{"all damaged", map[string]func([]byte) []byte{last: flip, previous: flip, best: flip}, nil, "delete it to restart training"},
		{"the only one damaged", map[string]func([]byte) []byte{last: flip, previous: nil, best: nil}, nil, "delete it to restart training"},
		{"newer", map[string]func([]byte) []byte{last: func(b []byte) []byte { return sealedAs(b, '2') }}, nil, "use a newer program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs := t.TempDir()
			stoppedAt(t, cfg, runs, 23)
			for name, harm := range c.harm {
				path := file(t, runs, name)
				if harm == nil {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
					continue
				}
				writeFile(t, path, harm(readFile(t, path)))
			}
			path, now := file(t, runs, last), &said{}
			before, _ := os.ReadFile(path)
			run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Progress: now})
			if c.err != "" {
				testerror.Want(t, err, path, c.err)
				if !bytes.Equal(readFile(t, path), before) {
					t.Error("the file was changed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, run)) {
				t.Error("it ended with another checkpoint than the run left alone")
			}
			if (run.Warning == "") != (c.warns == nil) || c.warns != nil && !slices.Contains(now.tasks, run.Warning) {
				t.Errorf("the warning is %q, reported was %q", run.Warning, now.tasks)
			}
			for _, w := range c.warns {
				if !strings.Contains(run.Warning, w) || !strings.Contains(run.Warning, path) {
					t.Errorf("the warning %q does not say %q", run.Warning, w)
				}
			}
		})
	}
}

// Until a run that began at an earlier checkpoint has saved, that one stays: the damaged
// one does not take its place.
func TestDamagedNeverKept(t *testing.T) {
	cfg, runs := small(), t.TempDir()
	stoppedAt(t, cfg, runs, 23)
	last, previous := file(t, runs, "checkpoint.ngebm"), file(t, runs, "previous.ngebm")
	writeFile(t, last, readFile(t, last)[:100])
	good := readFile(t, previous)
	stoppedAt(t, cfg, runs, 24)
	for _, path := range []string{last, previous} {
		if b := readFile(t, path); len(b) < len(good) {
			t.Errorf("%s has %d bytes", path, len(b))
		}
	}
	loaded, err := ngebm.Load(t.Context(), testdevice.Open(t, "go"), filepath.Dir(last), nil)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.History.Steps() != 24 || loaded.Warning != "" {
		t.Errorf("loaded at step %d, warning %q", loaded.History.Steps(), loaded.Warning)
	}
	writeFile(t, last, nil)
	loaded, err = ngebm.Load(t.Context(), testdevice.Open(t, "go"), filepath.Dir(last), nil)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.History.Steps() >= 24 || !strings.Contains(loaded.Warning, "previous.ngebm") {
		t.Errorf("the last one emptied: loaded at step %d, warning %q", loaded.History.Steps(), loaded.Warning)
	}
	sum, err := loaded.Checksum()
	if want := fmt.Sprintf("%x", sha256.Sum256(readFile(t, previous))); err != nil || sum != want {
		t.Errorf("the checksum %s is not that of the checkpoint that was loaded (%v)", sum, err)
	}
}

// The best checkpoint is the run at its most accurate evaluation, to the last bit, for
// one that was stopped and gone on with too.
func TestBestIsKept(t *testing.T) {
	cfg, backend := small(), testdevice.Open(t, "go")
	cfg.LearningRate, cfg.Epochs = 1, 8 // so large that it gets worse again
	alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want := alone.History.Evaluations[0]
	for _, e := range alone.History.Evaluations {
		if e.Split == "validation" && (e.Accuracy > want.Accuracy || e.Accuracy == want.Accuracy && e.Loss < want.Loss) {
			want = e
		}
	}
	best, err := ngebm.LoadBest(t.Context(), backend, alone.Dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := len(best.History.Evaluations)
	if got := best.History.Evaluations[n-1]; got.Step != want.Step || best.History.Steps() != want.Step || want.Step == alone.History.Steps() {
		t.Errorf("kept at step %d, the best of %d was at %d", got.Step, alone.History.Steps(), want.Step)
	}
	if accuracy, err := best.Classifier.Accuracy(t.Context(), alone.Validation); err != nil || accuracy != want.Accuracy {
		t.Errorf("its validation accuracy is %v, not %v (%v)", accuracy, want.Accuracy, err)
	}
	a, err1 := alone.Checksum()
	b, err2 := best.Checksum()
	if err := errors.Join(err1, err2); err != nil || a == b {
		t.Errorf("checksums %s and %s (%v)", a, b, err)
	}
	runs := t.TempDir()
	for _, step := range []int64{1, 10, 11, 37, 50, 79} {
		stoppedAt(t, cfg, runs, step)
	}
	resumed, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, filepath.Join(alone.Dir, "best.ngebm")), readFile(t, filepath.Join(resumed.Dir, "best.ngebm"))) {
		t.Error("the resumed run kept another best checkpoint")
	}
	cfg.Validation = 0
	if run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs}); err != nil {
		t.Error(err)
	} else if _, err = ngebm.LoadBest(t.Context(), backend, run.Dir, nil); err == nil || !strings.Contains(err.Error(), "holds no best checkpoint; set validation") {
		t.Errorf("without a validation set: %v", err)
	}
}

// A warm-up longer than half of the run is said once, through the reporter, when a run is
// trained and when it is loaded.
func TestLongWarmUpIsSaid(t *testing.T) {
	cfg := small()
	cfg.Epochs, cfg.Warmup = 1, 1000
	now := &said{}
	options := train.Options{Runs: t.TempDir(), Progress: now}
	if _, err := train.Run(t.Context(), testdevice.Open(t, "go"), cfg, options); err != nil {
		t.Fatal(err)
	}
	times := func() (n int) {
		for _, task := range now.tasks {
			if strings.HasPrefix(task, "the warm-up takes") {
				n++
			}
		}
		return n
	}
	if times() != 1 {
		t.Errorf("training said %q", now.tasks)
	}
	now.tasks = nil
	if _, err := train.Run(t.Context(), testdevice.Open(t, "go"), cfg, options); err != nil {
		t.Fatal(err)
	}
	if times() != 1 {
		t.Errorf("loading said %q", now.tasks)
	}
}

// A stranger's history with other curves, or epochs of another length, is not gone on with.
func TestForgedCurves(t *testing.T) {
	for want, forge := range map[string]func(*ckpt.State, *ngebm.History){
		`its history has the terms "cross-entropy, energy variance", and a step "cross-entropy, energy variance, gradient norm"`: func(s *ckpt.State, h *ngebm.History) {
			h.Terms, h.Weights = h.Terms[:2], h.Weights[:2]
			for i := range h.Evaluations {
				h.Evaluations[i].Values = h.Evaluations[i].Values[:2]
			}
			s.Tensors = slices.Delete(s.Tensors, 4, 5)
		},
		"its history has 11 steps per epoch, and the training set 10": func(_ *ckpt.State, h *ngebm.History) { h.StepsPerEpoch = 11 },
	} {
		runs := t.TempDir()
		stoppedAt(t, small(), runs, 23)
		folder, err := ckpt.Folder(onlyRun(t, runs)).Open()
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		state, err := ckpt.Read(t.Context(), folder, ckpt.LastFile, nil)
		if err != nil {
			t.Fatal(err)
		}
		var history ngebm.History
		if err := json.Unmarshal(state.History, &history); err != nil {
			t.Fatal(err)
		}
		forge(state, &history)
		if state.History, err = json.Marshal(history); err == nil {
			err = ckpt.Write(folder, ckpt.LastFile, "", *state)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), testdevice.Open(t, "go"), small(), train.Options{Runs: runs})
		testerror.Want(t, err, "cannot resume from checkpoint "+file(t, runs, ckpt.LastFile), want, "delete it to restart training")
	}
}

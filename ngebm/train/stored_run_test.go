package train_test

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// heard collects the notices of a run, without the advice about its warm-up, which these
// short ones get.
type heard struct{ lines []string }

func (h *heard) Report(r progress.Report) {
	if r.Unit == "" && !strings.HasPrefix(r.Task, "the warm-up takes") {
		h.lines = append(h.lines, r.Task)
	}
}

// asked is what a person asks for: a configuration, sets, a network, devices.
type asked struct {
	cfg  ngebm.Config
	opts train.Options
}

// digitsWith returns the digits' two sets with some examples or labels changed.
func digitsWith(t *testing.T, split string, change func(*data.Dataset)) (trainSet, testSet *data.Dataset) {
	t.Helper()
	trainSet, testSet, err := data.Open(t.Context(), "digits", data.Options{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]**data.Dataset{"train": &trainSet, "test": &testSet}[split]
	changed := **set
	changed.Pixels, changed.Labels = slices.Clone(changed.Pixels), slices.Clone(changed.Labels)
	change(&changed)
	if *set, err = data.New(changed); err != nil {
		t.Fatal(err)
	}
	return trainSet, testSet
}

func editJSON(t *testing.T, path string, edit func(map[string]any)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if err := json.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	edit(content)
	if text, err = json.Marshal(content); err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever can influence the number that is shown of a run is changed, one at a time. What
// is shown then is trained or evaluated anew, or it is marked in one line, or refused.
func TestStoredRunIsWhatWasAsked(t *testing.T) {
	backend := testdevice.Open(t, "go")
	first := func(t *testing.T) asked {
		cfg := ngebm.DefaultConfig("digits", "mlp-8")
		cfg.Epochs, cfg.Validation = 1, 20
		trainSet, testSet := digitsWith(t, "test", func(*data.Dataset) {})
		return asked{cfg, train.Options{TrainSet: trainSet, TestSet: testSet}}
	}
	a, stored := first(t), t.TempDir()
	a.opts.Runs = stored
	before, err := train.Run(t.Context(), backend, a.cfg, a.opts)
	if err != nil || before.Loaded {
		t.Fatal(before, err)
	}
	const trained, evaluated, marked = "trained", "evaluated", "marked"
	for name, c := range map[string]struct {
		edit func(t *testing.T, a *asked, dir string)
		want string
		line string // part of the line that marks it
	}{
		"nothing": {func(*testing.T, *asked, string) {}, "loaded", "loaded digits-mlp-8-"},
		"the library's code": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) { c["source"] = "0123456789ab" })
		}, marked, "trained by other code than this (source 0123456789ab, now " + ngebm.Source() + ")"},
		"the library's code, while it was trained": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) {
				c["earlier"] = []any{map[string]any{"source": "0123456789ab", "kind": "go", "devices": 1}}
			})
		}, marked, "first steps were taken otherwise: by other code (source 0123456789ab, then"},
		"another device, while it was trained": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) {
				c["earlier"] = []any{map[string]any{"source": ngebm.Source(), "kind": "xla:cpu", "devices": 2}}
			})
		}, marked, "first steps were taken otherwise: on xla:cpu, then go, on 2 devices, then 1"},
		"a class's name in config.json": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "config.json"), func(c map[string]any) {
				c["data"].(map[string]any)["classes"].([]any)[0] = "one"
			})
		}, marked, "its config.json was changed"},
		"a setting in config.json": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "config.json"), func(c map[string]any) { c["config"].(map[string]any)["alpha"] = 3 })
		}, marked, "its config.json was changed"},
		"a record of the code that is lost": {func(t *testing.T, _ *asked, dir string) {
			if err := os.Remove(filepath.Join(dir, "cost.json")); err != nil {
				t.Fatal(err)
			}
		}, marked, "the code that trained it is not known"},
		"a run from before networks were recorded": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "config.json"), func(c map[string]any) { delete(c, "network") })
		}, marked, "its network was not recorded"},
		"another GoMLX": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "config.json"), func(c map[string]any) { c["network"].(map[string]any)["gomlx"] = "v0.1.0" })
		}, marked, `its network was recorded with GoMLX "v0.1.0"`},
		"the built-in network's body": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "config.json"), func(c map[string]any) { c["network"].(map[string]any)["sum"] = "other" })
		}, "refused", "trained with another network of the name \"mlp-8\""},
		"the device's kind": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) { c["kind"] = "xla:cuda" })
		}, marked, "trained on xla:cuda, and this is go"},
		"the processor": {func(t *testing.T, _ *asked, dir string) {
			if ngebm.Processor() == "" {
				t.Skip("SKIPPED: this system does not name its processor")
			}
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) { c["processor"] = "another" })
		}, marked, "trained on another, and this is " + ngebm.Processor() + ", which rounds differently"},
		"a record of the processor that there was not": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) { delete(c, "processor") })
		}, "loaded", "loaded digits-mlp-8-"},
		"the device count": {func(t *testing.T, _ *asked, dir string) {
			editJSON(t, filepath.Join(dir, "cost.json"), func(c map[string]any) { c["devices"] = 2 })
		}, marked, "trained on 2 devices, not on 1"},
		"test labels": {func(t *testing.T, a *asked, _ string) {
			_, a.opts.TestSet = digitsWith(t, "test", func(d *data.Dataset) {
				for i := range d.Labels {
					d.Labels[i] = (d.Labels[i] + 1) % 10
				}
			})
		}, evaluated, "the test set is not the one"},
		"test images": {func(t *testing.T, a *asked, _ string) {
			_, a.opts.TestSet = digitsWith(t, "test", func(d *data.Dataset) { clear(d.Pixels) })
		}, evaluated, "the test set is not the one"},
		"the corruption's severity": {func(t *testing.T, a *asked, _ string) {
			bad, err := a.opts.TestSet.Corrupt("gaussian noise", 5, 1)
			if err != nil {
				t.Fatal(err)
			}
			a.opts.TestSet = bad
		}, evaluated, "the test set is not the one"},
		"training images": {func(t *testing.T, a *asked, _ string) {
			a.opts.TrainSet, _ = digitsWith(t, "train", func(d *data.Dataset) { d.Pixels[0] = 16 - d.Pixels[0] })
		}, trained, ""},
		"training labels": {func(t *testing.T, a *asked, _ string) {
			a.opts.TrainSet, _ = digitsWith(t, "train", func(d *data.Dataset) { d.Labels[0] = (d.Labels[0] + 1) % 10 })
		}, trained, ""},
		"the validation split's size": {func(_ *testing.T, a *asked, _ string) { a.cfg.Validation = 30 }, trained, ""},
		"its draw":                    {func(t *testing.T, a *asked, _ string) { a.cfg.Seed = 2 }, trained, ""},
		"precision":                   {func(_ *testing.T, a *asked, _ string) { a.cfg.Precision = "bfloat16" }, trained, ""},
		"a weight of the loss":        {func(_ *testing.T, a *asked, _ string) { a.cfg.Beta = .1 }, trained, ""},
		"the network's name":          {func(_ *testing.T, a *asked, _ string) { a.cfg.Net = "mlp-lrelu-8" }, trained, ""},
		"a network of one's own": {func(_ *testing.T, a *asked, _ string) {
			a.opts.Network = renamed{nets.MLP{Hidden: []int{8}, LeakyReLU: true}, "mlp-8"}
		}, trained, ""},
		"a wish for a fresh run": {func(_ *testing.T, a *asked, _ string) { a.opts.Fresh = true }, trained, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, runs := first(t), t.TempDir()
			a.opts.Runs = runs
			if err := os.CopyFS(runs, os.DirFS(stored)); err != nil {
				t.Fatal(err)
			}
			c.edit(t, &a, filepath.Join(runs, filepath.Base(before.Dir)))
			var lines heard
			a.opts.Progress = &lines
			now, err := train.Run(t.Context(), backend, a.cfg, a.opts)
			told := strings.Join(lines.lines, "\n")
			if c.want == "refused" {
				testerror.Want(t, err, c.line, "-fresh")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if now.Loaded == (c.want == trained) {
				t.Errorf("loaded: %v, want it %s", now.Loaded, c.want)
			}
			if c.line != "" && (strings.Count(told, c.line) != 1 || len(lines.lines) != 1) {
				t.Errorf("told was %q, want one line with %q", lines.lines, c.line)
			}
			if (len(now.Notes) > 0) != (c.want == marked || c.want == evaluated) {
				t.Errorf("notes are %q, and it was %s", now.Notes, c.want)
			}
			shown := now.History.Evaluations[len(now.History.Evaluations)-1]
			accuracy, err := now.Classifier.Accuracy(t.Context(), now.Test)
			if err != nil || shown.Split != "test" || shown.Accuracy != accuracy || shown.Checksum != now.Test.Checksum {
				t.Errorf("shown is %+v, measured %v (%v)", shown, accuracy, err)
			}
			if c.want == evaluated {
				again, err := train.Run(t.Context(), backend, a.cfg, a.opts)
				if err != nil || again.History.Evaluations[len(again.History.Evaluations)-1].Accuracy != accuracy {
					t.Errorf("the second time it is %v (%v)", again, err)
				}
			}
		})
	}
}

// What is restored is what the folder says now, with nothing of what was read before.
func TestRestoredCost(t *testing.T) {
	run, err := train.Run(t.Context(), testdevice.Open(t, "go"), small(), train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run.Dir, "cost.json")
	editJSON(t, path, func(c map[string]any) {
		clear(c)
		c["seconds"] = 3
	})
	for _, want := range []ngebm.Cost{{Seconds: 3}, {}} { // then the file is gone
		if _, err := run.Restore(t.Context(), 1); err != nil || !reflect.DeepEqual(run.Cost, want) {
			t.Errorf("the cost is %+v, not %+v (%v)", run.Cost, want, err)
		}
		if want.Seconds > 0 {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A run that is trained again leaves nothing of the one before, and nothing of other
// people's is removed.
func TestFresh(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	run, err := train.Run(t.Context(), backend, small(), train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	weights := checkpointOf(t, run)
	for _, name := range []string{"measured-0123456789ab.json", "judged-0123456789ab.json", "attacking-0123456789ab.json", "notes.txt", "measured-by-hand.json"} {
		if err := os.WriteFile(filepath.Join(run.Dir, name), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := train.Run(t.Context(), backend, small(), train.Options{Runs: runs, Fresh: true})
	if err != nil || again.Loaded || again.Dir != run.Dir {
		t.Fatalf("loaded %v in %s, %v", again.Loaded, again.Dir, err)
	}
	if !slices.Equal(weights, checkpointOf(t, again)) {
		t.Error("the same configuration gives other weights")
	}
	there := map[string]bool{}
	entries, err := os.ReadDir(run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		there[e.Name()] = true
	}
	for name, want := range map[string]bool{"measured-0123456789ab.json": false, "judged-0123456789ab.json": false, "attacking-0123456789ab.json": false, "notes.txt": true, "measured-by-hand.json": true} {
		if there[name] != want {
			t.Errorf("%s is there: %v, want %v (%v)", name, there[name], want, slices.Sorted(maps.Keys(there)))
		}
	}
}

// A run that another XLA trained, or XLA on another number of processors, is loaded and marked; one
// that does not say so is not, since it may be the same.
func TestRunOfAnotherXLA(t *testing.T) {
	backend, opts := testdevice.Open(t, "cpu"), train.Options{Runs: t.TempDir()}
	run, err := train.Run(t.Context(), backend, small(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if plugin, version := run.Cost.Plugin, regexp.MustCompile(`^PJRT \d+\.\d+, SHA-256 [0-9a-f]{12}(, convolutions [0-9a-f]{12})?$`); run.Cost.Kind != "xla:cpu" || !version.MatchString(plugin) || !strings.Contains(run.Computation(), plugin) {
		t.Fatalf("trained on %s by %q; measurements are by %q", run.Cost.Kind, plugin, run.Computation())
	}
	for what, c := range map[string]struct {
		edit func(cost map[string]any)
		want string
	}{
		"nothing": {func(map[string]any) {}, ""},
		"no record": {func(cost map[string]any) {
			delete(cost, "plugin")
			delete(cost, "processors")
		}, ""},
		"the plugin":     {func(cost map[string]any) { cost["plugin"] = "PJRT 0.1, SHA-256 01" }, "it was trained with another XLA (PJRT 0.1, SHA-256 01, now " + run.Cost.Plugin + ")"},
		"the processors": {func(cost map[string]any) { cost["processors"] = 4096 }, "it was trained on 4096 processors, and this machine has "},
	} {
		path := filepath.Join(run.Dir, "cost.json")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		editJSON(t, path, c.edit)
		again, err := train.Run(t.Context(), backend, small(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(again.Notes, "\n"); !again.Loaded || c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: loaded %v, the notes are %q, want %q", what, again.Loaded, got, c.want)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A run that was trained before networks, code and test sets were recorded is loaded, and
// the line about it says what is not known.
func TestRunOfAnOlderVersion(t *testing.T) {
	backend, runs := testdevice.Open(t, "cpu"), t.TempDir()
	if err := os.CopyFS(runs, os.DirFS("testdata/runs")); err != nil {
		t.Fatal(err)
	}
	cfg, err := ngebm.PresetConfig("moons")
	if err == nil {
		err = cfg.Set("name=before,data=moons:200,net=mlp-8,epochs=2,validation=40,beta=.1,gamma=.1")
	}
	if err != nil {
		t.Fatal(err)
	}
	var lines heard
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Progress: &lines})
	if err != nil || !run.Loaded || run.Hash != "899367954eb9" {
		t.Fatalf("%v, %v", run, err)
	}
	told := strings.Join(lines.lines, "\n")
	for _, part := range []string{"loaded before-899367954eb9: 4 steps, code unknown", "its network was not recorded", "the code that trained it is not known"} {
		if !strings.Contains(told, part) || len(lines.lines) != 1 {
			t.Errorf("told was %q, want one line with %q", lines.lines, part)
		}
	}
	// What the program of then printed.
	if e := run.History.Evaluations[len(run.History.Evaluations)-1]; e.Accuracy != .5 || math.Abs(e.Values[0]-.694) > .0005 {
		t.Errorf("the test set's evaluation is %+v", e)
	}
	if loaded, err := ngebm.Load(t.Context(), backend, run.Dir, nil); err != nil || len(loaded.Notes) == 0 {
		t.Errorf("Load: %v, notes %q", err, loaded.Notes)
	}
}

// A run that other code resumes says so at once, as it does when it is loaded.
func TestResumedByOtherCode(t *testing.T) {
	backend, cfg, runs := testdevice.Open(t, "go"), small(), t.TempDir()
	editJSON(t, filepath.Join(stopped(t, backend, cfg, runs), "cost.json"), func(c map[string]any) { c["source"] = "0123456789ab" })
	resumed, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil || resumed.Loaded {
		t.Fatal(resumed, err)
	}
	loaded, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil || !loaded.Loaded {
		t.Fatal(loaded, err)
	}
	want := "its first steps were taken otherwise: by other code (source 0123456789ab, then " + ngebm.Source() + ")"
	if !slices.Equal(resumed.Notes, []string{want}) || !slices.Equal(loaded.Notes, resumed.Notes) {
		t.Errorf("notes %q when it was resumed, %q when it is loaded", resumed.Notes, loaded.Notes)
	}
}

// A run of a person's own network from before networks were recorded is found by the
// configuration's hash alone, marked, until it is trained afresh.
func TestOwnNetworkOfAnOlderVersion(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	cfg := small()
	cfg.Net = ""
	opts := train.Options{Runs: runs, Network: twoTowers{4}}
	run, err := train.Run(t.Context(), backend, cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	named := cfg
	named.Net = twoTowers{4}.String()
	hash := named.Hash(func() string { set, _, _ := data.Open(t.Context(), cfg.Data, data.Options{}); return set.Checksum }())
	if hash == run.Hash {
		t.Fatal("the network does not count in the hash of its run")
	}
	if err := makeOld(run.Dir, filepath.Join(runs, "moons-two-towers-4-"+hash), hash); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(run.Dir); err != nil {
		t.Fatal(err)
	}
	old, err := train.Run(t.Context(), backend, cfg, opts)
	if err != nil || !old.Loaded || old.Hash != hash || !strings.Contains(strings.Join(old.Notes, "\n"), "its network was not recorded") {
		t.Fatalf("%v, %v", old, err)
	}
	opts.Fresh = true
	if now, err := train.Run(t.Context(), backend, cfg, opts); err != nil || now.Loaded || now.Hash != run.Hash || len(now.Notes) > 0 {
		t.Fatalf("%v, %v", now, err)
	}
	opts.Fresh = false
	if now, err := train.Run(t.Context(), backend, cfg, opts); err != nil || !now.Loaded || now.Hash != run.Hash || len(now.Notes) > 0 {
		t.Fatalf("%v, %v", now, err)
	}
}

//go:build unix

package train_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// home makes a folder that stands for a person's home, with files that look like what a
// program leaves, and returns a check that it is as it was.
func home(t *testing.T) (dir string, untouched func()) {
	t.Helper()
	dir = t.TempDir()
	contents := map[string]string{
		".bashrc": "alias", ".netrc": "secret", ".gitconfig": "name", ".checkpoint.ngebm": "mine", "letter.txt": "dear",
		".checkpoint.ngebm123456789012345": "left by a program", "lock": "a canal's",
	}
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != len(contents)+1 {
			t.Errorf("the home holds %v (%v)", entries, err)
		}
		for name, content := range contents {
			b, err := os.ReadFile(filepath.Join(dir, name))
			info, e := os.Stat(filepath.Join(dir, name))
			if err != nil || e != nil || string(b) != content || info.Mode().Perm() != 0o600 {
				t.Errorf("%s holds %q, %v", name, b, errors.Join(err, e))
			}
		}
	}
}

// A run folder that is a link is neither trained in nor loaded; what it points to stays.
func TestARunFolderIsNotALink(t *testing.T) {
	backend, cfg, runs := testdevice.Open(t, "go"), small(), t.TempDir()
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, untouched := home(t)
	others := t.TempDir()
	link := filepath.Join(others, filepath.Base(run.Dir))
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), link) {
			t.Errorf("%s: %v", what, err)
		}
		untouched()
	}
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: others})
	refused("training", err)
	_, err = ngebm.Load(t.Context(), backend, link, nil)
	refused("loading", err)
	cfg.InitFrom = run.Hash
	cfg.Epochs = 1
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: others})
	refused("starting from it", err)

	// A folder of runs that the user made a link is his own choice.
	linked := filepath.Join(t.TempDir(), "runs")
	if err := os.Symlink(runs, linked); err != nil {
		t.Fatal(err)
	}
	if again, err := train.Run(t.Context(), backend, small(), train.Options{Runs: linked}); err != nil || !again.Loaded {
		t.Errorf("through a linked folder of runs: %v", err)
	}
}

// No file of a run is read or written through a link.
func TestARunsFilesAreNoLinks(t *testing.T) {
	backend := testdevice.Open(t, "go")
	elsewhere, untouched := home(t)
	for _, name := range []string{"checkpoint.ngebm", "previous.ngebm", "best.ngebm", "good.ngebm", "config.json", "cost.json", "history.csv", "lock"} {
		cfg, runs := small(), t.TempDir()
		path := filepath.Join(stopped(t, backend, cfg, runs), name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(elsewhere, "letter.txt"), path); err != nil {
			t.Fatal(err)
		}
		if _, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs}); err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is a link: %v", name, err)
		}
		untouched()
	}
}

// stopped trains 12 steps of a configuration and returns the run's folder.
func stopped(t *testing.T, backend compute.Backend, cfg ngebm.Config, runs string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run, err := train.Run(ctx, backend, cfg, train.Options{Runs: runs, Progress: stopAfter{12, cancel}})
	if !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	return run.Dir
}

// What other people and programs put into a run's folder stays there.
func TestOthersFilesStayInARunFolder(t *testing.T) {
	backend, cfg, runs := testdevice.Open(t, "go"), small(), t.TempDir()
	dir := stopped(t, backend, cfg, runs)
	stay := []string{".gitignore", ".gitattributes", ".checkpoint.ngebm", ".nfs000123", ".checkpoint.ngebm12.bak", "notes.txt", ".DS_Store"}
	left := []string{".checkpoint.ngebm123456789012345678", ".best.ngebm444444444444", ".history.csv999999999999", ".cost.json111111111111", ".previous.ngebm777777777777", ".config.json555555555555"}
	for _, name := range append(stay, left...) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, ".best.ngebm8"), 0o755), syscall.Mkfifo(filepath.Join(dir, ".cost.json2"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs}); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(stay, ".best.ngebm8", ".cost.json2") {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range left {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s, which a killed run left, is still there", name)
		}
	}
}

// What config.json says of the classifier is that of its checkpoint, to the letter.
func TestTheConfigurationIsSealed(t *testing.T) {
	backend, cfg := testdevice.Open(t, "go"), small()
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run.Dir, "config.json")
	honest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if loaded, err := ngebm.Load(t.Context(), backend, run.Dir, nil); err != nil || strings.Contains(strings.Join(loaded.Notes, ";"), "seal") {
		t.Fatalf("%v, %v", loaded, err)
	}
	edit := func(change func(info map[string]any)) {
		t.Helper()
		var info map[string]any
		if err := json.Unmarshal(honest, &info); err != nil {
			t.Fatal(err)
		}
		change(info)
		text, err := json.Marshal(info)
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	settings := func(info map[string]any) map[string]any { return info["config"].(map[string]any) }
	for name, c := range map[string]struct {
		change func(info map[string]any)
		want   string
	}{
		"class names exchanged": {func(info map[string]any) {
			classes := info["data"].(map[string]any)["classes"].([]any)
			classes[0], classes[1] = classes[1], classes[0]
		}, "another config.json"},
		"a class name":        {func(info map[string]any) { info["data"].(map[string]any)["classes"].([]any)[0] = "safe" }, "another config.json"},
		"the shape":           {func(info map[string]any) { info["shape"] = []int{1, 2} }, "another network"},
		"an activation":       {func(info map[string]any) { settings(info)["net"] = "mlp-lrelu-16" }, "was changed"},
		"a setting":           {func(info map[string]any) { settings(info)["seed"] = 2 }, "was changed"},
		"the data":            {func(info map[string]any) { info["training"] = strings.Repeat("0", 64) }, "was changed"},
		"the data taken away": {func(info map[string]any) { delete(info, "training") }, "another config.json"},
		"the hash":            {func(info map[string]any) { info["hash"] = "0123456789ab" }, "was changed"},
		"a newer algorithm":   {func(info map[string]any) { info["algorithm"] = 2 }, "trained by algorithm 2"},
	} {
		edit(c.change)
		if _, err := ngebm.Load(t.Context(), backend, run.Dir, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := ngebm.LoadBest(t.Context(), backend, run.Dir, nil); err == nil {
			t.Errorf("%s: the best checkpoint was loaded", name)
		}
	}
	edit(func(info map[string]any) { info["note"] = "of a newer program" })
	if _, err := ngebm.Load(t.Context(), backend, run.Dir, nil); err != nil {
		t.Errorf("something more in config.json: %v", err)
	}
}

// A run to start from is found in a folder of runs of any name.
func TestInitFromInAFolderOfAnyName(t *testing.T) {
	backend, cfg, runs := testdevice.Open(t, "go"), small(), filepath.Join(t.TempDir(), "r[7*?")
	first, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	cfg.InitFrom, cfg.Epochs = first.Hash, 1
	if _, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs}); err != nil {
		t.Error(err)
	}
}

// A set that data.New did not make, and values that are missing, are errors.
func TestInputsAreChecked(t *testing.T) {
	run, err := train.Run(t.Context(), testdevice.Open(t, "go"), small(), train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := run.Classifier
	for name, d := range map[string]*data.Dataset{
		"nil": nil, "empty": {}, "no points": {Shape: []int{2}, Labels: []int32{0}}, "no MaxPixel": {Shape: []int{2}, Pixels: []uint8{1, 2}, Labels: []int32{0}},
	} {
		_, logits := c.Logits(t.Context(), d)
		_, accuracy := c.Accuracy(t.Context(), d)
		_, norms := c.GradientNorms(t.Context(), d)
		for _, err := range []error{logits, accuracy, norms} {
			if err == nil || !strings.Contains(err.Error(), "data.New") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := c.Apply(t.Context(), nil, run.Test, nil); err == nil || !strings.Contains(err.Error(), "NewExec") {
		t.Errorf("no executable: %v", err)
	}
	// Labels of other classes are none of its answers.
	for want, change := range map[string]func(d *data.Dataset){
		"has an example of class 2, counted from 0, and the classifier has 2 classes": func(d *data.Dataset) { d.Classes, d.Labels = nil, []int32{0, 2} },
		"has an example of class -1":                        func(d *data.Dataset) { d.Labels = []int32{0, -1} },
		`has 2 classes, "b, a", and the classifier 2, "`:    func(d *data.Dataset) { d.Classes = []string{"b", "a"} },
		`has 3 classes, "0, 1, 2", and the classifier 2, "`: func(d *data.Dataset) { d.Classes = []string{"0", "1", "2"} },
		"": func(d *data.Dataset) { d.Classes = nil },
	} {
		d := data.Dataset{Info: run.Test.Info, Shape: []int{2}, Points: []float32{0, 0, 1, 1}, Labels: []int32{0, 1}}
		change(&d)
		_, accuracy := c.Accuracy(t.Context(), &d)
		_, evaluation := run.Evaluate(t.Context(), &d, nil)
		for _, err := range []error{accuracy, evaluation} {
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
	}
}

// The run that another starts from is the one with that hash, whoever copied what where.
func TestInitFromIsTheRunOfThatHash(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	first, err := train.Run(t.Context(), backend, small(), train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	second := small()
	second.Seed = 2
	other, err := train.Run(t.Context(), backend, second, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	cfg := small()
	cfg.InitFrom, cfg.Epochs = first.Hash, 1
	whole := checkpointOf(t, first)
	if err := os.WriteFile(filepath.Join(first.Dir, "checkpoint.ngebm"), checkpointOf(t, other), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	testerror.Want(t, err, "start is", "belongs to run", other.Hash)
	if err := os.WriteFile(filepath.Join(first.Dir, "checkpoint.ngebm"), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(runs, "copy-"+first.Hash), os.DirFS(first.Dir)); err != nil {
		t.Fatal(err)
	}
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	testerror.Want(t, err, "start is", "2 folders have this hash", "copy-"+first.Hash)
}

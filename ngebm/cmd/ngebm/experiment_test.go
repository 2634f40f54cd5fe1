package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/data/testerror"
	"ngebm/ngebm/study"
	"ngebm/ngebm/study/published"
)

// experimentArgs are those of two methods with two seeds on digits, with a network so
// small that pure Go trains and measures a run in a second.
func experimentArgs(runs, out string) []string {
	return []string{"experiment", "-preset", "digits-few", "-model", "mlp-16", "-set", "epochs=40,eval_every=5",
		"-methods", "cross-entropy,ng-ebm", "-seeds", "1,2", "-ood-examples", "100", "-attack-examples", "60", "-ensemble-examples", "30", "-ood-datasets", "",
		"-linf", "8,24", "-l2", "64", "-bootstrap", "20", "-runs", runs, "-o", out, "-device", "go", "-save-every", "1ns"}
}

// figuresOf is what an experiment prints, without what it took.
func figuresOf(stdout string) string {
	figures, _, _ := strings.Cut(stdout, "\ncost ")
	return figures
}

// An experiment of two methods and two seeds, stopped by SIGINT in its first run, killed with -9 there, in its
// second and after it, goes on from there with the same command, prints the table of
// one left alone in another folder, byte for byte, and its file does not contradict
// the other's in any figure.
func TestKilledExperimentResumes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it runs an experiment seven times; TestKilledSweepResumes kills a sweep")
	}
	bin, folder := build(t), t.TempDir()
	stop := os.Kill
	run := func(ctx context.Context, runs string) (stdout, stderr string, err error) {
		var out, log bytes.Buffer
		cmd := exec.CommandContext(ctx, bin, experimentArgs(filepath.Join(folder, runs), filepath.Join(folder, runs+".json"))...)
		cmd.Cancel = func() error { return cmd.Process.Signal(stop) }
		cmd.Stdout, cmd.Stderr = &out, &log
		err = cmd.Run()
		return out.String(), log.String(), err
	}
	alone, log, err := run(t.Context(), "alone")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	done := func() int { // runs in the file
		r, err := study.ReadResults(filepath.Join(folder, "killed.json"))
		if errors.Is(err, fs.ErrNotExist) {
			return 0
		}
		if err != nil {
			t.Errorf("a killed experiment left a file that cannot be read: %v", err)
			return 9
		}
		return len(r.Runs)
	}
	trained := func() bool { // the first run is under way
		found, _ := filepath.Glob(filepath.Join(folder, "killed", "*", "checkpoint.ngebm"))
		return len(found) > 0
	}
	for i, until := range []func() bool{trained, trained, func() bool { return done() >= 1 }, func() bool { return done() >= 2 }} {
		if stop = os.Kill; i == 0 {
			stop = os.Interrupt // saves and stops
		}
		ctx, kill := context.WithTimeout(t.Context(), 2*time.Minute)
		go func() {
			for ctx.Err() == nil && !until() {
				time.Sleep(time.Millisecond)
			}
			kill()
		}()
		_, log, err := run(ctx, "killed")
		if err == nil {
			t.Fatalf("the experiment was done before it was stopped\n%s", log)
		}
		if i == 0 && !strings.Contains(log, "run the same experiment again to resume") {
			t.Errorf("SIGINT ended it with %v\n%s", err, log)
		}
	}
	before := done()
	continued, log, err := run(t.Context(), "killed")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if before < 2 || before > 3 || done() != 4 {
		t.Errorf("%d of 4 runs were done when it was killed last, %d are in the end", before, done())
	}
	if figuresOf(continued) != figuresOf(alone) || len(figuresOf(alone)) < 500 {
		t.Errorf("left alone\n%s\nkilled and continued\n%s", alone, continued)
	}
	out, err := exec.Command(bin, "merge", "-o", filepath.Join(folder, "both.json"),
		filepath.Join(folder, "alone.json"), filepath.Join(folder, "killed.json")).Output()
	if err != nil || figuresOf(string(out)) != figuresOf(alone) {
		t.Errorf("merged (%v):\n%s", err, out)
	}
	// No command replaces a file that holds what it does not make.
	note := filepath.Join(folder, "note.txt")
	if err := os.WriteFile(note, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"note.txt exists and would be replaced", []string{"merge", "-o", note, filepath.Join(folder, "alone.json")}},
		{"note.txt exists and would be replaced", []string{"experiment", "-preset", "digits-few", "-o", note}},
		{"it has results of the preset digits-few, or of other settings", []string{"experiment", "-preset", "digits", "-o", filepath.Join(folder, "alone.json")}},
	} {
		cmd := exec.Command(bin, c.args...)
		cmd.Env = append(os.Environ(), "NGEBM_RUNS="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %v\n%s", c.args, err, out)
		}
	}
}

func TestExperimentCommandLine(t *testing.T) {
	for _, c := range []struct {
		args string
		out  []string
		err  string
	}{
		{"experiment -preset cifar10-cpu -seeds 1,2,3 -dry-run", []string{"wrn-10-2 on cifar10, 20000 training examples drawn by the seed, 5000 of them held out", "21 runs, seeds 1, 2, 3", "ng-ebm-chosen", "4 runs, seeds 1, of", "input-gradient", "AutoAttack standard", "at ε = 4\n"}, ""},
		{"experiment -preset cifar10-cpu -methods cross-entropy -ensemble-linf 2 -dry-run", []string{"5 runs, seeds 1, 2, 3, 4, 5, of\n  cross-entropy\n", "at ε = 2\n", "near: interpolated, rotated"}, ""},
		{"experiment -preset cifar10-wrn28-10 -test-noise .03 -best -dry-run", []string{"normal noise of deviation 0.03 on all of them", "at the step of the highest validation accuracy"}, ""},
		{"experiment -preset cifar10-cpu -seeds 4,5 -dry-run", []string{"14 runs, seeds 4, 5", "4 runs, seeds 1, of"}, ""},
		{"experiment -preset digits-few -select-seeds x", nil, "as in -select-seeds 1,2,3"},
		{"experiment -preset digits-few -linf= -ensemble-linf 4", nil, "the ensemble of attacks has ε (-ensemble-linf) and PGD does not (-linf)"},
		{"experiment -preset digits-few -test-noise -1", nil, "the deviation of the noise on test inputs (-test-noise) is -1; it must be finite, and 0 (none) or more"},
		{"experiment -preset digits-few -ensemble-linf 1,x", nil, `"x" in -ensemble-linf is not a number`},
		{"experiment -preset digits-few -ensemble-linf 0", nil, "ε of an attack is 0 (-ensemble-linf)"},
		{"experiment -preset cifar10-wrn28-10 -dry-run", []string{"wrn-28-10 on cifar10, 5000 of them held out; 150 epochs of batches of 64", "12 runs, seeds 1, 2, 3"}, ""},
		{"experiment -methods best -preset digits-few -dry-run", nil, `unknown method "best"`},
		{"experiment -method jem -preset digits-few", nil, "give the methods to compare with -methods"},
		{"experiment -preset digits-few A.json", nil, `unexpected argument "A.json"`},
		{"experiment -preset digits-few -linf 1,x", nil, `"x" in -linf is not a number`},
		{"experiment -preset moons", nil, "holds out no validation data"},
		{"experiment -preset digits-few -seeds 1,x", nil, `"x" is not a seed`},
		{"experiment -preset digits-few -set epochs=3,beta=.2 -dry-run", nil, `-set "epochs=3,beta=.2" changes the training method, to beta=0.2, which each of -methods sets again`},
		{"experiment -preset digits-few -set augment.mixup=.2 -dry-run", nil, "to mixup, which each of -methods sets again"},
		{"experiment -preset digits-ngebm -set beta=.1,epochs=3 -dry-run", []string{"3 epochs"}, ""},
		{"experiment -preset digits-few -set data=moons,augment.pad=0 -dry-run", []string{"convnet on moons"}, ""},
		{"experiment -preset digits-few -set seed=3", nil, `-set seed="3" has no effect; give the seeds with -seeds`},
		{"experiment -preset digits-few -candidates beta=1,seed=3", nil, `the candidate "beta=1,seed=3" sets the seed`},
		{"experiment -preset digits-few -methods jem -candidates beta=1", nil, "-candidates has no effect without the method ng-ebm-chosen; add it to -methods"},
		{"experiment -preset digits-few -methods jem -select-by nonsense", nil, "-select-by has no effect"},
		{"experiment -preset cifar10-cpu -methods jem -select-seeds 3", nil, "-select-seeds has no effect"},
		{"merge none.json", nil, "none.json"},
		{"merge", nil, "no results to merge"},
		{"merge -o - a.json", nil, `-o "-": name a file`},
		{"merge -o nowhere/all.json a.json", nil, "its folder does not exist"},
		{"experiment -preset digits-few -o -", nil, "name a file, which is written after every run"},
	} {
		var out bytes.Buffer
		err := dispatch(t.Context(), strings.Fields(c.args), &out)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("ngebm %s: error %v, want %q", c.args, err, c.err)
		}
		for _, w := range c.out {
			if !strings.Contains(out.String(), w) {
				t.Errorf("ngebm %s does not print %q:\n%s", c.args, w, out.String())
			}
		}
	}
}

// The defaults of what is measured are those of the data's kind, and flags replace them.
func TestExperimentDefaults(t *testing.T) {
	categories := filepath.Join(t.TempDir(), "categories.csv")
	if err := os.WriteFile(categories, []byte("x,z,y\na,c,k\nb,d,l\n"+strings.Repeat("a,d,k\nb,c,l\na,c,l\nb,d,k\n", 5)), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][]string{
		"-preset digits-few":                                                                      {"OOD sets: interpolated, uniform noise, gaussian noise, rotated, svhn, cifar100, celeba", "ε = 1, 2, 4, 8"},
		"-preset digits-few -data cifar100-coarse@8x8x1":                                          {"rotated, svhn, celeba\n"},
		"-preset digits-few -data cifar100-c:fog/3@8x8x1":                                         {"rotated, svhn, celeba\n"},
		"-preset moons -set validation=40,warmup=5 -data csv:" + categories + "@y":                {"OOD sets: uniform box, permuted columns\n"},
		"-preset moons -set validation=40":                                                        {"OOD sets: uniform box\n", "ε = 0.05, 0.1, 0.2, 0.4"},
		"-preset moons -data csv:wine.csv@class -set validation=40,warmup=5":                      {"OOD sets: uniform box, shifted, permuted columns\n", "ε = 0.05, 0.1, 0.2, 0.4"},
		"-preset moons -data csv:wine.csv@class -set validation=40,warmup=5 -ood shifted -linf 1": {"OOD sets: shifted\n", "ε = 1 "},
	} {
		var out bytes.Buffer
		if err := dispatch(t.Context(), append([]string{"experiment", "-dry-run"}, strings.Fields(args)...), &out); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		for _, part := range want {
			if !strings.Contains(out.String(), part) {
				t.Errorf("experiment %s: the plan lacks %q:\n%s", args, part, &out)
			}
		}
	}
}

// Without flags, the experiment of a preset that was planned beforehand is the plan.
func TestExperimentIsAsPlanned(t *testing.T) {
	for _, name := range published.Plans() {
		fs := flagSet("experiment", "", "")
		var c configFlags
		c.register(fs)
		var f experimentFlags
		f.register(fs)
		if err := parse(fs, []string{"-preset", name}); err != nil {
			t.Fatal(err)
		}
		plan, err := f.plan(t.Context(), fs, c)
		if err != nil {
			t.Fatal(err)
		}
		planned, err := published.ReadPlan(name)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := json.Marshal(plan)
		want, _ := json.Marshal(planned.Plan)
		if string(got) != string(want) {
			t.Errorf("%s\n%s\nplanned:\n%s", name, got, want)
		}
	}
}

// Merged results do not replace others of the same methods and seeds.
func TestMergeReplacesOnlyItsOwn(t *testing.T) {
	r, err := published.Read("cifar10-cpu")
	if err != nil {
		t.Fatal(err)
	}
	file, out := filepath.Join(t.TempDir(), "file.json"), filepath.Join(t.TempDir(), "out.json")
	for _, path := range []string{file, out} {
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"merge", "-o", out, file}
	if err := dispatch(t.Context(), args, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	r.Runs[0].Run = "abc"
	if err := r.Write(out); err != nil {
		t.Fatal(err)
	}
	testerror.Want(t, dispatch(t.Context(), args, &bytes.Buffer{}), "out.json would be replaced", "cross-entropy, seed 1 with different configuration and data")
}

// What another process wrote to the file of an experiment is kept: it works on the same runs, or it is an
// error.
func TestResultsFileOfSeveral(t *testing.T) {
	all, err := published.Read("cifar10-cpu")
	if err != nil {
		t.Fatal(err)
	}
	runs := t.TempDir()
	for _, run := range all.Runs {
		if err := os.MkdirAll(filepath.Join(runs, "cifar10-"+run.Run), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	part := func(from, to int) *study.Results {
		r := *all
		r.Runs, r.Ensembles = all.Runs[from:to], nil
		return &r
	}
	path := filepath.Join(t.TempDir(), "results.json")
	one := resultsFile{path: path, plan: all.Plan, runs: runs}
	other := one
	if err := errors.Join(one.read(), other.read()); err != nil {
		t.Fatal(err)
	}
	for i, write := range []func() error{
		func() error { return one.write(part(0, 1)) },
		func() error { return other.write(part(1, 2)) },
		func() error { return other.write(part(1, 3)) },
		func() error { return one.write(part(3, 4)) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		if r, err := study.ReadResults(path); err != nil || len(r.Runs) != i+1 {
			t.Errorf("after %d runs the file has %d (%v)", i+1, len(r.Runs), err)
		}
	}
	if other.plan.Base.Epochs++; other.known == "" {
		t.Error("the file's identity is not known")
	}
	testerror.Want(t, other.write(part(4, 5)), "results.json would be replaced", "or of other settings", "name another file")
}

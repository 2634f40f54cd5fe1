package nb

import (
	"context"
	"os"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/environment"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/study"
	"ngebm/ngebm/study/published"
	"ngebm/ngebm/train"
	"ngebm/plots/notebook"
)

// Context ends when the cell is interrupted (■ in the toolbar): what trains then saves, and
// resumes when the cell runs again. A second interrupt ends the cell at once.
func Context() context.Context { return cellContext() }

var cellContext = sync.OnceValue(func() context.Context {
	ctx, _ := environment.Interruptible(context.Background()) // the cell's end releases it
	return ctx
})

// Backend is the device that the cell computes on: CUDA if there is one, else the CPU, or
// what $NGEBM_DEVICE names. It is opened at the first call.
func Backend() compute.Backend { return cellBackend() }

var cellBackend = sync.OnceValue(func() compute.Backend {
	return Must(environment.Open(Context(), Progress())).Backend
})

// Progress shows how far the cell's work is: as one live display below the cell.
func Progress() progress.Reporter { return cellProgress() }

var cellProgress = sync.OnceValue(func() progress.Reporter { return notebook.Reporter(os.Stderr) })

// Options are those that [Train] trains with: progress below the cell, runs in the
// notebooks' folder or in $NGEBM_RUNS, and %% --fresh to train again what is stored.
func Options() train.Options {
	return environment.Training(Progress(), *fresh)
}

// Preset returns a preset trained by a method, by their names, with some settings changed:
//
//	nb.Preset("moons", "jem", "jem.steps=5,epochs=10")
//
// Where the method is empty it is the preset's own. `ngebm train -list` shows the names.
func Preset(preset, method, settings string) ngebm.Config {
	cfg := Must(ngebm.PresetConfig(preset))
	if method != "" {
		cfg.Name = preset + "-" + method
	}
	Check(cfg.SetAll(method, settings))
	return cfg
}

// Train trains a configuration, or loads the run if that was done before.
func Train(cfg ngebm.Config) *ngebm.Run {
	run := Must(train.Run(Context(), Backend(), cfg, Options()))
	Use(run.Test.Info)
	return run
}

// CompareSeeds trains the methods of a comparison (cross-entropy, label smoothing, NG-EBM with
// weak and with the paper's weights) on a preset, with the seeds 1 to n each, and measures them;
// or it loads what was trained and measured before. options says what to measure of a run;
// more methods follow it. Where a run takes seconds, ten seeds decide what three leave open.
func CompareSeeds(n int, preset string, options func(*ngebm.Run) (measure.Options, error), more ...study.Method) []study.Compared {
	return CompareMethods(n, Preset(preset, "", ""), append(study.ComparisonMethods(), more...), Options(), options)
}

// CompareMethods is [CompareSeeds] for a configuration, methods and options of your own.
func CompareMethods(n int, cfg ngebm.Config, methods []study.Method, train train.Options,
	options func(*ngebm.Run) (measure.Options, error)) []study.Compared {
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	all := Must(study.Compare(Context(), Backend(), cfg, methods, seeds, train, options))
	Use(all[0].Runs[0].Test.Info)
	return all
}

// Results reads the results of an experiment: published ones by their name, such as
// cifar10-cpu (see published.Names), or a file that `ngebm experiment` wrote, which ends in
// .json. Its Setup has the notes of its runs.
func Results(name string) *study.Results {
	read := published.Read
	if strings.HasSuffix(name, ".json") {
		read = study.ReadResults
	}
	r := Must(read(name))
	if len(r.Runs) > 0 {
		test := r.Runs[0].Sets[2]
		Use(data.Info{Name: test.Name, Split: test.Split, Source: test.Source, Lossy: test.Lossy, Checksum: test.Checksum})
	}
	return r
}

// Sweep reads the published table of a sweep by its name, see published.Sweeps. Notes of its runs are
// shown below the cell, in one line.
func Sweep(name string) *study.SweepTable {
	t := Must(published.ReadSweep(name))
	if notes := t.NotesInShort(); notes != "" {
		Progress().Report(progress.Report{Task: name + ", " + notes, Finished: true})
	}
	return t
}

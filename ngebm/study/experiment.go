package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/cputime"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// version is raised whenever a change in this package changes what is found of a run. The
// packages that it calls are covered by ngebm.Source.
const version = 1

// Run trains what is not trained yet, measures what is not measured yet, and returns
// the results. keep, if not nil, is called with those so far whenever a run is done.
//
// What is done lies in the folders of the runs, so that an experiment that was stopped
// or killed goes on where it was when it is run again, and finds the same. Several
// processes may work on one plan with one folder of runs: each takes the next run that
// no other has taken, and every one of them ends with all the results. One that was
// stopped, by its context, SIGINT or SIGTERM, returns an error that wraps
// train.ErrStopped. Runs that diverge do not end it; their results say so.
func (p Plan) Run(ctx context.Context, backend compute.Backend, opts train.Options, keep func(*Results) error) (*Results, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	if opts.Progress == nil {
		opts.Progress = progress.Discard{}
	}
	if opts.Runs == "" {
		opts.Runs = ngebm.DefaultRuns
	}
	if keep == nil {
		keep = func(*Results) error { return nil }
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	r := &runner{plan: p, backend: backend, opts: opts, keep: keep, trained: map[string]bool{}}
	err := r.run(ctx)
	if err != nil && (ctx.Err() != nil || errors.Is(err, train.ErrStopped)) {
		return r.results, fmt.Errorf("experiment: %w; the same experiment goes on where it was", train.ErrStopped)
	}
	return r.results, err
}

// runner is an experiment under way.
type runner struct {
	plan    Plan
	backend compute.Backend
	opts    train.Options
	keep    func(*Results) error
	results *Results

	trained map[string]bool // configurations that this process has trained or loaded

	outside []*data.Dataset
	parts   *parts // of the test set, drawn once

	done, total int // runs, candidates among them
	fresh       int // of those done, trained or measured by this process
	took        time.Duration
}

func (r *runner) run(ctx context.Context) error {
	if err := r.open(ctx); err != nil {
		return err
	}
	candidates, jobs := r.plan.candidates(), r.plan.jobs(r.plan.firstCandidate())
	r.total = len(candidates) + len(jobs)
	r.report("")
	var tasks []task
	judged := make([]*judgement, len(candidates))
	for i, j := range candidates {
		tasks = append(tasks, task{j.name(), func() (*job, error) { return &j, nil }, func(ctx context.Context, j job) (fresh bool, err error) {
			judged[i], fresh, err = r.judge(ctx, j)
			return fresh, err
		}})
	}
	for _, j := range jobs {
		tasks = append(tasks, task{j.name(), func() (*job, error) { return r.settled(j, judged) }, func(ctx context.Context, j job) (bool, error) {
			result, fresh, err := r.measure(ctx, j)
			if err != nil {
				return false, err
			}
			r.results.put(*result)
			return fresh, r.keep(r.results)
		}})
	}
	return r.each(ctx, tasks)
}

// task is one run to train and to look at.
type task struct {
	name string
	job  func() (*job, error) // nil while it waits for weights to be chosen
	do   func(ctx context.Context, j job) (fresh bool, err error)
}

// settled returns a job with the weights that were chosen, where it needs them, or nil
// while candidates are still being judged.
func (r *runner) settled(j job, judged []*judgement) (*job, error) {
	if j.method != Chosen {
		return &j, nil
	}
	if slices.Contains(judged, nil) {
		return nil, nil
	}
	if r.results.Chosen == nil {
		outcome, err := r.plan.Choice.choose(judged)
		if err != nil {
			return nil, err
		}
		r.results.Chosen = outcome
	}
	j = r.plan.job(j.method, j.config.Seed, r.results.Chosen.Settings)
	return &j, nil
}

// open finds the sets from outside, and makes the results, in which no folder stands.
func (r *runner) open(ctx context.Context) error {
	_, test, err := data.Open(ctx, r.plan.Base.Data, data.Options{Limit: r.plan.Base.Limit, Cache: r.opts.Cache, Offline: r.opts.Offline, Progress: r.opts.Progress})
	if err != nil {
		return err
	}
	if r.outside, err = r.plan.Measure.find(ctx, test, r.opts); err != nil {
		return err
	}
	public := r.plan
	public.Base = public.Base.WithoutFolders()
	public.Base.Seed = public.Seeds[0]
	r.results = &Results{Format: format, Plan: public, Runs: []Result{}}
	return nil
}

// each does every task that no other process is at, until all are done.
func (r *runner) each(ctx context.Context, left []task) error {
	for len(left) > 0 {
		var waiting []task
		for _, t := range left {
			did, err := r.one(ctx, t)
			if err != nil {
				return fmt.Errorf("experiment, %s: %w", t.name, err)
			}
			if !did {
				waiting = append(waiting, t)
			}
		}
		if len(waiting) == len(left) {
			r.opts.Progress.Report(progress.Report{Task: fmt.Sprintf("wait for other processes, which are at the %d runs that are left", len(left))})
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(500 * time.Millisecond):
			}
		}
		left = waiting
	}
	r.report("")
	return nil
}

// one does a task, unless another process is at it or it has to wait.
func (r *runner) one(ctx context.Context, t task) (did bool, err error) {
	j, err := t.job()
	if err != nil || j == nil {
		return false, err
	}
	release, ok, err := r.claim(*j)
	if err != nil || !ok {
		return false, err
	}
	defer release()
	r.report(t.name)
	began := time.Now()
	fresh, err := t.do(ctx, *j)
	if err != nil {
		return false, err
	}
	if r.done++; fresh {
		r.fresh++
		r.took += time.Since(began)
	}
	return true, nil
}

// claim takes a run for this process; ok is false where another has it. A claim goes
// with its process.
func (r *runner) claim(j job) (release func(), ok bool, err error) {
	dir := filepath.Join(r.opts.Runs, "claims")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, false, fmt.Errorf("experiment: cannot make the folder of claims: %w; choose a folder of runs that can be written, with -runs or $NGEBM_RUNS", err)
	}
	folder, err := files.OpenFolder(dir)
	if err != nil {
		return nil, false, fmt.Errorf("experiment: the folder of claims %w", err)
	}
	defer folder.Close()
	sum := sha256.Sum256([]byte(j.config.String()))
	release, ok, err = folder.TryLock(hex.EncodeToString(sum[:6]) + ".lock")
	if err != nil {
		return nil, false, fmt.Errorf("experiment: cannot claim a run: %w", err)
	}
	return release, ok, nil
}

// report says how far the experiment is, between the reports of its runs. Speed and
// time left are those of runs that had to be worked on.
func (r *runner) report(what string) {
	task := "experiment " + r.plan.Preset
	if what != "" {
		task += ", next: " + what
	}
	r.opts.Progress.Report(progress.Report{
		Task: task, Unit: "runs", Done: int64(r.done), Total: int64(r.total),
		Start: int64(r.done - r.fresh), Elapsed: r.took, Finished: r.done == r.total,
	})
}

// train trains a run or loads it; why is not empty if it diverged.
func (r *runner) train(ctx context.Context, j job) (run *ngebm.Run, why string, err error) {
	opts := r.opts
	opts.Fresh = opts.Fresh && !r.trained[j.config.String()] // once in an experiment
	run, err = train.Run(ctx, r.backend, j.config, opts)
	if err == nil {
		r.trained[j.config.String()] = true
	}
	if errors.Is(err, train.ErrDiverged) {
		return run, run.History.Stopped, nil
	}
	return run, "", err
}

// measure finds all there is to find of a run, or loads it.
func (r *runner) measure(ctx context.Context, j job) (result *Result, fresh bool, err error) {
	run, why, err := r.train(ctx, j)
	if err != nil {
		return nil, false, err
	}
	defer run.Close()
	result = r.describe(run, j)
	result.Notes = run.Notes
	if result.Failed = why; why != "" {
		return result, !run.Loaded, nil
	}
	if result.Checkpoint, err = run.Checksum(); err != nil {
		return nil, false, err
	}
	folder, err := files.OpenFolder(run.Dir)
	if err != nil {
		return nil, false, fmt.Errorf("the run's folder %w", err)
	}
	defer folder.Close()
	name := "experiment-" + r.key(*result) + ".json"
	if stored, err := readResult(folder, name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		if err == nil && (stored.Run != run.Hash || stored.Checkpoint != result.Checkpoint) {
			err = fmt.Errorf("%q in %q is of run %q; delete it to measure again", name, run.Dir, stored.Run)
		}
		if err == nil {
			stored.Notes = run.Notes
		}
		return stored, !run.Loaded, err
	}
	if r.parts == nil {
		drawn, err := r.plan.Measure.draw(run.Test, r.outside)
		if err != nil {
			return nil, false, err
		}
		r.parts = &drawn
	}
	began, processor := time.Now(), cputime.Process()
	m, err := r.plan.Measure.measure(ctx, run, *r.parts, r.opts.Progress)
	if err != nil {
		return nil, false, err
	}
	result.enter(m)
	result.Measuring = Work{
		Code: ngebm.Version(), Source: ngebm.Source(), Device: files.WithoutFolders(r.backend.Description()), Machine: machine(),
		Seconds: time.Since(began).Seconds(), Process: cputime.Process() - processor,
	}
	b, err := json.Marshal(result)
	if err == nil {
		err = folder.WriteFile(name, b, 0o644)
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot store the result: %w", err)
	}
	return result, true, nil
}

// key identifies how a run was measured.
func (r *runner) key(result Result) string {
	var sets, outside []string
	for _, set := range result.Sets {
		sets = append(sets, set.Checksum)
	}
	for _, set := range r.outside {
		outside = append(outside, set.Checksum)
	}
	b, err := json.Marshal(struct {
		Version    int
		Source     string
		Checkpoint string
		Sets       []string
		Outside    []string
		Protocol   Protocol
	}{version, ngebm.Source(), result.Checkpoint, sets, outside, r.plan.Measure})
	if err != nil {
		panic(err) // Validate refuses what JSON cannot hold
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

func readResult(folder *files.Folder, name string) (*Result, error) {
	b, err := folder.ReadFile(name, maxResult)
	if err != nil {
		return nil, err
	}
	var r Result
	if err = json.Unmarshal(b, &r); err == nil {
		plain.Values(&r)
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w; delete it to measure again", filepath.Join(folder.Path(), name), err)
	}
	return &r, nil
}

// describe says what the run is and where it comes from.
func (r *runner) describe(run *ngebm.Run, j job) *Result {
	result := &Result{
		Method: j.method, Seed: j.config.Seed, Config: run.Config.WithoutFolders(), Run: run.Hash, Network: run.Config.Net,
		Sets: []Set{setOf(run.Train), setOf(run.Validation), setOf(run.Test)},
		Training: Training{Steps: run.History.Steps(), Batch: run.Config.Batch, Work: Work{
			Code: run.Cost.Code, Source: run.Cost.Source, Device: files.WithoutFolders(run.Cost.Device), Machine: machine(),
			Seconds: run.Cost.Seconds, Process: run.Cost.Process,
		}},
	}
	if run.Classifier != nil {
		result.Parameters = run.Classifier.Parameters()
	}
	return result
}

// enter takes the figures over, without what only a picture of single examples needs.
func (r *Result) enter(m measured) {
	r.Calibration, r.Energy, r.GradientNorm = m.test.Calibration, m.test.Energy, m.test.GradientNorm
	for _, d := range m.detection.OOD {
		r.Detection = append(r.Detection, Detection{d.Set.Name, d.Score, d.Report})
	}
	for _, report := range []*measure.Report{m.attacked, m.worst} {
		if report == nil {
			continue
		}
		for _, curve := range report.Robustness {
			c := *curve
			c.Broken = nil
			r.Robustness = append(r.Robustness, &c)
		}
	}
}

// machine names the kind of machine, not which.
func machine() string {
	unit := "processors"
	if runtime.NumCPU() == 1 {
		unit = "processor"
	}
	return fmt.Sprintf("%s/%s, %d %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), unit)
}

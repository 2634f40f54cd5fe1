package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/internal/cache"
	"ngebm/ngebm/internal/cputime"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// version is part of every key of a stored result: another one measures again.
const version = 1

// Run trains the plan's runs and measures each on the test set. save, unless it is nil,
// receives the results whenever a run is done, and once weights are selected; an error of save
// ends the experiment.
//
// Finished work is stored in the folders of the runs: an experiment that was interrupted,
// run again, resumes with the same results. Several processes may work on one plan with
// one folder of runs: each takes the next run that no other process has, and each returns
// all the results. Canceling ctx saves and stops; the error wraps train.ErrStopped. Runs
// that diverge do not end the experiment; their results say so. Candidates that do are not
// selected; if each has such a run, there is nothing to select, which is an error.
func (p Plan) Run(ctx context.Context, backend compute.Backend, opts train.Options, save func(*Results) error) (*Results, error) {
	if save == nil {
		save = func(*Results) error { return nil }
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.canonical()
	e := newEngine("experiment", p.Preset, backend, opts)
	e.share = true
	x := &experiment{plan: p, engine: e, save: save}
	if err := x.open(ctx); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("study: experiment: %w; run the same experiment again to resume", train.ErrStopped)
		}
		return x.results, err
	}
	jobs, err := x.jobs()
	if err != nil {
		return x.results, err
	}
	if len(jobs) == 0 { // a part without runs; its file can be merged too
		return x.results, x.save(x.results)
	}
	return x.results, e.run(ctx, jobs)
}

// experiment is a plan under way.
type experiment struct {
	plan       Plan
	engine     *engine
	save       func(*Results) error
	results    *Results
	candidates *evaluations

	oodDatasets []*data.Dataset
	validation  *data.Dataset // of Measure.OODValidation, if that is a dataset
	parts       *parts        // of the test set, drawn once

	members map[string]map[uint64]calibration.Sample // of ensembles: method, seed
}

// open finds the OOD datasets, and makes the results, which name no folder.
func (x *experiment) open(ctx context.Context) error {
	opts := x.engine.opts
	training, test, err := data.Open(ctx, x.plan.Base.Data, data.Options{Limit: x.plan.Base.Limit, Cache: opts.Cache, Offline: opts.Offline, Progress: opts.Progress})
	if err != nil {
		return err
	}
	if n := test.Len(); n < calibration.DefaultBins {
		return fmt.Errorf("study: %s has %d test examples, too few for %d calibration bins; choose data with more, hundreds for a useful value", test.Name, n, calibration.DefaultBins)
	}
	for _, kind := range x.plan.Measure.OODKinds { // before anything is trained
		if kinds := test.OODKinds(); !slices.Contains(kinds, kind) {
			return fmt.Errorf("study: OOD inputs of the kind %q (-ood) cannot be made of %s; choose from %s", kind, test.Name, strings.Join(kinds, ", "))
		}
	}
	if m := x.plan.Measure; m.AutoAttack && len(m.Linf) > 0 && len(test.Classes) < attack.MinClasses {
		return fmt.Errorf("study: AutoAttack's standard version (-autoattack) needs %d classes, and %s has %d; without the flag the ensemble takes fewer", attack.MinClasses, test.Name, len(test.Classes))
	}
	if x.oodDatasets, err = x.plan.Measure.find(ctx, test, opts); err != nil {
		return err
	}
	if x.validation, err = x.plan.Measure.findValidation(ctx, test, x.oodDatasets, opts); err != nil {
		return err
	}
	public := x.plan
	public.Base = public.Base.WithoutFolders()
	public.Base.Seed = public.Seeds[0]
	public.Done, public.Replaces = nil, nil
	x.results = &Results{Format: format, Plan: public, Runs: []Result{}}
	sets := setsOfNow{training, test, x.validation, x.plan.Base.Limit, opts}
	if x.plan.Replaces != nil {
		if err := x.plan.checkReplaced(ctx, sets); err != nil {
			return fmt.Errorf("study: the results to replace %w; name another file (-o)", err)
		}
	}
	if x.plan.Done == nil {
		return nil
	}
	kept, err := x.plan.checkDone(ctx, sets)
	if err != nil {
		return fmt.Errorf("study: the results to continue %w", err)
	}
	x.results.take(x.plan, kept)
	return nil
}

// jobs lists the candidates to evaluate, then the runs to measure.
func (x *experiment) jobs() (jobs []job, err error) {
	x.candidates = x.plan.Selection.evaluations(x.engine.opts.Progress)
	runs := slices.DeleteFunc(x.plan.partRuns(), func(r planned) bool {
		return x.results.Find(r.method, r.seed) != nil // done before
	})
	seeds := x.plan.Selection.Seeds
	if x.results.Selected != nil || !slices.ContainsFunc(runs, func(r planned) bool { return r.method == Selected }) {
		seeds = nil // selected before, or by another part
	}
	for k, seed := range seeds {
		for i, settings := range x.plan.candidates() {
			config, err := x.plan.configure(Selected, seed, settings)
			if err != nil {
				return nil, err
			}
			candidate := x.candidates.job(fmt.Sprintf("candidate %d, seed %d", i+1, seed), i, k, config)
			evaluate := candidate.evaluate
			candidate.evaluate = func(ctx context.Context, run *ngebm.Run, diverged error) (bool, error) {
				measured, release, err := x.weights(ctx, run, diverged)
				if err != nil {
					return false, err
				}
				defer release()
				return evaluate(ctx, measured, diverged)
			}
			jobs = append(jobs, candidate)
		}
	}
	for _, r := range runs {
		jobs = append(jobs, job{
			name:   r.String(),
			config: func() (*ngebm.Config, error) { return x.resolved(r) },
			evaluate: func(ctx context.Context, run *ngebm.Run, diverged error) (bool, error) {
				measured, release, err := x.weights(ctx, run, diverged)
				if err != nil {
					return false, err
				}
				defer release()
				result, fresh, err := x.measure(ctx, r, run, measured, diverged)
				if err != nil {
					return false, err
				}
				x.results.put(*result)
				if err := x.results.agree(); err != nil { // with runs of before
					return false, err
				}
				if err := x.addMember(ctx, measured, result); err != nil {
					return false, err
				}
				return fresh, x.save(x.results)
			},
		})
	}
	return jobs, nil
}

// resolved returns a run's configuration with the selected weights, if it needs them, or
// nil while candidates are not evaluated.
func (x *experiment) resolved(r planned) (*ngebm.Config, error) {
	settings := ""
	if r.method == Selected {
		if x.results.Selected == nil {
			if !x.candidates.complete() {
				return nil, nil
			}
			outcome, err := x.plan.Selection.resolve(x.candidates)
			if err != nil {
				return nil, err
			}
			x.results.Selected = outcome
			if err := x.save(x.results); err != nil { // the runs of candidates may be gone before the first run with them is done
				return nil, err
			}
		}
		settings = x.results.Selected.Settings
	}
	config, err := x.plan.configure(r.method, r.seed, settings)
	return &config, err
}

// weights returns the run with the weights that are measured: its last ones, or the best.
func (x *experiment) weights(ctx context.Context, run *ngebm.Run, diverged error) (measured *ngebm.Run, release func(), err error) {
	if !x.plan.Measure.Best || diverged != nil {
		return run, func() {}, nil
	}
	best, err := ngebm.LoadBest(ctx, x.engine.backend, run.Dir, run.Classifier.Network)
	if err != nil {
		return nil, nil, err
	}
	best.Train, best.Validation, best.Test, best.Notes, best.Loaded = run.Train, run.Validation, run.Test, run.Notes, run.Loaded
	return best, func() { best.Close() }, nil
}

// measure measures a run that was trained, with the weights of measured, or loads what was
// measured.
func (x *experiment) measure(ctx context.Context, r planned, trained, run *ngebm.Run, diverged error) (result *Result, fresh bool, err error) {
	result = describe(trained, r)
	result.Notes = run.Notes
	if diverged != nil {
		result.Failed = run.History.Stopped
		return result, false, nil
	}
	if x.validation != nil {
		result.OODValidationSet = x.validation.Checksum
	}
	if result.Checkpoint, err = run.Checksum(); err != nil {
		return nil, false, err
	}
	if err := x.draw(run); err != nil {
		return nil, false, err
	}
	computation := run.Computation()
	if len(x.plan.Measure.Detectors) > 0 {
		features, err := run.FeaturesSum()
		if err != nil {
			return nil, false, err
		}
		computation += features
	}
	name := "experiment-" + x.key(computation, *result) + ".json"
	switch stored, err := readResult(run, name, result.Checkpoint); {
	case err == nil:
		// Two methods may have one configuration, and so one run.
		stored.Method, stored.Seed, stored.Notes = r.method, r.seed, run.Notes
		stored.Config, stored.Sets, stored.TrainingSet, stored.OODValidationSet = result.Config, result.Sets, result.TrainingSet, result.OODValidationSet
		if err := stored.describe(*x.parts); err != nil {
			return nil, false, fmt.Errorf("%q in %q %w; delete it to measure again", name, run.Dir, err)
		}
		return stored, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, false, err
	}
	began, processor := time.Now(), cputime.Process()
	m, err := x.plan.Measure.measure(ctx, run, *x.parts, x.engine.opts.Progress)
	if err != nil {
		return nil, false, err
	}
	result.enter(m)
	result.Measuring = Work{
		Code: ngebm.Version(), Source: ngebm.Source(), Device: files.WithoutFolders(x.engine.backend.Description()), Machine: ngebm.Machine(),
		Seconds: time.Since(began).Seconds(), Process: cputime.Process() - processor,
	}
	return result, true, cache.Write(run.Dir, name, result)
}

// describe enters what the sets are called now, as measure.MeasureCached does.
func (r *Result) describe(s parts) error {
	if n := len(s.ood); n == 0 && len(r.Detection) > 0 || n > 0 && len(r.Detection)%n != 0 {
		return fmt.Errorf("has %d detections of %d OOD sets", len(r.Detection), n)
	}
	for i := range r.Detection {
		d, set := &r.Detection[i], s.ood[i*len(s.ood)/len(r.Detection)]
		if d.Checksum != set.Checksum {
			return errors.New("is of other OOD sets")
		}
		d.Set, d.Group = set.Name, s.groups[set.Name]
	}
	for _, c := range r.Robustness {
		c.Dataset = s.attacked.Name
	}
	return nil
}

// draw cuts the parts from the test set, once.
func (x *experiment) draw(run *ngebm.Run) error {
	if x.parts != nil {
		return nil
	}
	drawn, err := x.plan.Measure.draw(run.Test, x.oodDatasets)
	if err != nil {
		return err
	}
	drawn.validation = x.validation
	x.parts = &drawn
	return nil
}

// readResult reads a stored result of the run with these weights.
func readResult(run *ngebm.Run, name, checkpoint string) (*Result, error) {
	r, err := cache.Read[Result](run.Dir, name)
	switch {
	case err != nil:
		return nil, err
	case r.Run != run.Hash || r.Checkpoint != checkpoint:
		return nil, cache.WrongRun(run.Dir, name, r.Run)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%q in %q cannot be read: %w; delete it to measure again", name, run.Dir, err)
	}
	return r, nil
}

// key identifies how a run was measured, and by what.
func (x *experiment) key(computation string, result Result) string {
	var sets, ood []string
	for _, set := range result.Sets {
		sets = append(sets, set.Checksum)
	}
	for _, set := range x.oodDatasets {
		ood = append(ood, set.Checksum)
	}
	if x.validation != nil {
		ood = append(ood, x.validation.Checksum)
	}
	return cache.Key(struct {
		Version     int
		Computation string
		Checkpoint  string
		Sets        []string
		Outside     []string
		Protocol    Protocol
	}{version, computation, result.Checkpoint, sets, ood, x.plan.Measure})
}

// describe identifies the run, and what training it took.
func describe(run *ngebm.Run, r planned) *Result {
	result := &Result{
		Method: r.method, Seed: r.seed, Config: run.Config.WithoutFolders(), Run: run.Hash, Network: run.Config.Net,
		Sets: []DatasetInfo{infoOf(run.Train), infoOf(run.Validation), infoOf(run.Test)}, TrainingSet: run.TrainingChecksum(),
		Training: Training{Steps: run.History.Steps(), Batch: run.Config.Batch, Work: Work{
			Code: run.Cost.Code, Source: run.Cost.Source, Device: files.WithoutFolders(run.Cost.Device), Machine: run.Cost.Machine,
			Seconds: run.Cost.Seconds, Process: run.Cost.Process,
		}},
	}
	if run.Classifier != nil {
		result.Parameters = run.Classifier.Parameters()
	}
	return result
}

// enter copies the measurements, without what only figures of single examples need.
func (r *Result) enter(m measured) {
	r.Calibration, r.Energy, r.GradientNorm = m.test.Calibration, m.test.Energy, m.test.GradientNorm
	for _, d := range m.detection.OOD {
		one := Detection{Set: d.Set.Name, Checksum: d.Set.Checksum, Score: d.Score, Group: m.groups[d.Set.Name], Parameter: d.Parameter, Report: d.Report}
		if m.tuned {
			one.Is = d.Is
		}
		r.Detection = append(r.Detection, one)
	}
	for _, report := range []*measure.Report{m.attacked, m.ensemble} {
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

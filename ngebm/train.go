package ngebm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm/nets"
)

// Options say where and how a run is trained. They do not affect what comes out.
type Options struct {
	// Runs is the folder of runs; empty is [DefaultRuns].
	Runs string
	// Cache is the folder of datasets that are downloaded, and Offline forbids downloads:
	// see [data.Options].
	Cache   string
	Offline bool
	// Progress shows how far training is; nil is silence.
	Progress progress.Reporter
	// Network is a network of your own, in place of the one Config.Net names. It may be
	// made of any operation that GoMLX can differentiate twice, which the gradient norm
	// needs; graph.MaxPool is not one, use nets.MaxPool2D.
	Network nets.Network
	// TrainSet and TestSet are sets of your own, in place of those Config.Data
	// names. Config.Limit does not apply to them.
	TrainSet, TestSet *data.Dataset
	// SaveEvery is the least time between two checkpoints; 0 is five seconds.
	// Saving never takes more than about a twentieth of the time.
	SaveEvery time.Duration
	// Fresh trains again what is stored, and removes what was stored of the run.
	Fresh bool
	// Devices is the number of the backend's devices that share each step, a part of
	// the batch each; 0 is one. The batch must be a multiple of it. Losses and weights
	// are those of one device but for rounding, and a run may go on with another
	// number of devices than it began with.
	Devices int
	// Watch, if not nil, is called with the run as it is at the end of every epoch, to
	// look at what it learns while it does: its classifier may be asked anything, and
	// has the weights of that moment. Training waits for Watch, on a clock that stands
	// still, so that neither Run.Cost nor the speed in Progress counts its time. The
	// run and its history may be used during the call only, and must not be changed.
	Watch func(*Run)
}

// ErrStopped is in the error of a run that was asked to stop, by its context or
// by SIGINT or SIGTERM. It was saved, and goes on when trained again.
var ErrStopped = errors.New("stopped")

// ErrDiverged is in the error of a run whose loss became NaN or too large.
var ErrDiverged = errors.New("diverged")

// divergedAbove is the loss beyond which nothing can be learnt any more, as in
// the authors' code.
const divergedAbove = 1e8

// pureGo is what GoMLX's pure-Go backend says its name is (device.IsGo would link
// XLA into every program that only reads runs).
const pureGo = "go"

// pureGoLimit is the most weights that are trained on GoMLX's pure-Go backend,
// which is 100 to 200 times slower than XLA on convolutions.
const pureGoLimit = 100_000

// Train trains the configuration on the backend. A run that was stopped goes on
// from its last checkpoint, and ends as if it had never been; one that is complete
// is loaded. Either way the run's classifier is ready for use.
//
// While Train runs it takes SIGINT and SIGTERM as the wish to stop: it saves and
// returns the run so far with an error that wraps [ErrStopped]. If the loss
// becomes NaN, infinite or larger than 1e8, it returns the run at its last
// checkpoint, with the whole history and an error that wraps [ErrDiverged].
func Train(ctx context.Context, backend compute.Backend, cfg Config, opts Options) (*Run, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	if opts.Progress == nil {
		opts.Progress = progress.Discard{}
	}
	if opts.SaveEvery == 0 {
		opts.SaveEvery = 5 * time.Second
	}
	net, err := networkFor(cfg, opts.Network)
	if err != nil {
		return nil, err
	}
	cfg.Net = net.String()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	sharing, err := newSharing(backend, opts.Devices, cfg)
	if err != nil {
		return nil, err
	}
	if opts.Runs == "" {
		opts.Runs = DefaultRuns
	}
	opts.Devices = max(1, opts.Devices)
	r := &Run{Config: cfg, History: &History{}}
	if err := r.openData(ctx, opts); err != nil {
		return nil, err
	}
	if err := r.identify(backend, net, opts); err != nil {
		return nil, err
	}
	waiting := func() {
		opts.Progress.Report(progress.Report{Task: "wait for another process that is training " + filepath.Base(r.Dir)})
	}
	if opts.Fresh {
		if err := r.discard(ctx, waiting); err != nil {
			return nil, err
		}
	}
	if cfg.Validation > 0 {
		if r.Train, r.Validation, err = r.Train.RandomSplit(cfg.Validation, cfg.Seed, "train", "validation"); err != nil {
			return nil, err
		}
	}
	batches, err := newBatches(r.Train, cfg, 0)
	if err != nil {
		return nil, err
	}
	store, err := r.build(backend, net, opts.Runs, r.Train.Shape, r.Train.Classes, r.Test.Len())
	if err != nil {
		return nil, err
	}
	if n := r.Classifier.Parameters(); backend.String() == pureGo && n > pureGoLimit {
		return nil, fmt.Errorf("ngebm: %s has %d weights, which the pure-Go backend would train for days; get XLA with: go run ./ngebm/cmd/ngebm devices", net, n)
	}
	if r.network, err = traceNetwork(backend, net, store, r.Train.Shape, len(r.Train.Classes)); err != nil {
		return nil, err
	}
	total := cfg.Epochs * batches.StepsPerEpoch()
	if warning := cfg.WarmupWarning(total); warning != "" {
		opts.Progress.Report(progress.Report{Task: warning, Finished: true})
	}
	load := func() (done bool, err error) {
		if done, err = r.load(ctx, store, total, backend, opts); done {
			err = r.complete(ctx, opts.Progress)
		}
		return done, err
	}
	// Loading needs no lock, nor a folder that can be written.
	if done, err := load(); err != nil {
		return nil, err
	} else if done {
		return r, nil
	}
	if err := r.writeConfig(); err != nil {
		return nil, err
	}
	unlock, err := r.lock(ctx, waiting)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// Another process may have gone on with it meanwhile.
	if done, err := load(); err != nil {
		return nil, err
	} else if done {
		return r, nil
	}
	if r.Warning != "" {
		opts.Progress.Report(progress.Report{Task: r.Warning, Finished: true})
	}
	if len(r.Notes) > 0 {
		r.tell("resumed", opts.Progress)
	}
	if err := r.stamp(backend, opts.Devices); err != nil {
		return nil, err
	}
	t := &trainer{run: r, backend: backend, store: store, sharing: sharing, total: total, opts: opts, began: time.Now(), process: ProcessTime(), spent: r.Cost, first: r.History.Steps()}
	if err := t.prepare(); err != nil {
		return nil, err
	}
	defer t.close()
	return r, t.loop(ctx)
}

// openData finds the run's sets, before the validation split.
func (r *Run) openData(ctx context.Context, opts Options) (err error) {
	switch {
	case opts.TrainSet != nil && opts.TestSet != nil:
		if err := errors.Join(asMade(opts.TrainSet), asMade(opts.TestSet)); err != nil {
			return err
		}
		r.Train, r.Test = opts.TrainSet, opts.TestSet
	case opts.TrainSet != nil || opts.TestSet != nil:
		return errors.New("ngebm: only one of TrainSet and TestSet is given; give both, or neither and name the set in Config.Data")
	default:
		if r.Train, r.Test, err = data.Open(ctx, r.Config.Data, data.Options{Limit: r.Config.Limit, Cache: opts.Cache, Offline: opts.Offline, Progress: opts.Progress}); err != nil {
			return err
		}
	}
	return r.openOutliers(ctx, opts)
}

// asMade checks that a person's set is as data.New made it: its checksum stands for it in
// the run's hash.
func asMade(d *data.Dataset) error {
	made, err := data.New(*d)
	if err == nil && made.Checksum != d.Checksum {
		err = fmt.Errorf("ngebm: %s was changed after data.New made it; make it anew from what it has now", d)
	}
	return err
}

// load takes the run to its last checkpoint that is whole, if there is one, and tells whether
// it is complete: every step done and a test set evaluated.
func (r *Run) load(ctx context.Context, store *model.Store, total int, backend compute.Backend, opts Options) (done bool, err error) {
	*r.History, r.Notes, r.Warning, r.sound = History{}, nil, "", false
	if has(r.Dir, checkpointFile) {
		if err := r.readCost(); err != nil {
			return false, err
		}
		if err := r.compare(backend, opts.Devices); err != nil {
			return false, err
		}
	}
	if _, err := r.restoreLast(ctx, store); err != nil {
		return false, err
	}
	n := len(r.History.Evaluations)
	r.Loaded = r.History.Steps() == total && n > 0 && r.History.Evaluations[n-1].Split == "test"
	return r.Loaded, nil
}

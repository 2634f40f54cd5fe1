package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/nets"
)

// Options say where and how a run is trained. They do not affect the result, except for
// Network, TrainSet and TestSet.
type Options struct {
	// Runs is the folder of runs; empty is [ngebm.DefaultRuns].
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
	// names. They have one shape and the same classes, in one order. Config.Limit does not
	// apply to them.
	TrainSet, TestSet *data.Dataset
	// SaveEvery is the minimum time between two checkpoints; 0 is five seconds.
	// Saving never takes more than about a twentieth of the time.
	SaveEvery time.Duration
	// Fresh trains again what is stored, and removes what was stored of the run.
	Fresh bool
	// Devices is the number of the backend's devices that share each step, a part of
	// the batch each; 0 is one. The batch must be a multiple of it. Losses and weights
	// are those of one device but for rounding, and a run may resume with another
	// number of devices than it began with.
	Devices int
	// OnEpochEnd, if not nil, is called with the run at the end of every epoch. Its
	// classifier has the weights of that moment and may be evaluated. Training waits
	// meanwhile; neither Run.Cost nor the speed in Progress counts the time. The run
	// and its history may be used during the call only, and must not be changed.
	OnEpochEnd func(*ngebm.Run)
}

// ErrStopped is in the error of a run that was asked to stop, by its context. It was
// saved, and resumes when trained again.
var ErrStopped = errors.New("stopped")

// ErrDiverged is in the error of a run whose loss became NaN or too large.
var ErrDiverged = errors.New("diverged")

// pureGo is what GoMLX's pure-Go backend says its name is (device.IsGo would link
// XLA into every program that only reads runs).
const pureGo = "go"

// pureGoLimit is the most weights that are trained on GoMLX's pure-Go backend,
// which is 100 to 200 times slower than XLA on convolutions.
const pureGoLimit = 100_000

// Run trains the configuration on the backend. A run that was stopped resumes from its
// last checkpoint, and ends as if it had never been stopped, on one kind of machine (others
// may round differently, which Run.Notes then say); one that is complete is
// loaded. Either way the run's classifier is ready for use.
//
// If ctx ends, Run saves and returns the run so far with an error that wraps
// [ErrStopped]: let a signal cancel it, see [signal.NotifyContext]. If the loss becomes
// NaN, infinite or larger than 1e8, Run returns the run at its last checkpoint, with the
// whole history and an error that wraps [ErrDiverged]; if it has no checkpoint yet, its
// Classifier is nil.
func Run(ctx context.Context, backend compute.Backend, cfg ngebm.Config, opts Options) (*ngebm.Run, error) {
	opts = opts.withDefaults()
	cfg, net, err := cfg.Resolve(opts.Network)
	if err != nil {
		return nil, err
	}
	sharding, err := newSharding(backend, opts.Devices, cfg)
	if err != nil {
		return nil, err
	}
	setup := ngebm.Setup{Runs: opts.Runs, Network: net, Fresh: opts.Fresh}
	if err := openData(ctx, cfg, opts, &setup); err != nil {
		return nil, err
	}
	r, err := ngebm.NewRun(backend, cfg, setup)
	if err != nil {
		return nil, err
	}
	batches, err := newBatches(r.Train, cfg, 0)
	if err != nil {
		return nil, err
	}
	if n := r.Classifier.Parameters(); backend.String() == pureGo && n > pureGoLimit {
		return nil, fmt.Errorf("ngebm: %s has %d weights, which the pure-Go backend would train for days; get XLA with: go run ./ngebm/cmd/ngebm devices", net, n)
	}
	t := &trainer{run: r, backend: backend, store: r.Classifier.Store(), outliers: setup.Outliers, sharding: sharding, total: cfg.Epochs * batches.StepsPerEpoch(), opts: opts}
	if warning := cfg.WarmupWarning(t.total); warning != "" {
		t.tell(warning)
	}
	return t.trainOrLoad(ctx)
}

func (o Options) withDefaults() Options {
	if o.Progress == nil {
		o.Progress = progress.Discard{}
	}
	if o.SaveEvery == 0 {
		o.SaveEvery = 5 * time.Second
	}
	if o.Runs == "" {
		o.Runs = ngebm.DefaultRuns
	}
	return o
}

// openData finds the sets of a run, before the validation split.
func openData(ctx context.Context, cfg ngebm.Config, opts Options, s *ngebm.Setup) (err error) {
	switch {
	case opts.TrainSet != nil && opts.TestSet != nil:
		if err := errors.Join(verifyUnmodified(opts.TrainSet), verifyUnmodified(opts.TestSet)); err != nil {
			return err
		}
		s.Train, s.Test = opts.TrainSet, opts.TestSet
	case opts.TrainSet != nil || opts.TestSet != nil:
		return errors.New("ngebm: only one of TrainSet and TestSet is given; give both, or neither and name the set in Config.Data")
	default:
		if s.Train, s.Test, err = data.Open(ctx, cfg.Data, data.Options{Limit: cfg.Limit, Cache: opts.Cache, Offline: opts.Offline, Progress: opts.Progress}); err != nil {
			return err
		}
	}
	s.Outliers, err = OpenOutliers(ctx, cfg, s.Train, data.Options{Cache: opts.Cache, Offline: opts.Offline, Progress: opts.Progress})
	return err
}

// verifyUnmodified checks that a person's set is as data.New made it: its checksum stands for it in
// the run's hash.
func verifyUnmodified(d *data.Dataset) error {
	made, err := data.New(*d)
	if err == nil && made.Checksum != d.Checksum {
		err = fmt.Errorf("ngebm: dataset %s was modified after data.New; call data.New again", d)
	}
	return err
}

// OpenOutliers opens the outliers that the configuration names, for ngebm.Setup, or returns nil
// where it names none. train is the set before the validation split. Limit and Seed of the options
// are not used. A name that is neither a kind of synthetic OOD set nor a dataset is an error, and so
// is a set whose examples cannot be brought to the training set's shape, or whose rows were
// standardized otherwise.
func OpenOutliers(ctx context.Context, cfg ngebm.Config, train *data.Dataset, o data.Options) (*data.Dataset, error) {
	name := cfg.Margin.Outliers
	if name == "" {
		return nil, nil
	}
	if kinds := train.OODKinds(); slices.Contains(kinds, data.CanonicalOODKind(name)) {
		return train.SynthesizeOutliers(name, cfg.Seed)
	}
	o.Limit, o.Seed = 0, cfg.Seed
	found, _, err := data.Open(ctx, name, o)
	if err != nil {
		return nil, fmt.Errorf("ngebm: margin.outliers is %q, neither a kind of synthetic OOD set (%s) nor a dataset: %w", name, strings.Join(train.OODKinds(), ", "), err)
	}
	if slices.Equal(found.Shape, train.Shape) {
		if found.Encoder != nil && train.Encoder == nil || found.Encoder.Differs(train.Encoder) {
			return nil, fmt.Errorf("ngebm: margin.outliers is %q, whose rows were standardized by themselves, not as the training set's; name a kind of synthetic OOD set (%s)", name, strings.Join(train.OODKinds(), ", "))
		}
		return found, nil
	}
	if !train.IsImages() || !found.IsImages() {
		return nil, fmt.Errorf("ngebm: margin.outliers is %q, whose examples are shaped %v, not %v as the training set's; name a set like it", name, found.Shape, train.Shape)
	}
	return found.Resize(train.Shape[0], train.Shape[1], train.Shape[2])
}

package ngebm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"ngebm/data/plain"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/nets"
)

// Load opens a finished or unfinished run from its folder alone: the classifier
// and the history, without the data. net is needed only where the run used a
// network of your own; nil otherwise. If the last checkpoint is damaged the run is
// as it was at an earlier one, and Warning says so. Warning also says if no checksum covers
// config.json, as in runs of older versions.
//
// The folder may be untrusted: its files are checked against each other and against bounds
// before memory is allocated. If ctx ends, Load returns its error at once, and frees what it was
// building when that is complete.
func Load(ctx context.Context, backend compute.Backend, dir string, net nets.Network) (*Run, error) {
	return loadFrom(ctx, backend, dir, net, []string{ckpt.LastFile, ckpt.PreviousFile, ckpt.BestFile}, (*Run).restoreLast)
}

// LoadBest is Load at the step whose validation accuracy was highest (of equals, whose
// loss was lowest) up to now; the history ends there.
func LoadBest(ctx context.Context, backend compute.Backend, dir string, net nets.Network) (*Run, error) {
	r, err := loadFrom(ctx, backend, dir, net, []string{ckpt.BestFile}, func(r *Run, ctx context.Context) (bool, error) {
		return r.restore(ctx, ckpt.BestFile)
	})
	if errors.Is(err, errNoCheckpoint) {
		return nil, fmt.Errorf("ngebm: %q holds no best checkpoint; set validation to hold examples out, and train to an evaluation", dir)
	}
	return r, err
}

// errNoCheckpoint is in the error of a folder that has a configuration and no
// checkpoint.
var errNoCheckpoint = errors.New("no checkpoint: it was stopped before the first, or diverged")

var errNoBackend = errors.New("ngebm: the backend is nil; open one with device.Open")

// loadFrom loads a run from the first intact one of the checkpoints.
func loadFrom(ctx context.Context, backend compute.Backend, dir string, net nets.Network, checkpoints []string, restore func(*Run, context.Context) (bool, error)) (*Run, error) {
	if backend == nil {
		return nil, errNoBackend
	}
	info, cfg, err := readInfo(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ngebm: %q holds no run: there is no %s in it", dir, ckpt.ConfigFile)
	}
	if err != nil {
		return nil, err
	}
	known, err := cfg.findNetwork(net)
	if err != nil && net == nil {
		return nil, fmt.Errorf("ngebm: the run in %q: %w; a network of your own must be given to Load", dir, err)
	}
	if err != nil {
		return nil, err
	}
	net = known
	if !isOwn(net) && info.Training != "" && cfg.Hash(info.Training) != info.Hash {
		return nil, fmt.Errorf("ngebm: %q was changed: its settings and its data have the hash %s, and it says %q; get the folder from where it was trained", filepath.Join(dir, ckpt.ConfigFile), cfg.Hash(info.Training), info.Hash)
	}
	r := &Run{Config: cfg, Hash: info.Hash, Dir: dir, History: &History{}, Loaded: true, training: info.Training, backend: backend}
	if err := checkHeaders(dir, checkpoints, net, info); err != nil {
		return nil, err
	}
	if err := r.readCost(); err != nil {
		return nil, err
	}
	built := make(chan error, 1)
	go func() { built <- r.fill(ctx, net, info, restore) }()
	select {
	case err = <-built:
		if err != nil {
			r.Close()
			return nil, err
		}
		return r, nil
	case <-ctx.Done():
		go func() {
			<-built
			r.Close()
		}()
		return nil, fmt.Errorf("ngebm: loading %q: %w", dir, context.Cause(ctx))
	}
}

// fill builds the network and gives it the weights of a checkpoint.
func (r *Run) fill(ctx context.Context, net nets.Network, info runInfo, restore func(*Run, context.Context) (bool, error)) error {
	if err := r.build(net, info.Encoder, info.Shape, info.Data.Classes, evaluationBatch); err != nil {
		return err
	}
	if err := r.compare(0); err != nil {
		return err
	}
	found, err := restore(r, ctx)
	if err == nil && !found {
		err = fmt.Errorf("ngebm: the run in %q has %w; train it with its configuration, or with another if it diverged (its history.csv has its last losses)", r.Dir, errNoCheckpoint)
	}
	if err == nil {
		r.warnUnsealed()
	}
	return err
}

// warnUnsealed adds to the warning where what config.json says of the classifier cannot be
// checked. Older programs wrote runs like that, and who changes one can make it so.
func (r *Run) warnUnsealed() {
	var lacks []string
	if !r.sealed {
		lacks = append(lacks, "a seal in "+string(r.loadedFrom))
	}
	if r.training == "" {
		lacks = append(lacks, "the checksum of its training data in "+ckpt.ConfigFile)
	}
	if len(lacks) == 0 {
		return
	}
	warning := fmt.Sprintf("the run lacks %s, as those of older programs do, so that no checksum covers the class names, the shape and the settings in %s; if it is not your own, get it from where it was trained",
		strings.Join(lacks, " and "), ckpt.ConfigFile)
	if r.Warning != "" {
		warning = r.Warning + "; " + warning
	}
	r.Warning = warning
}

// checkHeaders returns an error unless one of the checkpoints has the weights of the
// network that config.json names, by their names and shapes. Nothing is built before.
func checkHeaders(dir string, checkpoints []string, net nets.Network, info runInfo) error {
	folder, err := openFolder(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	var first error
	for i, name := range checkpoints {
		head, err := ckpt.ReadHeader(folder, name, func(head ckpt.Header) error {
			_, err := historyOf(head)
			return err
		})
		if i == 0 && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ngebm: the run in %q has %w; train it with its configuration, or with another if it diverged (its history.csv has its last losses)", dir, errNoCheckpoint)
		}
		if err == nil {
			if err = hasWeightsOf(head, net, info); err == nil {
				return nil
			}
			err = fmt.Errorf("ngebm: checkpoint %q is of another architecture than %s, which %s names: %w; get the folder whole", filepath.Join(dir, name), net, ckpt.ConfigFile, err)
		}
		if first == nil {
			first = err
		}
	}
	if wrong := (*ckpt.DamagedError)(nil); errors.As(first, &wrong) {
		return fmt.Errorf("%w; get the folder whole, or delete the file to train the run again", first)
	}
	return first
}

// hasWeightsOf compares the header with the weights of one of the networks that have
// names; those of a person's own are known when they are built.
func hasWeightsOf(h ckpt.Header, net nets.Network, info runInfo) error {
	known, ok := net.(nets.Sized)
	if !ok {
		return nil
	}
	there := map[string][]int{}
	for _, t := range h.Tensors {
		there[t.Name] = t.Shape
	}
	for name, dims := range known.Weights(info.Shape, len(info.Data.Classes)) {
		name = "/" + ckpt.NetworkScope + "/" + name
		if have, ok := there[name]; !ok || !slices.Equal(have, dims) {
			return fmt.Errorf("weight %s is %v in the file and %v in the network", name, have, dims)
		}
	}
	return nil
}

// Restore takes the run to its last intact checkpoint, if its folder has one, and
// reports whether it is complete: every step done and a test set evaluated. Notes and Warning
// then say what to know of it. devices is the number that would train it; 0 leaves that out
// of the comparison.
func (r *Run) Restore(ctx context.Context, devices int) (complete bool, err error) {
	*r.History, r.Cost, r.Notes, r.Warning, r.verified = History{}, Cost{}, nil, "", false
	if r.HasCheckpoint() {
		if err := r.readCost(); err != nil {
			return false, err
		}
		if err := r.compare(devices); err != nil {
			return false, err
		}
	}
	found, err := r.restoreLast(ctx)
	switch {
	case err != nil:
		return false, err
	case !found && r.loadedFrom != "": // the store has weights that no checkpoint has any more
		return false, fmt.Errorf("ngebm: the checkpoint of %q was removed after this process had read it; run the command again", r.Dir)
	}
	h := r.History
	n := len(h.Evaluations)
	r.Loaded = n > 0 && h.Evaluations[n-1].Split == "test" && h.Steps() == r.Config.Epochs*h.StepsPerEpoch
	return r.Loaded, nil
}

// restoreLast restores the last intact checkpoint. It returns false if there is
// no last one, whatever else is there: a person took it away to restart training.
func (r *Run) restoreLast(ctx context.Context) (bool, error) {
	found, err := r.restore(ctx, ckpt.LastFile)
	if wrong := (*ckpt.DamagedError)(nil); !errors.As(err, &wrong) {
		return found, err
	}
	for _, file := range []string{ckpt.PreviousFile, ckpt.BestFile} {
		if found, e := r.restore(ctx, file); found && e == nil {
			r.Warning = plain.Text(fmt.Sprintf("%s; %s, of step %d, was taken in its place", err, file, r.History.Steps()))
			return true, nil
		}
	}
	return false, fmt.Errorf("%w; delete it to restart training", err)
}

// restore puts the checkpoint's values into the store, which holds the network's
// fresh weights, and its history into the run. It returns false if there is no
// checkpoint.
func (r *Run) restore(ctx context.Context, file string) (bool, error) {
	folder, err := openFolder(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer folder.Close()
	if err := r.Classifier.calls.begin(); err != nil {
		return false, err
	}
	defer r.Classifier.calls.end()
	store := r.Classifier.store
	var history History
	c, err := ckpt.Read(ctx, folder, file, func(head ckpt.Header) (err error) {
		if history, err = historyOf(head); err != nil {
			return err
		}
		return r.fits(head, history)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	weights, err := history.setCurves(c.Tensors)
	if err != nil {
		return false, fmt.Errorf("ngebm: %w", err)
	}
	r.auxState, r.sealed = nil, c.Seal != ""
	there := map[string]bool{}
	for _, t := range weights {
		there[t.Name] = true
		if t.Name == ckpt.AuxState {
			r.auxState = t.Value
			continue
		}
		if v := store.GetVariable(t.Name); v != nil {
			if err := v.SetValue(t.Value); err != nil {
				return false, fmt.Errorf("ngebm: weight %s: %w", t.Name, err)
			}
			continue
		}
		v, err := store.CreateVariable(t.Name, t.Value)
		if err != nil {
			return false, fmt.Errorf("ngebm: variable %s: %w", t.Name, err)
		}
		v.SetTrainable(t.Trainable)
	}
	// What the file does not have was not there yet: the optimizer's moments before
	// the first step.
	for v := range store.IterVariables() {
		if v.HasValue() && !there[v.Path()] {
			if err := v.Reset(); err != nil {
				return false, fmt.Errorf("ngebm: variable %s: %w", v.Path(), err)
			}
		}
	}
	*r.History = history
	r.loadedFrom, r.storedStep = Checkpoint(file), history.Steps()
	r.verified = r.verified || file == ckpt.LastFile
	return true, nil
}

// fits compares a checkpoint's header with the run and with the network, whose weights
// are in the store.
func (r *Run) fits(head ckpt.Header, history History) error {
	if head.Hash != r.Hash {
		return fmt.Errorf("belongs to run %.60q, not to %s; move it back, or delete it to train this run again", head.Hash, r.Hash)
	}
	if head.Seal != "" && head.Seal != r.seal() {
		return fmt.Errorf("was saved with another %s: the class names, the shape, the network or the data were changed in it; get the folder from where it was trained, or train the configuration again, which writes both", ckpt.ConfigFile)
	}
	if err := r.pastFits(head.Step, history); err != nil {
		return fmt.Errorf("%w; get the folder from where it was trained, or delete the file to restart training", err)
	}
	mismatch := func(format string, args ...any) error {
		return fmt.Errorf("is of another architecture than %s: %s; give the network that the run was trained with, or delete the file to restart training", r.Classifier.Network, fmt.Sprintf(format, args...))
	}
	store := r.Classifier.store
	wanted, numbers := 0, 0
	likeWeights := map[string]bool{} // the shapes that an optimizer's variables may have
	for v := range store.IterVariables() {
		if ckpt.IsWeight(v.Path()) {
			wanted++
			numbers += v.Shape().Size()
			likeWeights[fmt.Sprint(v.Shape().Dimensions)] = true
		}
	}
	others := 0
	for _, t := range head.Tensors[2+len(history.Terms):] {
		shape, err := t.GoMLX()
		if err != nil {
			return err
		}
		v := store.GetVariable(t.Name)
		switch {
		case t.Name == ckpt.AuxState:
			if want := shapes.Make(dtypes.Float32, append([]int{r.Config.JEM.Buffer}, r.Classifier.Shape...)...); !r.Config.JEM.Enabled() || !shape.Equal(want) {
				return fmt.Errorf("does not fit its configuration: the replay buffer is %s; this run's holds %d samples shaped %v; delete it to restart training", shape, r.Config.JEM.Buffer, r.Classifier.Shape)
			}
		case v != nil && !v.Shape().Equal(shape):
			return mismatch("weight %s is %s in the file and %s in the network", t.Name, shape, v.Shape())
		case v == nil && ckpt.IsWeight(t.Name):
			return mismatch("the network has no weight %s", t.Name)
		case v == nil:
			if others += shape.Size(); others > maxOthers+8*numbers || shape.Size() > maxOthers && !likeWeights[fmt.Sprint(shape.Dimensions)] {
				return fmt.Errorf("has a variable %s of %s, which no optimizer of this network keeps; delete the file to restart training", t.Name, shape)
			}
		}
		if ckpt.IsWeight(t.Name) {
			wanted--
		}
	}
	if wanted != 0 {
		return mismatch("the file lacks %d of the network's weights", wanted)
	}
	return nil
}

// maxOthers is the most numbers of a variable that is not shaped like a weight: counters
// and the states of random number generators.
const maxOthers = 1 << 12

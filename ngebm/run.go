package ngebm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/renameio/v2"

	"ngebm/data"
	"ngebm/ngebm/nets"
)

// Run is a training run: what was asked, what came of it, and where it lives.
type Run struct {
	Config     Config
	Hash       string // see Config.Hash
	Dir        string // its folder, <runs>/<name>-<hash>
	History    *History
	Classifier *Classifier
	// Train, Validation and Test are the sets as the run used them. Validation
	// is nil if none was held out; all are nil after Load, which needs no data.
	Train, Validation, Test *data.Dataset
	// Loaded tells that the run was complete and nothing was trained.
	Loaded bool
	// Cost is what the run took so far, over all the processes it took.
	Cost Cost

	outliers *data.Dataset   // what Config.Margin names, or nil
	kept     *tensors.Tensor // the companion's state in the checkpoint that was read or written last, or nil
}

// Cost is what a run took.
type Cost struct {
	Seconds float64 `json:"seconds"` // of training, evaluations and saving included
	Device  string  `json:"device"`  // the backend's own description
	// DataWait is how many of the seconds training waited for batches.
	DataWait float64 `json:"data_wait"`
	// Process is the processor time in seconds, of all cores together, that the
	// processes took meanwhile, whatever they did; 0 where the system does not tell.
	Process float64 `json:"process_seconds,omitempty"`
	// Code is the version of the code that took the last step; see Version.
	Code string `json:"code,omitempty"`
}

// The files in a run's folder.
const (
	configFile     = "config.json"
	checkpointFile = "checkpoint.ngebm"
	historyFile    = "history.csv"
	costFile       = "cost.json"
	lockFile       = "lock"
)

// runInfo is what config.json holds: enough to use the run without its data.
type runInfo struct {
	Hash      string          `json:"hash"`
	Algorithm int             `json:"algorithm"`
	Config    json.RawMessage `json:"config"`
	Data      data.Info       `json:"data"`
	Shape     []int           `json:"shape"`
}

// RunsDir is the folder of runs where none is named: $NGEBM_RUNS, else "runs" in
// the current folder.
func RunsDir() string {
	if dir := os.Getenv("NGEBM_RUNS"); dir != "" {
		return dir
	}
	return "runs"
}

var unsafeInNames = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

// dirName is the folder of a run within the folder of runs.
func dirName(cfg Config, hash string) string {
	name := cfg.Name
	if name == "" {
		set, _, _ := strings.Cut(cfg.Data, ":")
		name = set + "-" + cfg.Net
	}
	return strings.Trim(unsafeInNames.ReplaceAllString(name, "-"), "-.") + "-" + hash
}

// Load opens a finished or unfinished run from its folder alone: the classifier
// and the history, without the data. net is needed only where the run used a
// network of your own; nil otherwise.
func Load(backend compute.Backend, dir string, net nets.Network) (*Run, error) {
	raw, err := os.ReadFile(filepath.Join(dir, configFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ngebm: %s holds no run: there is no %s in it", dir, configFile)
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm: %w", err)
	}
	var info runInfo
	if err := json.Unmarshal(raw, &info); err != nil {
		return nil, fmt.Errorf("ngebm: %s in %s cannot be read: %w", configFile, dir, err)
	}
	cfg, err := parseConfig(info.Config)
	if err != nil {
		return nil, fmt.Errorf("ngebm: %s in %s: %w", configFile, dir, err)
	}
	if net, err = networkFor(cfg, net); err != nil {
		return nil, err
	}
	r := &Run{Config: cfg, Hash: info.Hash, Dir: dir, History: &History{}, Loaded: true}
	r.Config.Start = "" // the weights that it started from are not needed any more
	store, err := r.build(backend, net, "", info.Shape, info.Data.Classes, evaluationBatch)
	if err != nil {
		return nil, err
	}
	r.Config.Start = cfg.Start
	found, err := r.restore(store, checkpointFile)
	if err == nil && !found {
		err = fmt.Errorf("ngebm: the run in %s was stopped before its first checkpoint; train it with its configuration", dir)
	}
	if err != nil {
		return nil, err
	}
	return r, r.readCost()
}

// build makes the run's weights and the classifier that uses them, or their average.
func (r *Run) build(backend compute.Backend, net nets.Network, runs string, shape []int, classes []string, examples int) (*model.Store, error) {
	store := newStore(r.Config)
	var err error
	if r.Classifier, err = newClassifier(backend, net, store, networkScope, shape, classes, examples); err != nil {
		return nil, err
	}
	// A run that has a checkpoint goes on from there, wherever it once started from.
	if _, err := os.Stat(filepath.Join(r.Dir, checkpointFile)); err != nil && r.Config.Start != "" {
		if err := startFrom(store, runs, r.Config.Start); err != nil {
			return nil, err
		}
	}
	if r.Config.EMA == 0 {
		return store, nil
	}
	if err := addAverages(store); err != nil {
		return nil, fmt.Errorf("ngebm: the average of the weights: %w", err)
	}
	r.Classifier, err = newClassifier(backend, net, store, averageScope, shape, classes, examples)
	return store, err
}

func newStore(cfg Config) *model.Store {
	store := model.NewStore()
	nets.Seed(store, cfg.Seed)
	// For networks that use GoMLX's own initialisers or dropout.
	if err := store.SetRNGStateFromSeed(int64(cfg.Seed)); err != nil {
		panic(err) // fails only on a store that has values on a device
	}
	return store
}

func networkFor(cfg Config, own nets.Network) (nets.Network, error) {
	if own == nil {
		return nets.Parse(cfg.Net)
	}
	if cfg.Net != "" && cfg.Net != own.String() {
		return nil, fmt.Errorf("ngebm: the configuration names the network %q, but the one given is %q; leave net empty or make them equal", cfg.Net, own)
	}
	return own, nil
}

// restore puts the checkpoint's values into the store, which holds the network's
// fresh weights, and its history into the run. It returns false if there is no
// checkpoint.
func (r *Run) restore(store *model.Store, file string) (bool, error) {
	path := filepath.Join(r.Dir, file)
	c, err := readCheckpoint(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if c.hash != r.Hash {
		return false, fmt.Errorf("ngebm: checkpoint %s belongs to run %s, not to %s; move it back, or delete it to train this run anew", path, c.hash, r.Hash)
	}
	mismatch := func(what string) error {
		return fmt.Errorf("ngebm: checkpoint %s is of another architecture than %s: %s; give the network that the run was trained with, or delete the file to train anew", path, r.Classifier.Network, what)
	}
	wanted := 0
	for v := range store.IterVariables() {
		if isWeight(v.Path()) {
			wanted++
		}
	}
	r.kept = nil
	there := map[string]bool{}
	for _, t := range c.weights {
		there[t.name] = true
		if t.name == companionState {
			r.kept = t.value
			continue
		}
		if isWeight(t.name) {
			wanted--
		}
		if v := store.GetVariable(t.name); v != nil {
			if !v.Shape().Equal(t.value.Shape()) {
				return false, mismatch(fmt.Sprintf("weight %s is %s in the file and %s in the network", t.name, t.value.Shape(), v.Shape()))
			}
			if err := v.SetValue(t.value); err != nil {
				return false, fmt.Errorf("ngebm: weight %s: %w", t.name, err)
			}
			continue
		}
		if isWeight(t.name) {
			return false, mismatch("the network has no weight " + t.name)
		}
		v, err := store.CreateVariable(t.name, t.value)
		if err != nil {
			return false, fmt.Errorf("ngebm: variable %s: %w", t.name, err)
		}
		v.SetTrainable(t.trainable)
	}
	if wanted != 0 {
		return false, mismatch(fmt.Sprintf("the file lacks %d of the network's weights", wanted))
	}
	// What the file does not have was not there yet: the optimiser's moments before
	// the first step.
	for v := range store.IterVariables() {
		if v.HasValue() && !there[v.Path()] {
			if err := v.Reset(); err != nil {
				return false, fmt.Errorf("ngebm: variable %s: %w", v.Path(), err)
			}
		}
	}
	*r.History = c.history
	return true, nil
}

// isWeight tells whether a variable is one of the network's weights, or their average.
func isWeight(path string) bool {
	return strings.HasPrefix(path, "/"+networkScope+"/") || strings.HasPrefix(path, "/"+averageScope+"/")
}

// companionState is the name in a checkpoint of what the run's companion needs to go
// on.
const companionState = "companion:state"

// save writes the run's state: the checkpoint in the given file, and beside it what
// the run cost. kept is what its companion needs to go on, if it has one that does.
func (r *Run) save(store *model.Store, kept *tensors.Tensor, file string) error {
	c := checkpoint{hash: r.Hash, step: r.History.Steps(), history: *r.History}
	if kept != nil {
		c.weights = append(c.weights, namedTensor{companionState, false, kept})
	}
	for v := range store.IterVariables() {
		if !v.HasValue() {
			continue // the optimiser's, before the first step
		}
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("ngebm: variable %s cannot be saved: %w", v.Path(), err)
		}
		c.weights = append(c.weights, namedTensor{v.Path(), v.Trainable, value})
	}
	if err := writeCheckpoint(filepath.Join(r.Dir, file), c); err != nil {
		return err
	}
	return writeJSON(filepath.Join(r.Dir, costFile), r.Cost)
}

func (r *Run) readCost() error {
	raw, err := os.ReadFile(filepath.Join(r.Dir, costFile))
	if err == nil {
		err = json.Unmarshal(raw, &r.Cost)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ngebm: %s in %s: %w; delete the file, only the record of the run's cost is lost", costFile, r.Dir, err)
	}
	return nil
}

// writeConfig makes the run's folder and puts config.json in it.
func (r *Run) writeConfig() error {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return fmt.Errorf("ngebm: cannot make the run's folder: %w; choose a folder of runs that can be written, with -runs or $NGEBM_RUNS", err)
	}
	cfg, err := json.Marshal(r.Config)
	if err != nil {
		return fmt.Errorf("ngebm: %w", err)
	}
	return writeJSON(filepath.Join(r.Dir, configFile), runInfo{r.Hash, algorithm, cfg, r.Train.Info, r.Train.Shape})
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = renameio.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("ngebm: cannot write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// lock makes this process the run's only writer, waiting for another to finish;
// waiting is called once if it has to. The lock goes with its process.
func (r *Run) lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	l := flock.New(filepath.Join(r.Dir, lockFile))
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		_, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("ngebm: stopped while waiting for another process that is training %s", r.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm: cannot lock the run's folder: %w; choose a folder of runs that can be written, with -runs or $NGEBM_RUNS", err)
	}
	// What a killed writer left beside the files it meant to replace.
	left, _ := filepath.Glob(filepath.Join(r.Dir, ".*")) // the pattern is well-formed
	for _, path := range left {
		_ = os.Remove(path) // if it cannot be removed it only takes room
	}
	return func() { _ = l.Close() }, nil
}

// Checksum returns the SHA-256 of the run's checkpoint, in hex: it identifies the
// weights, whatever trained them.
func (r *Run) Checksum() (string, error) {
	b, err := os.ReadFile(filepath.Join(r.Dir, checkpointFile))
	if err != nil {
		return "", fmt.Errorf("ngebm: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

package ngebm

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/ngebm/internal/netgraph"
	"ngebm/ngebm/nets"
)

// Run is a training run: what was asked, what came of it, and where it lives.
//
// Its folder keeps three checkpoints, each a whole one: the last, the one before it,
// and, where there is a validation set, the one with the highest validation accuracy
// (of equals, the lowest loss). A last one that turns out to be damaged is passed over
// for the one before it, and that for the best; training goes on from there, and ends
// with the same weights to the last bit. Without its last checkpoint a run begins anew.
type Run struct {
	Config     Config
	Hash       string // see Config.Hash; with a network of a person's own, of its graph and initial weights too
	Dir        string // its folder, <runs>/<name>-<hash>
	History    *History
	Classifier *Classifier
	// Train, Validation and Test are the sets as the run used them. Validation
	// is nil if none was held out; all are nil after Load, which needs no data.
	Train, Validation, Test *data.Dataset
	// Loaded tells that the run was complete and nothing was trained.
	Loaded bool
	// Notes say in what a stored run could differ from one that would be trained now:
	// other code, another device, a network or a test set that cannot be compared.
	Notes []string
	// Cost is what the run took so far, over all the processes it took.
	Cost Cost
	// Warning says which checkpoint was found damaged, and which was taken in its place,
	// and, of [Load], that nothing vouches for what config.json says, as of runs that
	// older programs trained. It is empty where all is well.
	Warning string

	network  netgraph.Graph
	training string          // checksum of all training examples, before the validation split, and of outliers; empty where it is not known
	outliers *data.Dataset   // what Config.Margin names, or nil
	kept     *tensors.Tensor // the companion's state in the checkpoint that was read or written last, or nil
	file     string          // of the checkpoint that the weights were last read from or written to; empty before
	sealed   bool            // the checkpoint that was read last seals what config.json says
	sound    bool            // the last checkpoint was read or written by this process
}

// Cost is what a run took.
type Cost struct {
	Seconds float64 `json:"seconds"` // of training, evaluations and saving included
	Device  string  `json:"device"`  // the backend's own description, without folders
	// DataWait is how many of the seconds training waited for batches.
	DataWait float64 `json:"data_wait"`
	// Process is the processor time in seconds, of all cores together, that the
	// processes took meanwhile, whatever they did; 0 where the system does not tell.
	Process float64 `json:"process_seconds,omitempty"`
	// Code is the version of the code that took the last step; see Version.
	Code string `json:"code,omitempty"`
	// Maker took the last step, Earlier those before it where that was another.
	Maker
	Earlier []Maker `json:"earlier,omitempty"`
	// Trained is when the run was last saved.
	Trained time.Time `json:"trained,omitzero"`
}

// Maker is what steps were taken by.
type Maker struct {
	Source    string `json:"source,omitempty"`    // the code, see the function Source
	Libraries string `json:"libraries,omitempty"` // versions of the modules that computed
	Kind      string `json:"kind,omitempty"`      // of device, "xla:cpu"
	Devices   int    `json:"devices,omitempty"`   // that shared each step
}

// The files in a run's folder.
const (
	configFile     = "config.json"
	checkpointFile = "checkpoint.ngebm" // the last
	previousFile   = "previous.ngebm"   // the one before it
	bestFile       = "best.ngebm"       // the best on the validation set
	historyFile    = "history.csv"
	costFile       = "cost.json"
	lockFile       = "lock"
)

// DefaultRuns is the folder of runs where none is named, in the current folder.
const DefaultRuns = "runs"

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

// build makes the run's weights and the classifier that uses them, or their average.
func (r *Run) build(backend compute.Backend, net nets.Network, runs string, shape []int, classes []string, examples int) (*model.Store, error) {
	if err := fitsCheckpoint(net, shape, len(classes)); err != nil {
		return nil, err
	}
	store := newStore(r.Config)
	var err error
	if r.Classifier, err = newClassifier(backend, net, store, networkScope, shape, classes, examples); err != nil {
		return nil, err
	}
	// A run that has a checkpoint goes on from there, wherever it once started from.
	if r.Config.Start != "" && !has(r.Dir, checkpointFile) {
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
		return nil, fmt.Errorf("ngebm: the configuration names the network %.60q, but the one given is %q; leave net empty or make them equal", cfg.Net, own)
	}
	return own, nil
}

// isWeight tells whether a variable is one of the network's weights, or their average.
func isWeight(path string) bool {
	return strings.HasPrefix(path, "/"+networkScope+"/") || strings.HasPrefix(path, "/"+averageScope+"/")
}

// companionState is the name in a checkpoint of what the run's companion needs to go
// on.
const companionState = "companion:state"

// save writes the run's state in the given file, and, with the last checkpoint, what
// the run cost so far. kept is what its companion needs to go on, if it has one that does.
func (r *Run) save(store *model.Store, kept *tensors.Tensor, file string) error {
	c := checkpoint{hash: r.Hash, seal: r.seal(), step: r.History.Steps(), history: *r.History}
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
	if file != checkpointFile {
		return r.inFolder("the checkpoint", func(f *files.Folder) error { return writeCheckpoint(f, file, "", c) })
	}
	keep := ""
	if r.sound { // else what is there may be the damaged one, and the one before it is what there is
		keep = previousFile
	}
	return r.inFolder("the checkpoint", func(f *files.Folder) error {
		if err := writeCheckpoint(f, file, keep, c); err != nil {
			return err
		}
		r.file, r.sound = file, true
		r.Cost.Trained = time.Now().UTC().Truncate(time.Second)
		return r.writeJSON(costFile, r.Cost)
	})
}

func (r *Run) readCost() error {
	raw, err := r.readFile(costFile, maxCost)
	if err == nil {
		err = json.Unmarshal(raw, &r.Cost)
	}
	if err == nil {
		err = r.Cost.check()
	}
	plain.Values(&r.Cost)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ngebm: %s in %q: %w; delete the file, only the record of the run's cost is lost", costFile, r.Dir, err)
	}
	return nil
}

// Checksum returns the SHA-256 of the checkpoint that the run was last at, in hex: it
// identifies the weights, whatever trained them.
func (r *Run) Checksum() (string, error) {
	sum := sha256.New()
	folder, err := openFolder(r.Dir)
	if err != nil {
		return "", err
	}
	defer folder.Close()
	file, err := folder.Open(cmp.Or(r.file, checkpointFile), maxCheckpoint)
	if err != nil {
		return "", fmt.Errorf("ngebm: %w", err)
	}
	defer file.Close()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("ngebm: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// WithoutTest returns a copy of the run that holds nothing of the test set: neither the
// set nor evaluations on it. What settings are chosen by sees only such a run.
func (r *Run) WithoutTest() *Run {
	hidden, history := *r, *r.History
	hidden.Notes = slices.DeleteFunc(slices.Clone(r.Notes), func(note string) bool { return note == otherTestSet })
	history.Evaluations = slices.DeleteFunc(slices.Clone(history.Evaluations), func(e Evaluation) bool { return e.Split == "test" })
	hidden.Test, hidden.History = nil, &history
	return &hidden
}

// Close frees the run's weights and executables, on the host and on the device; the
// garbage collector does not see these. The run and its classifier cannot be used
// afterwards.
func (r *Run) Close() {
	if r.Classifier == nil { // it diverged before its first checkpoint
		return
	}
	r.Classifier.forward.Finalize()
	r.Classifier.withGradient.Finalize()
	r.Classifier.store.Finalize()
}

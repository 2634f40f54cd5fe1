package ngebm

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/data/plain"
	"ngebm/data/tabular"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/netgraph"
	"ngebm/ngebm/nets"
)

// Run is a training run: its configuration, its results and its folder.
//
// Its folder keeps three checkpoints, each complete: the last, the one before it,
// and, where there is a validation set, the one with the highest validation accuracy
// (of equals, the lowest loss). A last one that turns out to be damaged is skipped
// for the one before it, and that for the best; training resumes from there, and ends
// with the same weights to the last bit. A run whose last checkpoint is missing starts
// again from the beginning.
//
// Package train trains one. A training loop of your own does the same with its methods:
// [NewRun], [Run.Restore], [Run.Lock], [Run.RecordMaker], then steps that change the weights
// in the classifier's [Classifier.Store], with [Run.Evaluate] and [Run.Save] in between.
type Run struct {
	Config  Config
	Hash    string // see Config.Hash; with a network of your own it covers its graph and initial weights, too
	Dir     string // its folder, <runs>/<name>-<hash>
	History *History
	// Classifier is nil if the run diverged before its first checkpoint: there are no weights to
	// go back to, and the run is only for reading what training recorded.
	Classifier *Classifier
	// Train, Validation and Test are the sets as the run used them. Validation
	// is nil if none was held out; all are nil after Load, which needs no data.
	Train, Validation, Test *data.Dataset
	// Loaded reports that the run was complete and nothing was trained.
	Loaded bool
	// Notes say how a stored run may differ from one that would be trained now:
	// other code, another device, a network or a test set that cannot be compared.
	Notes []string
	// Cost is what the run took so far, over all the processes it took.
	Cost Cost
	// Warning says which checkpoint is damaged and which replaces it. After [Load] it
	// also says if no checksum covers config.json, as in runs of older versions. It is
	// empty if all is well.
	Warning string

	backend    compute.Backend
	network    netgraph.Graph
	ofDevice   []string        // those of Notes that CodeNotes leaves out
	weights    int             // how many variables the network's weights are, and their average
	training   string          // checksum of all training examples, before the validation split, and of outliers; empty where it is not known
	auxState   *tensors.Tensor // what auxiliary inputs resume from, in the checkpoint that was read or written last, or nil
	loadedFrom Checkpoint      // the one that the weights were last read from or written to; empty before
	storedStep int             // the step of that checkpoint
	sealed     bool            // the checkpoint that was read last seals what config.json says
	verified   bool            // the last checkpoint was read or written by this process
}

// Cost is what a run took.
type Cost struct {
	Seconds float64 `json:"seconds"` // of training, evaluations and saving included
	Device  string  `json:"device"`  // the backend's own description, without folders
	// DataWait is how many of the seconds training waited for batches.
	DataWait float64 `json:"data_wait"`
	// Process is the processor time in seconds, of all cores together, that the
	// processes took meanwhile, whatever they did; 0 if the system does not report it.
	Process float64 `json:"process_seconds,omitempty"`
	// Code is the version of the code that took the last step; see Version.
	Code string `json:"code,omitempty"`
	// Machine is the kind of machine that took the last step, empty in runs that were trained
	// before it was recorded; see the function Machine.
	Machine string `json:"machine,omitempty"`
	// Maker took the last step, Earlier those before it where that was another.
	Maker
	Earlier []Maker `json:"earlier,omitempty"`
	// Parent is the SHA-256 of the checkpoint of Config.InitFrom's run that this one started from;
	// empty where it started from none, and in runs that were trained before it was recorded.
	Parent string `json:"parent,omitempty"`
	// Trained is when the run was last saved.
	Trained time.Time `json:"trained,omitzero"`
}

// Maker identifies the code, the libraries and the devices that took steps.
type Maker struct {
	Source    string `json:"source,omitempty"`    // the code, see the function Source
	Libraries string `json:"libraries,omitempty"` // versions of the modules that computed
	Kind      string `json:"kind,omitempty"`      // of device, "xla:cpu"
	Devices   int    `json:"devices,omitempty"`   // that shared each step
	// Plugin is the version of XLA, see package device; empty for pure Go, and where it is not known,
	// as in runs that were trained before it was recorded.
	Plugin string `json:"plugin,omitempty"`
	// Processor is the kind of processor that computed, see the function Processor; empty on GPUs
	// and where it is not known, as in runs that were trained before it was recorded.
	Processor string `json:"processor,omitempty"`
	// Processors is how many shared the work of XLA on the CPU; 0 elsewhere, and where it is not known.
	Processors int `json:"processors,omitempty"`
}

// check reports whether a run can have cost that much.
func (c Cost) check() error {
	for name, seconds := range map[string]float64{"seconds": c.Seconds, "data_wait": c.DataWait, "process_seconds": c.Process} {
		if !(0 <= seconds && seconds <= maxSeconds) {
			return fmt.Errorf("%s is %g, not from 0 to %g", name, seconds, float64(maxSeconds))
		}
	}
	if len(c.Earlier) > maxMakers {
		return fmt.Errorf("it names %d earlier makers, more than %d", len(c.Earlier), maxMakers)
	}
	for _, m := range append([]Maker{c.Maker}, c.Earlier...) {
		if m.Devices < 0 || m.Devices > maxBatch {
			return fmt.Errorf("devices is %d, not from 0 to %d", m.Devices, maxBatch)
		}
		if m.Processors < 0 || m.Processors > maxProcessors {
			return fmt.Errorf("processors is %d, not from 0 to %d", m.Processors, maxProcessors)
		}
		if len(m.Source)+len(m.Libraries)+len(m.Kind)+len(m.Plugin)+len(m.Processor) > maxText {
			return fmt.Errorf("the text of a maker is longer than %d bytes", maxText)
		}
	}
	if len(c.Code)+len(c.Device)+len(c.Machine)+len(c.Parent) > maxText {
		return fmt.Errorf("code, device, machine and parent are longer than %d bytes", maxText)
	}
	return nil
}

const (
	maxSeconds = 1e10 // three hundred years, of several processors
	maxMakers  = 1000

	maxProcessors = 1 << 20
)

// Setup is what a run needs besides its configuration.
type Setup struct {
	Runs    string        // the folder of runs
	Network nets.Network  // in place of the one that Config.Net names; nil otherwise
	Train   *data.Dataset // before the validation split
	Test    *data.Dataset // of the same shape, classes and encoding
	// Outliers are those that Config.Margin names, or nil.
	Outliers *data.Dataset
	// Fresh ignores runs that older versions trained without recording the network.
	Fresh bool
}

// NewRun returns the run of a configuration: its hash and its folder, its validation split,
// and a classifier with the weights that it starts from. It writes nothing.
func NewRun(backend compute.Backend, cfg Config, s Setup) (*Run, error) {
	if backend == nil {
		return nil, errNoBackend
	}
	cfg, net, err := cfg.Resolve(s.Network)
	if err != nil {
		return nil, err
	}
	if cfg.Margin.Outliers != "" && s.Outliers == nil {
		return nil, fmt.Errorf("ngebm: margin.outliers is %q, and Setup.Outliers is nil; open them with train.OpenOutliers", cfg.Margin.Outliers)
	}
	if err := errors.Join(ready(s.Train), ready(s.Test)); err != nil {
		return nil, err
	}
	if err := severalClasses(s.Train); err != nil {
		return nil, err
	}
	if err := fitEachOther(s.Train, s.Test); err != nil {
		return nil, err
	}
	r := &Run{Config: cfg, History: &History{}, Train: s.Train, Test: s.Test, backend: backend}
	if err := r.identify(net, s); err != nil {
		return nil, err
	}
	if cfg.Draw > 0 {
		if _, r.Train, err = r.Train.RandomSplit(cfg.Draw, cfg.Seed, "train", "train"); err != nil {
			return nil, fmt.Errorf("ngebm: draw is %d: %w", cfg.Draw, err)
		}
	}
	if cfg.Validation > 0 {
		if r.Train, r.Validation, err = r.Train.RandomSplit(cfg.Validation, cfg.Seed, "train", "validation"); err != nil {
			return nil, err
		}
	}
	if err := severalClasses(r.Train); err != nil { // the examples that were drawn and not held out
		return nil, err
	}
	return r, r.build(net, r.Train.Encoder, r.Train.Shape, r.Train.Classes, r.Test.Len())
}

// severalClasses refuses training examples of one class: any network is right on all of them, and on
// a test set of that class, too.
func severalClasses(train *data.Dataset) error {
	first := train.Labels[0]
	if slices.ContainsFunc(train.Labels, func(label int32) bool { return label != first }) {
		return nil
	}
	remedy := "for a folder of images, name one that has a folder per class, such as the folder above"
	if n := len(train.Classes); n > 1 {
		remedy = fmt.Sprintf("give examples of more of its %d classes, with a higher limit or draw, or a smaller validation", n)
	}
	return fmt.Errorf("ngebm: all %d training examples of %s are of one class, %q, and a classifier needs two or more; %s", train.Len(), train.Name, train.Classes[first], remedy)
}

// fitEachOther refuses a test set whose examples or labels mean something else than the training
// set's.
func fitEachOther(train, test *data.Dataset) error {
	switch {
	case !slices.Equal(train.Shape, test.Shape):
		return fmt.Errorf("ngebm: the examples of %s have the shape %v, those of %s %v; give a training and a test set of one shape", train.Name, train.Shape, test.Name, test.Shape)
	case !slices.Equal(train.Classes, test.Classes):
		return fmt.Errorf("ngebm: %s has %d classes, %.200q, and %s %d, %.200q; give a training and a test set of the same classes in one order",
			train.Name, len(train.Classes), strings.Join(train.Classes, ", "), test.Name, len(test.Classes), strings.Join(test.Classes, ", "))
	case train.Encoder.Differs(test.Encoder):
		return fmt.Errorf("ngebm: the rows of %s and of %s were standardized differently; encode both with the training set's Encoder", train.Name, test.Name)
	}
	return nil
}

// TrainingChecksum identifies all training examples, before any of them were drawn or held out; it is
// empty where it is not known. See data.Info.
func (r *Run) TrainingChecksum() string {
	checksum, _, _ := strings.Cut(r.training, "+")
	return checksum
}

// build makes the run's weights, the classifier that uses them, or their average, and the
// description of its network.
func (r *Run) build(net nets.Network, encoder *tabular.Encoder, shape []int, classes []string, examples int) (err error) {
	if err := fitsCheckpoint(net, shape, len(classes)); err != nil {
		return err
	}
	store := newStore(r.Config.Seed)
	if r.Classifier, err = newClassifier(r.backend, net, store, ckpt.NetworkScope, shape, classes, examples); err != nil {
		return err
	}
	if r.Config.EMA != 0 {
		if err := addAverages(store); err != nil {
			return fmt.Errorf("ngebm: the average of the weights: %w", err)
		}
		if r.Classifier, err = newClassifier(r.backend, net, store, ckpt.AverageScope, shape, classes, examples); err != nil {
			return err
		}
	}
	r.Classifier.Encoder = encoder
	if err := ckpt.CheckVariables(store); err != nil {
		return err
	}
	for v := range store.IterVariables() {
		if ckpt.IsWeight(v.Path()) {
			r.weights++
		}
	}
	r.network, err = traceNetwork(r.backend, net, store, shape, len(classes))
	return err
}

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

// String describes the run in a few lines: what it is, how far it is, how good it is, and
// what is to be known before its numbers are trusted. It names no folder but the run's.
func (r *Run) String() string {
	var b strings.Builder
	c := r.Config
	fmt.Fprintf(&b, "%s: %s, %s on %s, seed %d\n", plain.Text(filepath.Base(r.Dir)), c.Method(), plain.Text(c.Net), plain.Text(r.dataName()), c.Seed)
	fmt.Fprintf(&b, "  %d steps", r.History.Steps())
	if r.History.StepsPerEpoch > 0 {
		fmt.Fprintf(&b, " (%.4g of %d epochs)", float64(r.History.Steps())/float64(r.History.StepsPerEpoch), c.Epochs)
	}
	if !r.Cost.Trained.IsZero() {
		fmt.Fprintf(&b, ", trained %s UTC", r.Cost.Trained.UTC().Format("2006-01-02 15:04"))
	}
	fmt.Fprintf(&b, ", code %s\n", cmp.Or(r.Cost.Code, "unknown"))
	for _, split := range []string{"validation", "test"} {
		if e := r.History.Last(split); e != nil {
			fmt.Fprintf(&b, "  %s accuracy %.4f on %d examples\n", split, e.Accuracy, e.Examples)
		}
	}
	for _, line := range r.Notes {
		fmt.Fprintf(&b, "  note: %s\n", line)
	}
	for _, l := range [][2]string{{"warning", r.Warning}, {"stopped", r.History.Stopped}} {
		if l[1] != "" {
			fmt.Fprintf(&b, "  %s: %s\n", l[0], l[1])
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// dataName is the name of the set that the run was trained on.
func (r *Run) dataName() string {
	if r.Train != nil {
		return r.Train.Name
	}
	return cmp.Or(r.Config.WithoutFolders().Data, "a separate set")
}

// WithoutTest returns a copy of the run that holds nothing of the test set: neither the
// set nor evaluations on it. Code that selects settings sees only such a run.
func (r *Run) WithoutTest() *Run {
	hidden, history := *r, *r.History
	hidden.Notes = slices.DeleteFunc(slices.Clone(r.Notes), func(note string) bool { return note == otherTestSet })
	history.Evaluations = slices.DeleteFunc(slices.Clone(history.Evaluations), func(e Evaluation) bool { return e.Split == "test" })
	hidden.Test, hidden.History = nil, &history
	return &hidden
}

// Close closes the run's classifier. The run cannot be used afterwards.
func (r *Run) Close() {
	if r.Classifier == nil { // it diverged before its first checkpoint
		return
	}
	r.Classifier.Close()
}

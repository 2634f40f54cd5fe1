package ngebm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/data/tabular"
	"ngebm/ngebm/internal/ckpt"
)

// Checkpoint names one of the checkpoints in a run's folder.
type Checkpoint string

// The checkpoints that [Run.Save] writes.
const (
	LastCheckpoint     Checkpoint = ckpt.LastFile
	BestCheckpoint     Checkpoint = ckpt.BestFile     // of the validation set
	RollbackCheckpoint Checkpoint = ckpt.RollbackFile // that a run that diverges is rolled back to
)

func (r *Run) folder() ckpt.Folder { return ckpt.Folder(r.Dir) }

// openFolder opens a run's folder.
func openFolder(dir string) (*files.Folder, error) { return ckpt.Folder(dir).Open() }

// Lock makes the run's folder, with config.json, and makes this process its only writer,
// until unlock or the process's end. waiting is called once if another process holds the
// lock. If ctx ends first, the error wraps its cause.
func (r *Run) Lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	if err := r.writeConfig(); err != nil {
		return nil, err
	}
	return r.folder().Lock(ctx, waiting)
}

// Discard removes what was made of the run before, so that it is trained again. waiting is
// as in [Run.Lock].
func (r *Run) Discard(ctx context.Context, waiting func()) error {
	if _, err := os.Lstat(r.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := r.folder().Lock(ctx, waiting)
	if err != nil {
		return err
	}
	defer unlock()
	return r.folder().Clear()
}

// writeConfig makes the run's folder and puts config.json in it.
func (r *Run) writeConfig() error {
	if err := r.folder().Make(); err != nil {
		return err
	}
	cfg, err := json.Marshal(r.Config.WithoutFolders())
	if err != nil {
		return fmt.Errorf("ngebm: %w", err)
	}
	if err := r.folder().WriteFile(ckpt.NetworkFile, []byte(strings.Join(r.network.Lines, "\n")+"\n")); err != nil {
		return err
	}
	return r.folder().WriteJSON(ckpt.ConfigFile, runInfo{r.Hash, algorithm, cfg, r.Train.Info, r.Train.Shape, &networkInfo{r.network.Sum(), gomlx}, r.training, r.Train.Encoder})
}

// Save writes the run's state as one of its checkpoints, and, with the last, what the run
// cost so far. aux is what its auxiliary inputs need to resume, or nil. A run that is closed,
// or lacks weights, is not saved, and the checkpoint that exists stays.
func (r *Run) Save(as Checkpoint, aux *tensors.Tensor) error {
	if err := r.Classifier.calls.begin(); err != nil {
		return err
	}
	defer r.Classifier.calls.end()
	history := *r.History
	history.Loss, history.LearningRate, history.Values = nil, nil, nil
	text, err := json.Marshal(history)
	if err != nil {
		return ckpt.Unwritten("the checkpoint", err)
	}
	state := ckpt.State{Hash: r.Hash, Seal: r.seal(), Step: r.History.Steps(), History: text, Tensors: r.History.curves()}
	if aux != nil {
		state.Tensors = append(state.Tensors, ckpt.Tensor{Name: ckpt.AuxState, Value: aux})
	}
	lacking := r.weights
	for v := range r.Classifier.store.IterVariables() {
		if !v.HasValue() {
			continue // the optimizer's, before the first step
		}
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("ngebm: variable %s cannot be saved: %w", v.Path(), err)
		}
		state.Tensors = append(state.Tensors, ckpt.Tensor{Name: v.Path(), Trainable: v.Trainable, Value: value})
		if ckpt.IsWeight(v.Path()) {
			lacking--
		}
	}
	if lacking > 0 {
		return fmt.Errorf("ngebm: %d of the %d weights of %s have no value, so the run is not saved; load it again", lacking, r.weights, r.Classifier.Network)
	}
	r.auxState = aux
	keep := ""
	if as == LastCheckpoint && r.verified { // else the existing file may be the damaged one, and the one before it is what there is
		keep = ckpt.PreviousFile
	}
	err = r.folder().Write("the checkpoint", func(f *files.Folder) error { return ckpt.Write(f, string(as), keep, state) })
	if err != nil || as != LastCheckpoint {
		return err
	}
	r.loadedFrom, r.storedStep, r.verified = as, state.Step, true
	r.Cost.Trained = time.Now().UTC().Truncate(time.Second)
	return r.folder().WriteJSON(ckpt.CostFile, r.Cost)
}

// AuxState returns what auxiliary inputs need to resume, as the checkpoint has it that was
// read or written last; nil if nothing.
func (r *Run) AuxState() *tensors.Tensor { return r.auxState }

// LoadedFrom returns the checkpoint that the weights were last read from or written to;
// empty before.
func (r *Run) LoadedFrom() Checkpoint { return r.loadedFrom }

// DropRollback removes the checkpoint to roll back to, which a complete run does not need.
func (r *Run) DropRollback() {
	// If it cannot be removed it only takes room.
	_ = r.folder().Write(ckpt.RollbackFile, func(f *files.Folder) error { return f.Remove(ckpt.RollbackFile) })
}

// WriteHistory writes history.csv, one row a step, for spreadsheets and other programs.
func (r *Run) WriteHistory() error {
	return r.folder().Write(ckpt.HistoryFile, func(folder *files.Folder) error {
		f, err := folder.Create(ckpt.HistoryFile, 0o644)
		if err != nil {
			return ckpt.Unwritten(ckpt.HistoryFile, err)
		}
		defer f.Discard()
		if err = r.History.rows(f); err == nil {
			err = f.Commit()
		}
		return ckpt.Unwritten(ckpt.HistoryFile, err)
	})
}

func (r *Run) readCost() error {
	raw, err := r.folder().ReadFile(ckpt.CostFile, maxCost)
	if err == nil {
		err = json.Unmarshal(raw, &r.Cost)
	}
	if err == nil {
		err = r.Cost.check()
	}
	plain.Values(&r.Cost)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ngebm: %s in %q: %w; delete the file, only the record of the run's cost is lost", ckpt.CostFile, r.Dir, err)
	}
	return nil
}

// Checksum returns the SHA-256 of the checkpoint that the run was last at, in hex: it
// identifies the weights, whatever trained them. It is an error if that does not have the run's
// weights: steps were taken since, or another process has trained further.
func (r *Run) Checksum() (string, error) {
	if now := r.History.Steps(); r.loadedFrom != "" && now != r.storedStep {
		return "", fmt.Errorf("ngebm: the weights are those of step %d, and the checkpoint of step %d; save the run first, or measure its classifier", now, r.storedStep)
	}
	folder, err := openFolder(r.Dir)
	if err != nil {
		return "", err
	}
	defer folder.Close()
	name := string(cmp.Or(r.loadedFrom, LastCheckpoint))
	if r.loadedFrom != "" {
		if head, err := ckpt.ReadHeader(folder, name, func(ckpt.Header) error { return nil }); err == nil && head.Step != r.storedStep {
			return "", fmt.Errorf("ngebm: %s in %q is of step %d now, not of step %d: another process trains the run; load it again", name, r.Dir, head.Step, r.storedStep)
		}
	}
	checksum, err := ckpt.Checksum(folder, name)
	if err != nil {
		return "", fmt.Errorf("ngebm: %w", err)
	}
	return checksum, nil
}

// runInfo is what config.json holds: enough to use the run without its data.
type runInfo struct {
	Hash      string          `json:"hash"`
	Algorithm int             `json:"algorithm"`
	Config    json.RawMessage `json:"config"`
	Data      data.Info       `json:"data"`
	Shape     []int           `json:"shape"`
	Network   *networkInfo    `json:"network,omitempty"` // nil in runs that were trained before it was recorded
	// Training is the checksum of all training examples, before the validation split, and
	// of outliers: with it, the hash can be computed again.
	Training string `json:"training,omitempty"`
	// Encoder is that of a table's rows; nil for other data.
	Encoder *tabular.Encoder `json:"encoder,omitempty"`
}

// A run's folder may come from anyone: what it says is compared with these before a
// network is made of it.
const (
	maxInfo    = 16 << 20 // bytes of config.json
	maxCost    = 1 << 20  // bytes of cost.json
	maxInputs  = 1 << 24  // numbers in one example
	maxClasses = 1 << 16  // some ten times those of the largest sets of images
)

// readInfo reads config.json in a run's folder.
func readInfo(dir string) (info runInfo, cfg Config, err error) {
	folder, err := openFolder(dir)
	if err != nil {
		return info, cfg, err
	}
	defer folder.Close()
	raw, err := folder.ReadFile(ckpt.ConfigFile, maxInfo)
	if err != nil {
		return info, cfg, fmt.Errorf("ngebm: %w", err)
	}
	if info, cfg, err = parseInfo(raw); err != nil {
		return info, cfg, fmt.Errorf("ngebm: %q: %w", filepath.Join(dir, ckpt.ConfigFile), err)
	}
	return info, cfg, nil
}

func parseInfo(raw []byte) (info runInfo, cfg Config, err error) {
	if err := json.Unmarshal(raw, &info); err != nil {
		return info, cfg, fmt.Errorf("it cannot be read: %w", err)
	}
	if cfg, err = parseConfig(info.Config); err != nil {
		return info, cfg, err
	}
	// The names that are free text; the rest is checked, or compared with what is asked.
	for _, name := range []*string{&cfg.Name, &cfg.Data, &cfg.Margin.Outliers} {
		*name = plain.Text(*name)
	}
	// As the program writes it: a run is not to name any file of this machine to be read.
	cfg = cfg.WithoutFolders()
	if !hashPattern.MatchString(info.Hash) {
		return info, cfg, fmt.Errorf("it has the hash %.60q, not 12 hex digits", info.Hash)
	}
	if info.Algorithm != algorithm {
		return info, cfg, fmt.Errorf("it was trained by algorithm %d, and this program has %d: use the program that trained it", info.Algorithm, algorithm)
	}
	if n := len(info.Data.Classes); n < 1 || n > maxClasses {
		return info, cfg, fmt.Errorf("it has %d classes, not 1 to %d", n, maxClasses)
	}
	if !isExample(info.Shape) {
		return info, cfg, fmt.Errorf("it has examples of shape %v, not of 1 to %d numbers", info.Shape, maxInputs)
	}
	if e := info.Encoder; e != nil {
		if err := e.Validate(); err != nil {
			return info, cfg, fmt.Errorf("its encoder of rows: %w", err)
		}
		if len(info.Shape) != 1 || e.Size() != info.Shape[0] {
			return info, cfg, fmt.Errorf("its encoder makes %d inputs of a row, but it has examples of shape %v", e.Size(), info.Shape)
		}
	}
	return info, cfg, nil
}

// isExample reports whether examples may have that shape.
func isExample(shape []int) bool {
	return len(shape) > 0 && len(shape) <= ckpt.MaxRank && fitsIn(shape, maxInputs)
}

// fitsIn reports whether dimensions are positive and their product is at most limit.
func fitsIn(dims []int, limit int) bool {
	size := 1
	for _, d := range dims {
		if d < 1 || d > limit/size {
			return false
		}
		size *= d
	}
	return true
}

// seal is the checksum of what the run's config.json says of its classifier. It is in
// every checkpoint, so that class names cannot be exchanged unseen.
func (r *Run) seal() string {
	names := make([]string, len(r.Classifier.Classes))
	for i, name := range r.Classifier.Classes {
		names[i] = string([]rune(name)) // as JSON gives it back
	}
	b, err := json.Marshal(struct {
		Hash     string
		Shape    []int
		Classes  []string
		Net      string
		Training string
		Encoder  *tabular.Encoder `json:",omitempty"`
	}{r.Hash, r.Classifier.Shape, names, r.Config.Net, r.training, r.Classifier.Encoder})
	if err != nil {
		panic(err) // text and whole numbers
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// HasCheckpoint reports whether the run's folder has a last checkpoint.
func (r *Run) HasCheckpoint() bool { return r.folder().Has(ckpt.LastFile) }

// RestoreFrom takes the run to one of its checkpoints; [LastCheckpoint] stands for the
// last intact one. It returns false if there is none.
func (r *Run) RestoreFrom(ctx context.Context, c Checkpoint) (bool, error) {
	if c == LastCheckpoint {
		return r.restoreLast(ctx)
	}
	return r.restore(ctx, string(c))
}

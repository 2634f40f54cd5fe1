package ckpt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"syscall"

	"ngebm/data/files"
)

// The files in a run's folder.
const (
	ConfigFile      = "config.json"
	NetworkFile     = "network.txt"      // the network's operations, one a line
	LastFile        = "checkpoint.ngebm" // the last checkpoint
	PreviousFile    = "previous.ngebm"   // the one before it
	BestFile        = "best.ngebm"       // the best on the validation set
	RollbackFile    = "good.ngebm"       // the one that a run that diverges is rolled back to
	HistoryFile     = "history.csv"
	CostFile        = "cost.json"
	EvaluationsFile = "evaluations.json" // on other test sets than that of the training
	PredictorFile   = "predictor.json"   // thresholds fitted on the validation split, see package predict
	LockFile        = "lock"
)

// locked are the files that the holder of the lock writes. Each is written as
// .<name><digits> first.
var locked = [...]string{LastFile, PreviousFile, BestFile, RollbackFile, HistoryFile, CostFile}

// results matches the files that a run makes in its folder, but for its configuration and
// its lock.
var results = regexp.MustCompile(`^((checkpoint|previous|best|good)\.ngebm|history\.csv|(cost|evaluations|predictor)\.json|network\.txt|(measured|attacking|judged|experiment|outputs)-[0-9a-f]+\.json)$`)

// Folder is a run's folder, by its path. It may come from anyone: neither it nor a file in
// it may be a link, which could lead to whatever the user may write.
type Folder string

// Open opens the folder; an error that wraps fs.ErrNotExist says that there is none.
func (dir Folder) Open() (*files.Folder, error) {
	f, err := files.OpenFolder(string(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("ngebm: the run's folder %w", err)
	case err != nil:
		return nil, fmt.Errorf("ngebm: the run's folder %w, or choose another folder of runs, with -runs or $NGEBM_RUNS", err)
	}
	return f, nil
}

// Has reports whether the folder has a file of that name.
func (dir Folder) Has(name string) bool {
	f, err := files.OpenFolder(string(dir))
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Has(name)
}

// ReadFile reads a file of at most that many bytes.
func (dir Folder) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := dir.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadFile(name, limit)
}

// Write writes something in the folder; what names it in errors.
func (dir Folder) Write(what string, write func(*files.Folder) error) error {
	f, err := files.OpenFolder(string(dir))
	if err != nil {
		return Unwritten(what, err)
	}
	defer f.Close()
	return write(f)
}

// WriteFile writes a file, next to its name at first.
func (dir Folder) WriteFile(name string, content []byte) error {
	return dir.Write(name, func(f *files.Folder) error {
		return Unwritten(name, f.WriteFile(name, content, 0o644))
	})
}

// WriteJSON writes a file of indented JSON.
func (dir Folder) WriteJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return Unwritten(name, err)
	}
	return dir.WriteFile(name, append(b, '\n'))
}

// Make makes the folder, unless it is there, and checks that none of the files that a run
// writes in it is a link, a folder or a device.
func (dir Folder) Make() error {
	if _, err := os.Lstat(string(dir)); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(string(dir), 0o755); err != nil {
			return Unwritten("the run's folder", err)
		}
	}
	return dir.Write(NetworkFile, func(f *files.Folder) error {
		if err := f.Regular(append(locked[:], ConfigFile, NetworkFile, EvaluationsFile, LockFile)...); err != nil {
			return fmt.Errorf("ngebm: the run's file %w", err)
		}
		return nil
	})
}

// Lock makes this process the folder's only writer, until unlock or its end. waiting is
// called once if another process holds the lock. If ctx ends first, the error wraps its
// cause.
func (dir Folder) Lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	f, err := dir.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unlock, err = f.Lock(ctx, LockFile, waiting)
	if ctx.Err() != nil {
		if err == nil {
			unlock()
		}
		return nil, fmt.Errorf("ngebm: locking %q: %w", string(dir), context.Cause(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm: cannot lock the run's folder: %w; choose a folder of runs that can be written, with -runs or $NGEBM_RUNS", err)
	}
	f.Sweep(locked[:]...)
	return unlock, nil
}

// Clear removes what a run made in its folder, but for its configuration. The caller holds
// the lock.
func (dir Folder) Clear() error {
	folder, err := dir.Open()
	if err != nil {
		return err
	}
	defer folder.Close()
	names, err := folder.Names()
	for _, name := range names {
		if err == nil && results.MatchString(name) {
			err = folder.Remove(name)
		}
	}
	if err != nil {
		return fmt.Errorf("ngebm: cannot remove what was trained before: %w; make the folder writable, or choose another folder of runs", err)
	}
	return nil
}

// Unwritten says what to do about a file in a run's folder that could not be written;
// nil stays nil.
func Unwritten(what string, err error) error {
	remedy := "make its folder writable, or choose another with -runs or $NGEBM_RUNS"
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errUnreadable):
		return fmt.Errorf("ngebm: cannot write %s: %w; what was written before is untouched", what, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		remedy = "the disk is full: make room and train the same configuration to resume"
	case errors.Is(err, syscall.EFBIG):
		remedy = "files may not become so large here: raise the limit (ulimit -f) and train the same configuration to resume"
	case errors.Is(err, fs.ErrNotExist):
		remedy = "the run's folder is gone: put it back, or train the run again"
	}
	return fmt.Errorf("ngebm: cannot write %s: %w; %s; what was written before is untouched", what, err, remedy)
}

package ngebm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"ngebm/data/files"
)

// The files in a run's folder that the holder of its lock writes. Each is written as
// .<name><digits> first.
var ownFiles = [...]string{checkpointFile, previousFile, bestFile, goodFile, historyFile, costFile}

// openFolder opens a run's folder. It may come from anyone: neither it nor a file in it
// may be a link, which could lead to whatever the user may write.
func openFolder(dir string) (*files.Folder, error) {
	f, err := files.OpenFolder(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("ngebm: the run's folder %w", err)
	case err != nil:
		return nil, fmt.Errorf("ngebm: the run's folder %w, or choose another folder of runs, with -runs or $NGEBM_RUNS", err)
	}
	return f, nil
}

// inFolder writes something in the run's folder.
func (r *Run) inFolder(what string, write func(*files.Folder) error) error {
	f, err := files.OpenFolder(r.Dir)
	if err != nil {
		return unwritten(what, err)
	}
	defer f.Close()
	return write(f)
}

// readFile reads a file of at most that many bytes in the run's folder.
func (r *Run) readFile(name string, most int64) ([]byte, error) {
	f, err := openFolder(r.Dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadFile(name, most)
}

// has tells whether a run's folder has a file of that name.
func has(dir, name string) bool {
	f, err := files.OpenFolder(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Has(name)
}

// writeConfig makes the run's folder and puts config.json in it.
func (r *Run) writeConfig() error {
	if _, err := os.Lstat(r.Dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(r.Dir, 0o755); err != nil {
			return unwritten("the run's folder", err)
		}
	}
	cfg, err := json.Marshal(r.Config.WithoutFolders())
	if err != nil {
		return fmt.Errorf("ngebm: %w", err)
	}
	err = r.inFolder(networkFile, func(f *files.Folder) error {
		if err := f.Regular(append(ownFiles[:], configFile, networkFile, evaluationsFile, lockFile)...); err != nil {
			return fmt.Errorf("ngebm: the run's file %w", err)
		}
		network := strings.Join(r.network.Lines, "\n") + "\n"
		return unwritten(networkFile, f.WriteFile(networkFile, []byte(network), 0o644))
	})
	if err != nil {
		return err
	}
	return r.writeJSON(configFile, runInfo{r.Hash, algorithm, cfg, r.Train.Info, r.Train.Shape, &networkInfo{r.network.Sum(), gomlx}, r.training})
}

// writeJSON writes a file of the run's folder.
func (r *Run) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return unwritten(name, err)
	}
	return r.inFolder(name, func(f *files.Folder) error {
		return unwritten(name, f.WriteFile(name, append(b, '\n'), 0o644))
	})
}

// lock makes this process the run's only writer, waiting for another to finish;
// waiting is called once if it has to. The lock goes with its process.
func (r *Run) lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	f, err := openFolder(r.Dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	waited := false
	unlock, err = f.Lock(ctx, lockFile, func() {
		waited = true
		waiting()
	})
	if ctx.Err() != nil {
		if err == nil {
			unlock()
		}
		if waited {
			return nil, fmt.Errorf("ngebm: %w while waiting for another process that is training %q", ErrStopped, r.Dir)
		}
		return nil, fmt.Errorf("ngebm: %w before a step of %q was taken", ErrStopped, r.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm: cannot lock the run's folder: %w; choose a folder of runs that can be written, with -runs or $NGEBM_RUNS", err)
	}
	f.Sweep(ownFiles[:]...)
	return unlock, nil
}

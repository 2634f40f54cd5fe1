package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/files"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
)

// initFrom gives the store's weights the values of those of the complete run with
// that hash in the folder of runs: of their average, where that run has one. The store's random
// numbers begin with the seed, as if no weights had been drawn. It returns the SHA-256 of the
// checkpoint that it read.
func initFrom(store *model.Store, runs, hash string, seed uint64) (checksum string, err error) {
	c, checksum, err := checkpointOf(runs, hash)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("ngebm: start is %q, but no run in %q has this hash and a checkpoint; train it first, or copy its folder there", hash, runs)
	}
	if err != nil {
		return "", fmt.Errorf("ngebm: start is %q: %w; train that run again", hash, err)
	}
	values := map[string]ckpt.Tensor{}
	for _, t := range c.Tensors {
		if path, ok := strings.CutPrefix(t.Name, "/"+ckpt.AverageScope+"/"); ok {
			values["/"+ckpt.NetworkScope+"/"+path] = t
		} else if _, averaged := values[t.Name]; !averaged {
			values[t.Name] = t
		}
	}
	var history ngebm.History
	if err := json.Unmarshal(c.History, &history); err != nil {
		return "", fmt.Errorf("ngebm: start is %q: %w", hash, err)
	}
	if n := len(history.Evaluations); n == 0 || history.Evaluations[n-1].Split != "test" {
		return "", fmt.Errorf("ngebm: start is %q, but that run is not complete; train it to its end first", hash)
	}
	for v := range store.RootScope().At(ckpt.NetworkScope).IterVariables() {
		t, ok := values[v.Path()]
		if !ok || !t.Value.Shape().Equal(v.Shape()) {
			return "", fmt.Errorf("ngebm: start is %q, but that run is of another network: its weight %s is not %s", hash, v.Path(), v.Shape())
		}
		if average := store.GetVariable(averageOf(v.Path())); average != nil {
			start, err := t.Value.LocalClone()
			if err == nil {
				err = average.SetValue(start)
			}
			if err != nil {
				return "", fmt.Errorf("ngebm: weight %s: %w", average.Path(), err)
			}
		}
		if err := v.SetValue(t.Value); err != nil {
			return "", fmt.Errorf("ngebm: weight %s: %w", v.Path(), err)
		}
	}
	if err := store.SetRNGStateFromSeed(int64(seed)); err != nil {
		return "", fmt.Errorf("ngebm: start is %q: %w", hash, err)
	}
	return checksum, nil
}

// noteParent notes that the run that this one started from has other weights by now: its hash is of
// the configuration, not of the weights.
func noteParent(r *ngebm.Run, runs string) {
	if r.Cost.Parent == "" {
		return
	}
	folder, err := openRun(runs, r.Config.InitFrom)
	if err != nil {
		return // it is not here
	}
	defer folder.Close()
	if now, err := ckpt.Checksum(folder, ckpt.LastFile); err == nil && now != r.Cost.Parent {
		r.Notes = append(r.Notes, fmt.Sprintf("it started from other weights than run %s has now (checkpoint %.12s, now %.12s); train it again with Options.Fresh (-fresh) to start from these",
			r.Config.InitFrom, r.Cost.Parent, now))
	}
}

// openRun opens the folder of the run with that hash in the folder of runs.
func openRun(runs, hash string) (*files.Folder, error) {
	entries, err := os.ReadDir(runs)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "-"+hash) {
			names = append(names, entry.Name())
		}
	}
	switch len(names) {
	case 0:
		return nil, fs.ErrNotExist
	case 1:
		return ckpt.Folder(filepath.Join(runs, names[0])).Open()
	}
	return nil, fmt.Errorf("%d folders have this hash, %q and %q among them: move all but one away", len(names), names[0], names[1])
}

// checkpointOf reads the last checkpoint of the run with that hash in the folder of runs, and its
// SHA-256.
func checkpointOf(runs, hash string) (state *ckpt.State, checksum string, err error) {
	folder, err := openRun(runs, hash)
	if err != nil {
		return nil, "", err
	}
	defer folder.Close()
	if checksum, err = ckpt.Checksum(folder, ckpt.LastFile); err != nil {
		return nil, "", err
	}
	state, err = ckpt.Read(context.Background(), folder, ckpt.LastFile, func(head ckpt.Header) error {
		if head.Hash != hash {
			return fmt.Errorf("belongs to run %q", head.Hash)
		}
		return nil
	})
	return state, checksum, err
}

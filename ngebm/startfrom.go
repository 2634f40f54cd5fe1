package ngebm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/ml/model"
)

// startFrom gives the store's weights the values of those of the complete run with
// that hash in the folder of runs: of their average, where that run has one.
func startFrom(store *model.Store, runs, hash string) error {
	c, err := checkpointOf(runs, hash)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ngebm: start is %q, but no run in %q has this hash and a checkpoint; train it first, or copy its folder there", hash, runs)
	}
	if err != nil {
		return fmt.Errorf("ngebm: start is %q: %w; train that run again", hash, err)
	}
	values := map[string]namedTensor{}
	for _, t := range c.weights {
		if path, ok := strings.CutPrefix(t.name, "/"+averageScope+"/"); ok {
			values["/"+networkScope+"/"+path] = t
		} else if _, averaged := values[t.name]; !averaged {
			values[t.name] = t
		}
	}
	if n := len(c.history.Evaluations); n == 0 || c.history.Evaluations[n-1].Split != "test" {
		return fmt.Errorf("ngebm: start is %q, but that run is not complete; train it to its end first", hash)
	}
	for v := range store.RootScope().At(networkScope).IterVariables() {
		t, ok := values[v.Path()]
		if !ok || !t.value.Shape().Equal(v.Shape()) {
			return fmt.Errorf("ngebm: start is %q, but that run is of another network: its weight %s is not %s", hash, v.Path(), v.Shape())
		}
		if err := v.SetValue(t.value); err != nil {
			return fmt.Errorf("ngebm: weight %s: %w", v.Path(), err)
		}
	}
	return nil
}

// checkpointOf reads the last checkpoint of the run with that hash in the folder of runs.
func checkpointOf(runs, hash string) (*checkpoint, error) {
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
	default:
		return nil, fmt.Errorf("%d folders have this hash, %q and %q among them: move all but one away", len(names), names[0], names[1])
	}
	folder, err := openFolder(filepath.Join(runs, names[0]))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return readCheckpoint(context.Background(), folder, checkpointFile, func(head header) error {
		if head.Hash != hash {
			return fmt.Errorf("belongs to run %q", head.Hash)
		}
		return nil
	})
}

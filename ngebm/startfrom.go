package ngebm

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/ml/model"
)

// startFrom gives the store's weights the values of those of the complete run with
// that hash in the folder of runs: of their average, where that run has one.
func startFrom(store *model.Store, runs, hash string) error {
	dirs, _ := filepath.Glob(filepath.Join(runs, "*-"+hash)) // the pattern is well-formed: Validate saw to it
	if len(dirs) == 0 {
		return fmt.Errorf("ngebm: start is %q, but no run in %s has this hash; train it first, or copy its folder there", hash, runs)
	}
	path := filepath.Join(dirs[0], checkpointFile)
	c, err := readCheckpoint(path)
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

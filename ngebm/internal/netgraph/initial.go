package netgraph

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Initial is the SHA-256, in hex, of the initial weights below scope in the store of a
// network that was traced. Weights that GoMLX's initializers draw are drawn on the
// pure-Go backend, each from the same seed, so that the checksum is the same for every
// device; the store's own values become others by it.
func Initial(store *model.Store, scope string, seed int64) (string, error) {
	backend, err := gobackend.New("ops_sequential")
	if err != nil {
		return "", err
	}
	defer backend.Finalize()
	weights, drawn := map[string]*model.Variable{}, []*model.Variable{}
	for v := range store.IterVariables() {
		if strings.HasPrefix(v.Path(), scope+"/") {
			weights[v.Path()] = v
		}
	}
	sum := sha256.New()
	add := func(v *model.Variable) error {
		value, err := v.Value()
		if err == nil {
			fmt.Fprintln(sum, v.Path(), v.Shape(), v.Trainable)
			err = value.ConstBytes(func(b []byte) { sum.Write(b) })
		}
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(weights)) {
		if v := weights[path]; !v.HasValue() {
			drawn = append(drawn, v)
		} else if err := add(v); err != nil {
			return "", err
		}
	}
	// One at a time, each with the seed: its value does not depend on the others.
	for _, v := range drawn {
		if err := v.SetValue(tensors.FromShape(v.Shape())); err != nil {
			return "", err
		}
	}
	for _, v := range drawn {
		err := v.Reset()
		if err == nil {
			err = store.SetRNGStateFromSeed(seed)
		}
		if err == nil {
			err = store.InitializeVariables(backend, nil)
		}
		if err == nil {
			err = add(v)
		}
		if err != nil {
			return "", fmt.Errorf("initial weight %s: %w", v.Path(), err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

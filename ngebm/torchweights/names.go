package torchweights

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ngebm/data/format"
)

// wrappers are prefixes of all names of a model's weights, from torch.compile,
// DataParallel, Lightning and others.
var wrappers = []string{"_orig_mod.", "module.", "model.", "net.", "network.", "encoder."}

// nested are names of the weights in a checkpoint that holds more, with its dictionaries
// written as one.
var nested = []string{"model_state_dict.", "state_dict."}

// unwrapped returns the weights under the names that they have in the authors' modules.
func unwrapped(arrays map[string]*format.Array) (map[string]*format.Array, error) {
	for _, prefix := range nested {
		if inner := under(arrays, prefix); len(inner) > 0 {
			arrays = inner
			break
		}
	}
	for again := true; again; {
		again = false
		for _, prefix := range wrappers {
			if inner := under(arrays, prefix); len(inner) > 0 && len(inner) == len(arrays) {
				arrays, again = inner, true
			}
		}
	}
	plain := map[string]*format.Array{}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		short := strings.TrimPrefix(name, "f.") // JEM's network; class_output is not part of it
		if plain[short] != nil {
			return nil, fmt.Errorf("%q exists twice, with and without the prefix f.", short)
		}
		plain[short] = arrays[name]
	}
	return plain, nil
}

// under returns the arrays whose names begin with a prefix, without it.
func under(arrays map[string]*format.Array, prefix string) map[string]*format.Array {
	inner := map[string]*format.Array{}
	for name, a := range arrays {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			inner[short] = a
		}
	}
	return inner
}

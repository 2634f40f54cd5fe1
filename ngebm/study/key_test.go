package study

import "testing"

// A stored result is found again only for the same weights, sets and protocol.
func TestKey(t *testing.T) {
	sets := func(checksums ...string) (sets []DatasetInfo) {
		for _, c := range checksums {
			sets = append(sets, DatasetInfo{Checksum: c})
		}
		return sets
	}
	seen := map[string]string{}
	for name, c := range map[string]struct {
		result   Result
		protocol Protocol
	}{
		"a run":            {Result{Checkpoint: "1", Sets: sets("train", "validation", "test")}, Protocol{}},
		"other weights":    {Result{Checkpoint: "2", Sets: sets("train", "validation", "test")}, Protocol{}},
		"another test set": {Result{Checkpoint: "1", Sets: sets("train", "validation", "test 2")}, Protocol{}},
		"another split":    {Result{Checkpoint: "1", Sets: sets("train", "validation 2", "test")}, Protocol{}},
		"another protocol": {Result{Checkpoint: "1", Sets: sets("train", "validation", "test")}, Protocol{Missing: []string{"svhn"}}},
	} {
		key := (&experiment{plan: Plan{Measure: c.protocol}}).key("source 1", c.result)
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the result of %s", name, other)
		}
		seen[key] = name
	}
}

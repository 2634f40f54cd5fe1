package data

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// apart tells which examples of a set that comes in one piece are to test with:
// of every class the first fifth, rounded and at least one, in the order of the
// SHA-256 of class and name. So the split is the same wherever the files lie, and
// hardly changes when some are added.
func apart(classes, names []string) (test []bool, err error) {
	type keyed struct {
		key   [sha256.Size]byte
		index int
	}
	members := map[string][]keyed{}
	for i, class := range classes {
		members[class] = append(members[class], keyed{sha256.Sum256([]byte(class + "/" + names[i])), i})
	}
	test = make([]bool, len(classes))
	for _, class := range slices.Sorted(maps.Keys(members)) {
		examples := members[class]
		if len(examples) < 2 {
			return nil, fmt.Errorf("class %s has one image: it takes two, one to train and one to test with", shown(class))
		}
		slices.SortFunc(examples, func(a, b keyed) int { return slices.Compare(a.key[:], b.key[:]) })
		for _, e := range examples[:max(1, (2*len(examples)+5)/10)] {
			test[e.index] = true
		}
	}
	return test, nil
}

package data

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// RandomSplit draws n examples without replacement, as a validation set for instance, and
// returns them as held; rest has the others. Both keep the order of d and get the split
// names given. The draw depends on n, seed and d.Len() only. It is an error if n is below 1
// or leaves no example.
func (d *Dataset) RandomSplit(n int, seed uint64, restSplit, heldSplit string) (rest, held *Dataset, err error) {
	if n < 1 || n >= d.Len() {
		return nil, nil, fmt.Errorf("data: cannot hold out %d of the %d examples of %s: give a number from 1 to %d", n, d.Len(), d.Name, d.Len()-1)
	}
	return d.splitAt(stream(forSplit, seed, 0, 0).Perm(d.Len()), n, restSplit, heldSplit)
}

// First returns the first n examples, or all where there are fewer. n must be 1 or more.
func (d *Dataset) First(n int) (*Dataset, error) {
	indices := make([]int, max(0, min(n, d.Len())))
	for i := range indices {
		indices[i] = i
	}
	return d.Subset(d.Split, indices)
}

// Sample returns n examples, or all where there are fewer: the first, unless the examples of each class
// follow one another, as those of folders do, or those of each severity, as in "cifar10-c:fog"; then n
// that are drawn with the seed.
func (d *Dataset) Sample(n int, seed uint64) (*Dataset, error) {
	if n < 1 || n >= d.Len() || !d.bySeverity && !d.grouped() {
		return d.First(n)
	}
	_, drawn, err := d.RandomSplit(n, seed, d.Split, d.Split)
	return drawn, err
}

// grouped reports whether the examples of each class follow one another.
func (d *Dataset) grouped() bool {
	ended := make([]bool, len(d.Classes))
	for i, class := range d.Labels {
		if ended[class] {
			return false
		}
		if i+1 < d.Len() && d.Labels[i+1] != class {
			ended[class] = true
		}
	}
	return true
}

// splitAt holds out the first n examples of order. Both parts keep d's own order.
func (d *Dataset) splitAt(order []int, n int, restSplit, heldSplit string) (rest, held *Dataset, err error) {
	first, others := slices.Clone(order[:n]), slices.Clone(order[n:])
	slices.Sort(first)
	slices.Sort(others)
	if held, err = d.Subset(heldSplit, first); err != nil {
		return nil, nil, err
	}
	if rest, err = d.Subset(restSplit, others); err != nil {
		return nil, nil, err
	}
	return rest, held, nil
}

// limit returns n examples, stratified by class, or d itself if n is 0 or at least d.Len().
// They are in drawing order, so that a smaller limit gives a prefix of a larger one's set.
func (d *Dataset) limit(n int) (*Dataset, error) {
	if n == 0 || n >= d.Len() {
		return d, nil
	}
	return d.Subset(d.Split, stratifiedOrder(d.Labels, len(d.Classes))[:n])
}

// stratifiedOrder returns a random order of the examples in which every prefix has the
// classes in about their proportions: the r-th drawn of a class with n examples has the
// position (r+1/2)/n. It depends on the labels only, so it is the same for every run.
func stratifiedOrder(labels []int32, classes int) []int {
	count := make([]int, classes)
	for _, c := range labels {
		count[c]++
	}
	order := stream(forStratify, 0, 0, 0).Perm(len(labels))
	position := make([]float64, len(labels))
	rank := make([]int, classes)
	for _, i := range order {
		c := labels[i]
		position[i] = (float64(rank[c]) + .5) / float64(count[c])
		rank[c]++
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(position[i], position[j]) })
	return order
}

// hashSplit selects the test examples of a dataset without its own split. names[i]
// identifies example i within classes[i]. Of every class it takes the first fifth, rounded
// and at least one, in the order of SHA-256("class/name"). So the split does not depend on
// where the files are stored or in which order they are listed, and hardly changes when
// examples are added. It is an error if a class has one example.
func hashSplit(classes, names []string) (test []bool, err error) {
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
			return nil, fmt.Errorf("class %s has one example: it needs two, one for training and one for testing", shown(class))
		}
		slices.SortFunc(examples, func(a, b keyed) int { return slices.Compare(a.key[:], b.key[:]) })
		for _, e := range examples[:max(1, (2*len(examples)+5)/10)] {
			test[e.index] = true
		}
	}
	return test, nil
}

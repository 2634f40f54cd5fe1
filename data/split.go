package data

import (
	"cmp"
	"fmt"
	"slices"
)

// HoldOut draws n examples at random and holds them out, for validation say;
// rest has the others. Both keep the order of d and bear the split names given.
// The draw depends on n, seed and d.Len() only.
func (d *Dataset) HoldOut(n int, seed uint64, restSplit, heldSplit string) (rest, held *Dataset, err error) {
	if n < 1 || n >= d.Len() {
		return nil, nil, fmt.Errorf("data: cannot hold out %d of the %d examples of %s: give a number from 1 to %d", n, d.Len(), d.Name, d.Len()-1)
	}
	return d.cut(stream(forHoldOut, seed, 0, 0).Perm(d.Len()), n, restSplit, heldSplit)
}

// cut holds out the first n examples of order. Both parts keep d's own order.
func (d *Dataset) cut(order []int, n int, restSplit, heldSplit string) (rest, held *Dataset, err error) {
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

// limit returns n examples spread over the classes, or d itself where n is 0 or
// reaches all of it. They come in drawing order, so that a smaller limit gives
// the beginning of a larger one's set.
func (d *Dataset) limit(n int) (*Dataset, error) {
	if n == 0 || n >= d.Len() {
		return d, nil
	}
	return d.Subset(d.Split, spread(d.Labels, len(d.Classes))[:n])
}

// spread orders the examples at random in such a way that every beginning of
// the order holds the classes about in their proportions: the r-th drawn of a
// class with n examples stands at (r+1/2)/n of the way. The order depends on
// the labels only, so it is the same for every run.
func spread(labels []int32, classes int) []int {
	count := make([]int, classes)
	for _, c := range labels {
		count[c]++
	}
	order := stream(forSpread, 0, 0, 0).Perm(len(labels))
	place := make([]float64, len(labels))
	rank := make([]int, classes)
	for _, i := range order {
		c := labels[i]
		place[i] = (float64(rank[c]) + .5) / float64(count[c])
		rank[c]++
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(place[i], place[j]) })
	return order
}

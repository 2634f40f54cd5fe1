package data

import (
	"fmt"
	"slices"
	"strings"
)

// HoldOutClasses splits the dataset by class, to evaluate a model on classes that it was not
// trained on: held has the examples of the named classes, rest all others. Both keep the order of
// d and number their classes from 0 in d's order, so labels of one mean nothing in the other. Call
// it on the test set, too.
//
// It is an error if a name is no class of d, if none or all classes are named, or if either part
// has no examples.
func (d *Dataset) HoldOutClasses(names ...string) (rest, held *Dataset, err error) {
	for _, name := range names {
		if !slices.Contains(d.Classes, name) {
			return nil, nil, fmt.Errorf("data: %s has no class %q to hold out; its classes are %s", d.Name, name, strings.Join(d.Classes, ", "))
		}
	}
	in := func(name string) bool { return slices.Contains(names, name) }
	if !slices.ContainsFunc(d.Classes, in) {
		return nil, nil, fmt.Errorf("data: no class of %s is named: name at least one to hold out; its classes are %s", d.Name, strings.Join(d.Classes, ", "))
	}
	out := func(name string) bool { return !in(name) }
	if !slices.ContainsFunc(d.Classes, out) {
		return nil, nil, fmt.Errorf("data: all %d classes of %s are named: leave at least one", len(d.Classes), d.Name)
	}
	heldNames := slices.DeleteFunc(slices.Clone(d.Classes), out)
	if rest, err = d.ofClasses(d.Name+" without "+strings.Join(heldNames, ", "), out); err != nil {
		return nil, nil, err
	}
	if held, err = d.ofClasses(d.Name+", only "+strings.Join(heldNames, ", "), in); err != nil {
		return nil, nil, err
	}
	return rest, held, nil
}

// ofClasses returns the examples of the wanted classes under a new name, labels renumbered.
func (d *Dataset) ofClasses(name string, wanted func(class string) bool) (*Dataset, error) {
	var classes []string
	renumbered := make([]int32, len(d.Classes)) // -1 for classes that are not wanted
	for i, class := range d.Classes {
		renumbered[i] = -1
		if wanted(class) {
			renumbered[i] = int32(len(classes))
			classes = append(classes, class)
		}
	}
	var indices []int
	for i, label := range d.Labels {
		if renumbered[label] >= 0 {
			indices = append(indices, i)
		}
	}
	if len(indices) == 0 {
		return nil, fmt.Errorf("data: %s %s has no examples of %s", d.Name, d.Split, strings.Join(classes, ", "))
	}
	part, err := d.Subset(d.Split, indices)
	if err != nil {
		return nil, err
	}
	part.Name, part.Classes = name, classes
	for i, label := range part.Labels {
		part.Labels[i] = renumbered[label]
	}
	return New(*part) // its checksum covers names and labels
}

package data

import (
	"fmt"
	"slices"
	"strings"
)

// HoldOutClasses takes whole classes out of the set, so that a model which never
// saw them can be asked about them: rest has the examples of all other classes
// and is what to train or to measure on, held those of the named ones. Both keep
// the order of d and number the classes they are left with anew, in d's order, so
// labels of the one mean nothing to the other. Do the same with the test set.
//
// At least one class must be held out and one left, and both need examples.
func (d *Dataset) HoldOutClasses(names ...string) (rest, held *Dataset, err error) {
	for _, name := range names {
		if !slices.Contains(d.Classes, name) {
			return nil, nil, fmt.Errorf("data: %s has no class %q to hold out; its classes are %s", d.Name, name, strings.Join(d.Classes, ", "))
		}
	}
	in := func(name string) bool { return slices.Contains(names, name) }
	if !slices.ContainsFunc(d.Classes, in) {
		return nil, nil, fmt.Errorf("data: no class of %s is named to be held out; its classes are %s", d.Name, strings.Join(d.Classes, ", "))
	}
	out := func(name string) bool { return !in(name) }
	if !slices.ContainsFunc(d.Classes, out) {
		return nil, nil, fmt.Errorf("data: all %d classes of %s are to be held out: leave one or more", len(d.Classes), d.Name)
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

// ofClasses returns the examples of the classes that are wanted, under a name.
func (d *Dataset) ofClasses(name string, wanted func(class string) bool) (*Dataset, error) {
	var classes []string
	renumbered := make([]int32, len(d.Classes)) // -1 for a class that is not wanted
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

package ngebm

import (
	"errors"
	"fmt"

	"ngebm/data"
)

// ready tells whether a set can be run through a network: a set that data.New did not make
// may lack pixels, or what scales them.
func ready(d *data.Dataset) error {
	if d == nil {
		return errors.New("ngebm: the data set is nil; open one with data.Open, or make one with data.New")
	}
	values, wanted := len(d.Points), d.Len()*sizeOf(d.Shape)
	if d.IsImages() {
		values = len(d.Pixels)
	}
	if d.Checksum == "" || values != wanted || d.IsImages() && d.MaxPixel == 0 {
		return fmt.Errorf("ngebm: the set %q has %d values for %d examples of shape %v, and was not made by data.New, which checks it; make it with data.New", d.Name, values, d.Len(), d.Shape)
	}
	return nil
}

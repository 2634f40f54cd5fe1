package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"

	"ngebm/data/tabular"
)

// Info describes a dataset and its origin. Every result that is computed from the dataset
// carries it.
type Info struct {
	Name     string   `json:"name"`     // as a person would cite it, "CIFAR-10 (JPEG)"
	Split    string   `json:"split"`    // "train", "test" or "validation"
	Source   string   `json:"source"`   // citation or address, never a local path
	License  string   `json:"license"`  // SPDX identifier or the authors' terms; "unknown" for your own files
	Lossy    bool     `json:"lossy"`    // true where pixels went through lossy compression
	Classes  []string `json:"classes"`  // class names; a label is an index into them
	Checksum string   `json:"checksum"` // SHA-256 over shape, MaxPixel, classes, examples and labels in order, hex

	bySeverity bool // sorted by the severity of a corruption; see [Dataset.Sample]
}

// maxSide bounds the height, width and channels of one image, so that their product does not
// overflow an int.
const maxSide = 1 << 14

// Dataset is a set of N labeled examples of one shape, in memory. Exactly one of Pixels and
// Points is set. It must not be modified once built, because [New] computes its checksum.
type Dataset struct {
	Info
	// Shape of one example: {height, width, channels} for images, {2} for
	// points in the plane, {n} for rows of n inputs.
	Shape []int
	// Pixels has the shape [N, height, width, channels], values in 0..MaxPixel.
	Pixels []uint8
	// MaxPixel is the value of white: 255 for photographs, 16 for the UCI digits.
	MaxPixel uint8
	// Points has the shape [N, n]. Networks get the values unchanged.
	Points []float32
	// Labels has the shape [N], class indices in [0, len(Classes)).
	Labels []int32
	// Encoder says how rows of a table became Points; nil for other datasets.
	Encoder *tabular.Encoder

	noise *inputNoise // nil for none
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

// IsImages reports whether the examples are images; otherwise they are points or rows.
func (d *Dataset) IsImages() bool { return d.Points == nil }

// Example writes example i into dst, which has length Size, as input of a network: pixels
// scaled from 0..MaxPixel to [-1,1], points unchanged, and the noise of [Dataset.WithNoise].
func (d *Dataset) Example(i int, dst []float32) {
	size := d.Size()
	if d.IsImages() {
		toInput(dst, d.Pixels[i*size:(i+1)*size], d.MaxPixel)
	} else {
		copy(dst, d.Points[i*size:(i+1)*size])
	}
	if d.noise != nil {
		d.noise.add(i, dst[:size])
	}
}

// toInput scales pixels from 0..maxPixel to [-1,1].
func toInput(dst []float32, pixels []uint8, maxPixel uint8) {
	scale := 2 / float32(maxPixel)
	for j, p := range pixels {
		// The conversion prevents a fused multiply-add, so that the bits are the same on
		// every processor.
		dst[j] = float32(float32(p)*scale) - 1
	}
}

// String describes the dataset in one line: name, split, size, shape, number of classes.
func (d *Dataset) String() string {
	return fmt.Sprintf("%s %s: %d examples of %v in %d classes", d.Name, d.Split, d.Len(), d.Shape, len(d.Classes))
}

// Subset returns the examples at the given indices, in that order, as a new dataset with the
// split name given. It is an error if an index is out of range or there are none.
func (d *Dataset) Subset(split string, indices []int) (*Dataset, error) {
	if err := d.withoutNoise(); err != nil {
		return nil, err
	}
	size := d.Size()
	sub := &Dataset{Info: d.Info, Shape: slices.Clone(d.Shape), MaxPixel: d.MaxPixel, Encoder: d.Encoder}
	sub.Split = split
	sub.Labels = make([]int32, 0, len(indices))
	if d.IsImages() {
		sub.Pixels = make([]uint8, 0, len(indices)*size)
	} else {
		sub.Points = make([]float32, 0, len(indices)*size)
	}
	for _, i := range indices {
		if i < 0 || i >= d.Len() {
			return nil, fmt.Errorf("data: index %d is out of range: %s has %d examples", i, d.Name, d.Len())
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

// New validates a dataset that a loader has filled in and computes its checksum. It keeps the
// slices. The error describes the first problem: not exactly one of Pixels and Points, no
// examples, no classes, a class name with control characters or of two classes, a shape that
// is not that of images or points, lengths that disagree, a label or pixel out of range, a
// coordinate that is not finite, or an encoder for other inputs.
func New(d Dataset) (*Dataset, error) {
	if err := d.check(); err != nil {
		name := d.Name
		if name == "" {
			name = "dataset"
		}
		return nil, fmt.Errorf("data: %s: %w", shown(name), err)
	}
	d.Checksum = d.checksum()
	return &d, nil
}

func (d *Dataset) check() error {
	switch {
	case (d.Pixels == nil) == (d.Points == nil):
		return errors.New("exactly one of Pixels and Points must be set")
	case d.Len() == 0:
		return errors.New("it has no examples")
	case len(d.Classes) == 0:
		return errors.New("it has no class names")
	}
	known := make(map[string]int, len(d.Classes))
	for i, class := range d.Classes {
		if !isVisible(class) {
			return fmt.Errorf("class %d is called %q, which has unprintable characters: rename it", i, class)
		}
		if first, ok := known[class]; ok {
			return fmt.Errorf("classes %d and %d (from 0) are both called %q: rename one, or make them one class", first, i, class)
		}
		known[class] = i
	}
	for i, label := range d.Labels {
		if label < 0 || int(label) >= len(d.Classes) {
			return fmt.Errorf("example %d has label %d, but with %d classes labels range from 0 to %d", i, label, len(d.Classes), len(d.Classes)-1)
		}
	}
	if d.IsImages() {
		return d.checkPixels()
	}
	return d.checkPoints()
}

func (d *Dataset) checkPixels() error {
	if d.Encoder != nil {
		return errors.New("an encoder is for rows of a table, but it holds images")
	}
	if len(d.Shape) != 3 || slices.Min(d.Shape) < 1 || slices.Max(d.Shape) > maxSide {
		return fmt.Errorf("shape %v is not an image shape: want [height width channels], each from 1 to %d", d.Shape, maxSide)
	}
	if d.MaxPixel == 0 {
		return errors.New("MaxPixel is 0: set it to the value of white, 255 for photographs")
	}
	if want := d.Len() * d.Size(); len(d.Pixels) != want {
		return fmt.Errorf("%d images of shape %v need %d pixels, but there are %d", d.Len(), d.Shape, want, len(d.Pixels))
	}
	if d.MaxPixel == math.MaxUint8 {
		return nil
	}
	for i, p := range d.Pixels {
		if p > d.MaxPixel {
			return fmt.Errorf("example %d has a pixel of %d, above MaxPixel %d", i/d.Size(), p, d.MaxPixel)
		}
	}
	return nil
}

func (d *Dataset) checkPoints() error {
	if len(d.Shape) != 1 || d.Shape[0] < 1 || d.Shape[0] > tabular.MaxInputs {
		return fmt.Errorf("shape %v is not a point shape: want [2], or [n] with n from 1 to %d", d.Shape, tabular.MaxInputs)
	}
	if want := d.Len() * d.Size(); len(d.Points) != want {
		return fmt.Errorf("%d points of shape %v need %d coordinates, but there are %d", d.Len(), d.Shape, want, len(d.Points))
	}
	for i, x := range d.Points {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("example %d has the coordinate %v, which is not finite", i/d.Size(), x)
		}
	}
	if d.Encoder == nil {
		return nil
	}
	if err := d.Encoder.Validate(); err != nil {
		return fmt.Errorf("its encoder: %w", err)
	}
	if n := d.Encoder.Size(); n != d.Size() {
		return fmt.Errorf("its encoder makes %d inputs of a row, but its shape is %v", n, d.Shape)
	}
	return nil
}

// checksum hashes everything that a result can depend on, numbers in little-endian order.
// Stored runs hold it: its input must not change.
func (d *Dataset) checksum() string {
	h := sha256.New()
	fmt.Fprintf(h, "%v %d %d %q\n", d.Shape, d.MaxPixel, d.Len(), d.Classes)
	h.Write(d.Pixels)
	hashWords(h, d.Points, math.Float32bits)
	hashWords(h, d.Labels, func(label int32) uint32 { return uint32(label) })
	if d.Encoder != nil {
		h.Write(d.Encoder.JSON())
	}
	if d.noise != nil {
		fmt.Fprintf(h, "noise %v %d\n", d.noise.sigma, d.noise.seed)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashWords[T any](h hash.Hash, values []T, bits func(T) uint32) {
	var block []byte
	for chunk := range slices.Chunk(values, 4096) {
		block = block[:0]
		for _, v := range chunk {
			block = binary.LittleEndian.AppendUint32(block, bits(v))
		}
		h.Write(block)
	}
}

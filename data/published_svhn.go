package data

import (
	"context"
	"fmt"
	"io"
	"slices"

	"ngebm/data/fetch"
	"ngebm/data/format"
)

// svhnSet is SVHN's "Format 2", cropped digits: for training and test one MAT file with the images X
// and the labels y, in which 10 means the digit 0. http://ufldl.stanford.edu/housenumbers/
type svhnSet struct {
	published Published // files: training, test
	side      int       // of an image, in pixels
	examples  [2]int    // to train, to test
}

// svhn has the splits train and test. The third one, "extra", is left out, as in papers that use
// SVHN for out-of-distribution detection.
func svhn() svhnSet {
	// Sizes and SHA-256 sums are from TensorFlow Datasets'
	// url_checksums/svhn_cropped.txt; torchvision's prototype/datasets/_builtin/
	// svhn.py has the same sums. The originals were not available; these checksums are
	// unverified against them.
	file := func(name string, size int64, sha256 string) fetch.File {
		return fetch.File{
			Name: "svhn-" + name, URLs: []string{"http://ufldl.stanford.edu/housenumbers/" + name}, Size: size, SHA256: sha256,
			Published: "TensorFlow Datasets, url_checksums/svhn_cropped.txt",
		}
	}
	return svhnSet{
		published: Published{
			Name: "svhn", Title: "SVHN",
			Source:  "Y. Netzer et al.: Reading Digits in Natural Images with Unsupervised Feature Learning, NIPS Workshop 2011, http://ufldl.stanford.edu/housenumbers/",
			License: "for non-commercial use only",
			Files: []fetch.File{
				file("train_32x32.mat", 182040794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
				file("test_32x32.mat", 64275384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
			},
		},
		side: 32, examples: [2]int{73_257, 26_032},
	}
}

func (s svhnSet) open(ctx context.Context, _ string, opts Options) (train, test *Dataset, err error) {
	return s.published.open(ctx, opts, func(opened []*fetch.Opened) (train, test *Dataset, err error) {
		var parts [2]*Dataset
		for i, split := range []string{"train", "test"} {
			err := reading(ctx, opts, opened[i], func(r io.Reader) (err error) {
				parts[i], err = s.read(r, split, s.examples[i])
				return err
			})
			if err != nil {
				return nil, nil, err
			}
		}
		return parts[0], parts[1], nil
	})
}

// read reads a file of n examples.
func (s svhnSet) read(r io.Reader, split string, n int) (*Dataset, error) {
	size := 3 * s.side * s.side
	// Labels may take 8 bytes each. Read up to twice the size, so that an oversized file is
	// reported by its shape.
	arrays, err := format.ReadMAT(r, 2*int64(n)*int64(size+8))
	if err != nil {
		return nil, err
	}
	x, y := arrays["X"], arrays["y"]
	if x == nil || y == nil {
		return nil, fmt.Errorf("it lacks the variable X or y")
	}
	if want := []int{s.side, s.side, 3, n}; !slices.Equal(x.Shape, want) {
		return nil, fmt.Errorf("X has shape %v, want %v", x.Shape, want)
	}
	if y.Len() != n {
		return nil, fmt.Errorf("y has %d labels for the %d images of X", y.Len(), n)
	}
	pixels, err := x.Bytes()
	if err != nil {
		return nil, fmt.Errorf("X: %w", err)
	}
	digits, err := y.Integers()
	if err != nil {
		return nil, fmt.Errorf("y: %w", err)
	}
	d := Dataset{
		Info:  s.published.info(split, tenDigits()),
		Shape: []int{s.side, s.side, 3}, MaxPixel: 255,
		Pixels: pixels, Labels: make([]int32, n),
	}
	columns := make([]uint8, size)
	for i, digit := range digits {
		if digit < 1 || digit > 10 {
			return nil, fmt.Errorf("label %d (from 0) is %d, but SVHN's range from 1 to 10, which means the digit 0", i, digit)
		}
		d.Labels[i] = int32(digit % 10)
		image := pixels[i*size:][:size] // in place: all images take hundreds of MB
		copy(columns, image)
		s.turn(image, columns)
	}
	return New(d)
}

// turn converts one image from [3, column, row] to [row, column, 3].
func (s svhnSet) turn(pixels, columns []uint8) {
	area := s.side * s.side
	for row := range s.side {
		for column := range s.side {
			for channel := range 3 {
				pixels[3*(s.side*row+column)+channel] = columns[area*channel+s.side*column+row]
			}
		}
	}
}

package data

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ngebm/data/files"
	"ngebm/data/format"
)

const npzLayout = "x, y; or x_train, y_train, x_test, y_test; or train_images, train_labels, test_images, test_labels"

// npzNames are the names of the arrays of a split dataset: training images and labels, test images
// and labels.
func npzNames() [][4]string {
	return [][4]string{
		{"x_train", "y_train", "x_test", "y_test"},                     // Keras
		{"train_images", "train_labels", "test_images", "test_labels"}, // MedMNIST
	}
}

// openNPZ reads images and labels from a NumPy archive: images as uint8 of shape [n, height, width]
// or [n, height, width, channels], labels as integers from 0 of shape [n] or [n, 1]. opts.Progress
// gets a report about classes without training examples, and images whose values are all below [dark].
func openNPZ(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	archive, err := archivePath(name)
	if err != nil {
		return nil, nil, err
	}
	key, err := fileKey(ctx, archive, files.OpenLinked)
	if err != nil {
		return nil, nil, err
	}
	return cachedWithNote(opts, archive+" as npz", key+"npz with classes", func() (train, test *Dataset, note string, err error) {
		file, err := files.OpenLinked(archive, maxFileSize)
		if err != nil {
			return nil, nil, "", fmt.Errorf("data: %w", err)
		}
		defer file.Close()
		bar := track(opts.Progress, "decode "+filepath.Base(archive), "bytes", fileSize(file))
		defer bar.finish()
		base := shown(filepath.Base(archive))
		arrays, err := format.OpenNPZ(file, fileSize(file))
		if err == nil {
			limit := min(maxDecoded, max(minUnpackedLimit, maxUnpackedTimes*fileSize(file)))
			if train, test, err = readNPZ(ctx, arrays, base, limit); err == nil {
				bar.add(int(fileSize(file)))
			}
		}
		if err != nil {
			return nil, nil, "", fmt.Errorf("data: %s: %w", shown(archive), err)
		}
		var notes []string
		if empty := train.classesWithout(); len(empty) > 0 {
			notes = append(notes, fmt.Sprintf("%d of the %d classes have no training example (%s)", len(empty), len(train.Classes), listed(empty, ", ")))
		}
		if brightest := max(slices.Max(train.Pixels), slices.Max(test.Pixels)); brightest < dark {
			notes = append(notes, fmt.Sprintf("its images use less than 1/8 of the range: their largest value is %d of 255: rescale them first if %[1]d is white", brightest))
		}
		if notes != nil {
			note = base + ": " + strings.Join(notes, "; ")
		}
		return train, test, note, nil
	})
}

// An array of a compressed file may take maxUnpackedTimes the file's size, and any array
// minUnpackedLimit: photographs compress to a half, digits to a fifth.
const (
	maxUnpackedTimes = 100
	minUnpackedLimit = 64 << 20
)

// readNPZ builds a dataset from arrays with one of the groups of npzNames, or from x and y, which
// it splits. limit bounds the bytes of each array.
func readNPZ(ctx context.Context, arrays *format.NPZ, base string, limit int64) (train, test *Dataset, err error) {
	have := arrays.Names()
	has := func(name string) bool { return slices.Contains(have, name) }
	set := Dataset{Info: Info{Name: base, Source: "a user's arrays", License: "unknown"}, MaxPixel: 255}
	for _, names := range npzNames() {
		if !slices.ContainsFunc(names[:], has) {
			continue
		}
		if slices.ContainsFunc(have, func(name string) bool { return strings.HasPrefix(name, "val_") || strings.HasSuffix(name, "_val") }) {
			set.Source += "; without those for validation"
		}
		trainPart, err := readNPZPart(ctx, arrays, set, names[0], names[1], limit)
		if err != nil {
			return nil, nil, err
		}
		testPart, err := readNPZPart(ctx, arrays, set, names[2], names[3], limit)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Equal(trainPart.Shape, testPart.Shape) {
			return nil, nil, fmt.Errorf("the images of %s are %v, those of %s %v: both need the same shape", names[0], trainPart.Shape, names[2], testPart.Shape)
		}
		if err := sameLabels(names[1], trainPart.Labels, names[3], testPart.Labels); err != nil {
			return nil, nil, err
		}
		classes, err := npzClasses(trainPart.Labels, testPart.Labels)
		if err != nil {
			return nil, nil, err
		}
		if train, err = trainPart.asSplit("train", classes); err != nil {
			return nil, nil, err
		}
		test, err = testPart.asSplit("test", classes)
		return train, test, err
	}
	if !has("x") || !has("y") {
		return nil, nil, fmt.Errorf("it has the arrays %q, but needs %s", have, npzLayout)
	}
	set.Source += "; split by number, a fifth of every class to test"
	all, err := readNPZPart(ctx, arrays, set, "x", "y", limit)
	if err != nil {
		return nil, nil, err
	}
	classes, err := npzClasses(all.Labels)
	if err != nil {
		return nil, nil, err
	}
	whole, err := all.asSplit("", classes)
	if err != nil {
		return nil, nil, err
	}
	return whole.splitByNumber()
}

// sameLabels refuses training and test labels that count from different numbers.
func sameLabels(train string, trained []int32, test string, tested []int32) error {
	trainMin, trainMax := slices.Min(trained), slices.Max(trained)
	testMin, testMax := slices.Min(tested), slices.Max(tested)
	if trainMin > 0 && testMin == 0 || testMax > trainMax {
		return fmt.Errorf("the labels of %s range from %d to %d, those of %s from %d to %d: both must count classes from 0, and the training labels must have every class", train, trainMin, trainMax, test, testMin, testMax)
	}
	return nil
}

// classesWithout returns the names of the classes without examples.
func (d *Dataset) classesWithout() []string {
	has := make([]bool, len(d.Classes))
	for _, label := range d.Labels {
		has[label] = true
	}
	var without []string
	for k, name := range d.Classes {
		if !has[k] {
			without = append(without, name)
		}
	}
	return without
}

// npzClasses returns the number of classes of all labels together.
func npzClasses(parts ...[]int32) (int32, error) {
	all := slices.Concat(parts...)
	minLabel, maxLabel := slices.Min(all), slices.Max(all)
	if minLabel > 0 {
		return 0, fmt.Errorf("the labels range from %d to %d, but classes count from 0: store y - %d", minLabel, maxLabel, minLabel)
	}
	return maxLabel + 1, nil
}

// asSplit builds a dataset of one split, with numbers as class names.
func (d Dataset) asSplit(split string, classes int32) (*Dataset, error) {
	d.Split = split
	for k := range classes {
		d.Classes = append(d.Classes, strconv.Itoa(int(k)))
	}
	return New(d)
}

// splitByNumber applies [hashSplit], with each example's number within its class as its name.
func (d *Dataset) splitByNumber() (train, test *Dataset, err error) {
	classes, names := make([]string, d.Len()), make([]string, d.Len())
	count := make([]int, len(d.Classes))
	for i, c := range d.Labels {
		classes[i], names[i] = d.Classes[c], strconv.Itoa(count[c])
		count[c]++
	}
	isTest, err := hashSplit(classes, names)
	if err != nil {
		return nil, nil, err
	}
	var order, rest []int
	for i, t := range isTest {
		if t {
			order = append(order, i)
		} else {
			rest = append(rest, i)
		}
	}
	return d.splitAt(append(order, rest...), len(order), "train", "test")
}

// readNPZPart reads images and labels into a copy of set, without class names.
func readNPZPart(ctx context.Context, arrays *format.NPZ, set Dataset, imagesName, labelsName string, limit int64) (d Dataset, err error) {
	if err := ctx.Err(); err != nil {
		return d, err
	}
	if n := arrays.Size(imagesName); n > limit {
		return d, fmt.Errorf("array %q takes %d MB, more than the %d MB that a file of this size may unpack to: store it without compression, by numpy.savez", imagesName, n>>20, limit>>20)
	}
	images, err := arrays.Read(imagesName, limit)
	if err != nil {
		return d, err
	}
	if set.Shape, err = npzShape(images.Shape); err != nil {
		return d, fmt.Errorf("array %q: %w", imagesName, err)
	}
	if set.Pixels, err = images.Bytes(); err != nil {
		return d, fmt.Errorf("array %q: %w: store values from 0 to 255 as uint8", imagesName, err)
	}
	labels, err := arrays.Read(labelsName, limit)
	if err != nil {
		return d, err
	}
	if set.Labels, err = npzLabels(labels, images.Shape[0]); err != nil {
		return d, fmt.Errorf("array %q: %w", labelsName, err)
	}
	return set, nil
}

// npzShape returns the shape of one image.
func npzShape(shape []int) ([]int, error) {
	switch {
	case len(shape) == 3:
		return []int{shape[1], shape[2], 1}, nil
	case len(shape) == 4 && shape[3] <= 4:
		return shape[1:], nil
	case len(shape) == 4 && shape[1] <= 4:
		return nil, fmt.Errorf("its shape is %v, channels first: store transpose(0, 2, 3, 1) of it", shape)
	}
	return nil, fmt.Errorf("its shape is %v: want [n height width], or [n height width channels] with up to 4 channels", shape)
}

// maxNPZClasses bounds the labels, because every number up to the largest is a class.
const maxNPZClasses = 1 << 16

// npzLabels returns n labels.
func npzLabels(labels *format.Array, n int) ([]int32, error) {
	if shape := labels.Shape; !slices.Equal(shape, []int{n}) && !slices.Equal(shape, []int{n, 1}) {
		return nil, fmt.Errorf("its shape is %v: for %d images want [%d] or [%d 1]", shape, n, n, n)
	}
	values, err := labels.Integers()
	if err != nil {
		return nil, err
	}
	result := make([]int32, n)
	for i, v := range values {
		if v < 0 || v >= maxNPZClasses {
			return nil, fmt.Errorf("label %d (from 0) is %d: labels may range from 0 to %d", i, v, maxNPZClasses-1)
		}
		result[i] = int32(v)
	}
	return result, nil
}

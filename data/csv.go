package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ngebm/data/files"
	"ngebm/data/progress"
	"ngebm/data/tabular"
	"ngebm/data/unpack"
)

const csvLayout = "PATH is a file, TRAIN.csv,TEST.csv or a folder with train.csv and test.csv; LABEL is the column of the classes, by name or number from 1"

// maxCSV bounds the bytes of a file as text.
const maxCSV = 1 << 30

// shortCSV is the size of a file that is read in less than a second, whose progress is not shown.
const shortCSV = 4 << 20

// openCSV opens rows of a table; see package tabular. A single file is split by the content of its
// rows, a fifth of every class to test. Numbers are standardized by all training rows, before a limit
// or a validation split.
func openCSV(ctx context.Context, arg string, opts Options) (train, test *Dataset, err error) {
	at := strings.LastIndexByte(arg, '@')
	if at <= 0 || at == len(arg)-1 {
		return nil, nil, fmt.Errorf("data: %q does not name the column of the classes: write csv:PATH@LABEL; %s", "csv:"+arg, csvLayout)
	}
	trainPath, testPath, open, err := csvPaths(arg[:at])
	if err != nil {
		return nil, nil, err
	}
	table, err := readCSV(trainPath, open, opts, func(r *unpack.Reader) (*tabular.Table, error) { return tabular.Read(ctx, r, arg[at+1:]) })
	if err != nil {
		return nil, nil, err
	}
	set := Dataset{Info: Info{Name: shown(filepath.Base(arg[:at])), Source: "a user's table", License: "unknown", Classes: table.Classes}}
	if testPath == "" {
		return splitTable(set, table, opts)
	}
	all := make([]int, len(table.Labels))
	for i := range all {
		all[i] = i
	}
	set.Name = shown(filepath.Base(trainPath))
	if err := set.fillTable(table, all, trainPath, opts); err != nil {
		return nil, nil, err
	}
	rows, err := readCSV(testPath, open, opts, func(r *unpack.Reader) (*tabular.Rows, error) { return set.Encoder.Read(ctx, r) })
	if err != nil {
		return nil, nil, err
	}
	testSet := set
	testSet.Split, testSet.Points = "test", rows.Inputs
	if testSet.Labels, err = labelsOf(rows, set.Encoder.Label, set.Classes); err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", shown(testPath), err)
	}
	set.Split = "train"
	if train, err = New(set); err != nil {
		return nil, nil, err
	}
	test, err = New(testSet)
	return train, test, err
}

// csvPaths returns the files that a path stands for, and what opens them; test is empty for a single
// one. Files that the user names may be links; those in a folder may be links within it.
func csvPaths(path string) (train, test string, open openFile, err error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return filepath.Join(path, "train.csv"), filepath.Join(path, "test.csv"), openInFolder, nil
	}
	if first, second, two := strings.Cut(path, ","); err != nil && two && first != "" && second != "" {
		return first, second, files.OpenLinked, nil
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("data: no table at %s: %w: check the path; %s", shown(path), shownError(err), csvLayout)
	}
	return path, "", files.OpenLinked, nil
}

// readCSV opens a file, which may be compressed, and reads it.
func readCSV[T any](path string, open openFile, opts Options, read func(r *unpack.Reader) (T, error)) (result T, err error) {
	file, err := open(path, maxCSV)
	if link := (*files.LinkError)(nil); errors.As(err, &link) && !errors.Is(err, fs.ErrNotExist) {
		return result, fmt.Errorf("data: no table: %w: copy the target into the folder, or name both files, TRAIN.csv,TEST.csv", err)
	}
	if err != nil {
		return result, fmt.Errorf("data: no table: %w: check the path; %s", err, csvLayout)
	}
	defer file.Close()
	to := opts.Progress
	if fileSize(file) < shortCSV {
		to = progress.Discard{}
	}
	bar := track(to, "read "+filepath.Base(path), "bytes", fileSize(file))
	defer bar.finish()
	r, err := unpack.NewReader(bar.reader(file), unpack.Limit{Free: minUnpackedLimit, Ratio: maxUnpackedTimes, Err: fmt.Errorf("it unpacks to more than %d times its size: unpack it first", maxUnpackedTimes)})
	if err == nil {
		result, err = read(r)
	}
	if err != nil {
		return result, fmt.Errorf("data: %s: %w", shown(path), err)
	}
	return result, nil
}

// fillTable sets the examples of all rows, encoded by the training rows, and reports columns without inputs.
func (d *Dataset) fillTable(table *tabular.Table, train []int, path string, opts Options) error {
	encoder, constant, err := table.Fit(train)
	if err == nil {
		d.Points, err = table.Encode(encoder)
	}
	if err != nil {
		return fmt.Errorf("data: %s: %w", shown(path), err)
	}
	if len(constant) > 0 {
		notice(opts.Progress, fmt.Sprintf("%s: columns left out because they are constant in the training rows: %s", filepath.Base(path), listed(constant, ", ")))
	}
	d.Shape, d.Labels, d.Encoder = []int{encoder.Size()}, table.Labels, encoder
	return nil
}

// splitTable splits a single file by the content of its rows.
func splitTable(set Dataset, table *tabular.Table, opts Options) (train, test *Dataset, err error) {
	classes := make([]string, len(table.Labels))
	for i, label := range table.Labels {
		classes[i] = table.Classes[label]
	}
	isTest, err := hashSplit(classes, table.Keys)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", shown(set.Name), err)
	}
	var order, trainRows []int
	for i, t := range isTest {
		if t {
			order = append(order, i)
		} else {
			trainRows = append(trainRows, i)
		}
	}
	set.Source += "; split by the content of rows, a fifth of every class to test"
	if err := set.fillTable(table, trainRows, set.Name, opts); err != nil {
		return nil, nil, err
	}
	whole, err := New(set)
	if err != nil {
		return nil, nil, err
	}
	return whole.splitAt(append(order, trainRows...), len(order), "train", "test")
}

// labelsOf returns the labels of rows that were read with an encoder.
func labelsOf(rows *tabular.Rows, column string, classes []string) ([]int32, error) {
	if rows.Labels == nil {
		return nil, fmt.Errorf("line 1 has no column %q, which holds the classes", column)
	}
	labels, index := make([]int32, len(rows.Labels)), map[string]int32{}
	for k, class := range classes {
		index[class] = int32(k)
	}
	for i, class := range rows.Labels {
		k, known := index[class]
		if !known {
			return nil, fmt.Errorf("line %d: column %q has %.60q, which is no class of the training file: its classes are %s", rows.Lines[i], column, class, listed(classes, ", "))
		}
		labels[i] = k
	}
	return labels, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/table"
	"ngebm/ngebm/nets"
)

// inputReader turns files into inputs of a run's network.
type inputReader struct {
	run    *ngebm.Run
	images *data.ImageDecoder // nil if files of images are not taken
	why    error              // then, of inputs that are images
}

func newInputReader(run *ngebm.Run) *inputReader {
	r := &inputReader{run: run}
	if len(run.Classifier.Shape) != 3 {
		return r
	}
	fit, err := data.FitOf(run.Config.Data)
	if err == nil {
		r.images, err = data.NewImageDecoder(run.Classifier.Shape, fit)
	}
	if err != nil {
		r.images, r.why = nil, err
	}
	return r
}

// ofNumbers are the endings of files that hold numbers, not images; packed those of files whose reader says
// how to unpack them.
var (
	ofNumbers = []string{".csv", ".tsv", ".txt", ".npy", ".npz", ".gz", ".bz2"}
	packed    = []string{".zst", ".xz"}
)

// maxInputFile is the largest file that is opened, in bytes: readers have lower bounds.
const maxInputFile = 1 << 30

// file reads one file. rows says that it may hold several inputs.
func (r *inputReader) file(ctx context.Context, path string) (inputs [][]float32, rows bool, err error) {
	encoder := r.run.Classifier.Encoder
	switch {
	case encoder != nil:
		f, err := openInput(path)
		if err != nil {
			return nil, true, err
		}
		defer f.Close()
		table, err := encoder.Read(ctx, f)
		if err != nil {
			return nil, true, err
		}
		return slices.Collect(slices.Chunk(table.Inputs, encoder.Size())), true, nil
	case r.images == nil && r.why == nil || slices.Contains(slices.Concat(ofNumbers, packed), strings.ToLower(filepath.Ext(path))):
		inputs, err = r.numbers(path)
		return inputs, true, err
	case r.why != nil:
		return nil, false, fmt.Errorf("this network takes no image files (%w); give numbers, in one of %s", r.why, strings.Join(ofNumbers, " "))
	}
	f, err := openInput(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	input, err := r.images.Decode(ctx, f)
	return [][]float32{input}, false, err
}

// numbers reads rows of numbers in the network's units.
func (r *inputReader) numbers(path string) ([][]float32, error) {
	t, err := table.Read(path)
	if err != nil {
		return nil, err
	}
	size := nets.Size(r.run.Classifier.Shape)
	if t.Width() != size {
		return nil, fmt.Errorf("rows of %d values; the network takes %d, shaped %v", t.Width(), size, r.run.Classifier.Shape)
	}
	for _, note := range t.Notes {
		fmt.Fprintln(os.Stderr, "note:", note)
	}
	inputs := make([][]float32, len(t.Rows))
	for i, row := range t.Rows {
		inputs[i] = make([]float32, size)
		for j, v := range row {
			if len(r.run.Classifier.Shape) == 3 && (v < -1 || v > 1) {
				return nil, fmt.Errorf("%s is %v; pixels are from -1 (black) to 1 (white): 2p/255-1 of a byte p", t.Value(i, j), v)
			}
			inputs[i][j] = float32(v)
		}
	}
	return inputs, nil
}

// openInput opens a regular file: a pipe would be waited for. Its errors do not name the file.
func openInput(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if wrong := (*os.PathError)(nil); errors.As(err, &wrong) {
		return nil, wrong.Err
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file; write its content into one")
	}
	return files.OpenLinked(path, maxInputFile)
}

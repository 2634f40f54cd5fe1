package data

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"ngebm/data/fetch"
)

// cifar is a dataset in the authors' binary format: a .tar.gz of files of records, each one or two
// label bytes and 3 planes (red, green, blue) of side x side pixels, row by row.
// https://www.cs.toronto.edu/~kriz/cifar.html
type cifar struct {
	published   Published
	side        int      // of an image, in pixels
	train, test []string // files, in the order in which they are concatenated
	records     int      // in each training file
	testRecords int      // in each test file
	labels      int      // label bytes of a record
	label       int      // index of the one used
	names       string   // file of class names, one a line
	classes     int
}

// Sizes and SHA-256 sums are from TensorFlow Datasets'
// url_checksums/cifar10.txt and cifar100.txt; GoMLX's examples/cifar,
// MLDatasets.jl and red-datasets give the same sums. The authors publish MD5
// sums: c32a1d4ab5d03f1284b67883e8d87530 (CIFAR-10) and
// 03b5dce01913d631647c71ecec9e9cb8 (CIFAR-100). The originals were
// not available; these checksums are unverified against them.

func cifar10() cifar {
	return cifar{
		published: Published{
			Name: "cifar10", Title: "CIFAR-10", Source: cifarSource, License: cifarLicense,
			Files: []fetch.File{{
				Name: "cifar-10-binary.tar.gz", URLs: []string{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"},
				Size: 170052171, SHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
				Published: "TensorFlow Datasets, url_checksums/cifar10.txt",
			}},
		},
		side:    32,
		train:   []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:    []string{"test_batch.bin"},
		records: 10_000, testRecords: 10_000,
		labels: 1, label: 0, names: "batches.meta.txt", classes: 10,
	}
}

// cifar100 is CIFAR-100 with its 100 fine labels.
func cifar100() cifar {
	return cifar{
		published: Published{
			Name: "cifar100", Title: "CIFAR-100", Source: cifarSource, License: cifarLicense,
			Files: []fetch.File{{
				Name: "cifar-100-binary.tar.gz", URLs: []string{"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"},
				Size: 168513733, SHA256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
				Published: "TensorFlow Datasets, url_checksums/cifar100.txt",
			}},
		},
		side:    32,
		train:   []string{"train.bin"},
		test:    []string{"test.bin"},
		records: 50_000, testRecords: 10_000,
		labels: 2, label: 1, names: "fine_label_names.txt", classes: 100,
	}
}

// cifar100Coarse is the same file with its 20 coarse labels.
func cifar100Coarse() cifar {
	c := cifar100()
	c.published.Name, c.published.Title = "cifar100-coarse", "CIFAR-100 (coarse)"
	c.label, c.names, c.classes = 0, "coarse_label_names.txt", 20
	return c
}

// cifar10Classes are the class names in CIFAR-10's own, alphabetical order.
func cifar10Classes() []string {
	return []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
}

const (
	cifarSource  = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009, https://www.cs.toronto.edu/~kriz/cifar.html"
	cifarLicense = "unknown: the authors state none and ask for a citation"
)

func (c cifar) open(ctx context.Context, _ string, opts Options) (train, test *Dataset, err error) {
	return c.published.open(ctx, opts, func(opened []*fetch.Opened) (train, test *Dataset, err error) {
		err = reading(ctx, opts, opened[0], func(r io.Reader) (err error) {
			train, test, err = c.read(ctx, r)
			return err
		})
		return train, test, err
	})
}

// read reads the archive.
func (c cifar) read(ctx context.Context, archive io.Reader) (train, test *Dataset, err error) {
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return nil, nil, err
	}
	return c.readTar(ctx, unzipped)
}

func (c cifar) readTar(ctx context.Context, archive io.Reader) (train, test *Dataset, err error) {
	missing := make(map[string]cifarPart) // files not read yet, by name
	trainSet := c.reserve("train", c.train, c.records, missing)
	testSet := c.reserve("test", c.test, c.testRecords, missing)
	files := newTarReader(ctx, archive)
	for {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = insideArchive(header.Name)
		}
		if err != nil {
			return nil, nil, err
		}
		name := path.Base(header.Name)
		if name == c.names {
			if trainSet.Classes, err = readClassNames(files, c.classes); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if part, ok := missing[name]; ok {
			if err := c.readRecords(files, part); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			delete(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, nil, fmt.Errorf("it lacks %s", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	if trainSet.Classes == nil {
		return nil, nil, fmt.Errorf("it lacks %s", c.names)
	}
	testSet.Classes = trainSet.Classes
	if train, err = New(trainSet); err != nil {
		return nil, nil, err
	}
	if test, err = New(testSet); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// cifarPart is the destination of the records of one file.
type cifarPart struct {
	pixels []uint8
	labels []int32
}

// reserve allocates the records of the files and stores in parts the destination of each.
func (c cifar) reserve(split string, files []string, records int, parts map[string]cifarPart) Dataset {
	size := 3 * c.side * c.side
	d := Dataset{
		Info:  c.published.info(split, nil),
		Shape: []int{c.side, c.side, 3}, MaxPixel: 255,
		Pixels: make([]uint8, len(files)*records*size),
		Labels: make([]int32, len(files)*records),
	}
	for i, name := range files {
		first, end := i*records, (i+1)*records
		parts[name] = cifarPart{d.Pixels[first*size : end*size], d.Labels[first:end]}
	}
	return d
}

// readRecords reads a file of exactly as many records as the part holds, and converts their
// planes to pixels with the channels last.
func (c cifar) readRecords(r io.Reader, part cifarPart) error {
	area := c.side * c.side
	record := make([]byte, c.labels+3*area)
	n := len(part.labels)
	buffered := bufio.NewReaderSize(r, 1<<16)
	for i := range n {
		switch got, err := io.ReadFull(buffered, record); {
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("the file is truncated: it ends at byte %d of %d, in record %d of %d (from 0)", i*len(record)+got, n*len(record), i, n)
		case err != nil:
			return err
		}
		label := int(record[c.label])
		if label >= c.classes {
			return fmt.Errorf("record %d (from 0) has label %d, but labels range from 0 to %d", i, label, c.classes-1)
		}
		part.labels[i] = int32(label)
		red, green, blue := record[c.labels:][:area], record[c.labels+area:][:area], record[c.labels+2*area:][:area]
		pixels := part.pixels[3*area*i:][:3*area]
		for p := range area {
			pixels[3*p], pixels[3*p+1], pixels[3*p+2] = red[p], green[p], blue[p]
		}
	}
	if _, err := buffered.ReadByte(); err != io.EOF {
		return fmt.Errorf("the file is longer than %d records of %d bytes", n, len(record))
	}
	return nil
}

// readClassNames reads n names, one a line.
func readClassNames(r io.Reader, n int) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(r, 1<<16))
	if err != nil {
		return nil, err
	}
	names := strings.Fields(string(text))
	if len(names) != n {
		return nil, fmt.Errorf("it has %d class names, want %d", len(names), n)
	}
	return names, nil
}

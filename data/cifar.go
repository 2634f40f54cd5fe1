package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// cifar is a set in the binary format of its authors: a .tar.gz of files of
// equal records, each one or two label bytes and 3 planes (red, green, blue) of
// side x side pixels, row by row. https://www.cs.toronto.edu/~kriz/cifar.html
type cifar struct {
	name        string
	remote      remote
	side        int      // of an image, in pixels
	train, test []string // files, in the order in which they are put together
	records     int      // in each training file
	testRecords int      // in each test file
	labels      int      // label bytes of a record; the last one counts
	names       string   // file of class names, one a line
	classes     int
}

// The published MD5 sums of the archives are c32a1d4ab5d03f1284b67883e8d87530
// (CIFAR-10) and 03b5dce01913d631647c71ecec9e9cb8 (CIFAR-100). The SHA-256 sums
// below are the ones in GoMLX's examples/cifar, MLDatasets.jl and
// red-datasets, which agree; they were not checked against the originals, which
// could not be reached where this was written.

func cifar10() cifar {
	return cifar{
		name: "CIFAR-10",
		remote: remote{
			"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
			"c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
		},
		side:    32,
		train:   []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:    []string{"test_batch.bin"},
		records: 10_000, testRecords: 10_000,
		labels: 1, names: "batches.meta.txt", classes: 10,
	}
}

// cifar100 has its fine labels; the coarse ones are skipped.
func cifar100() cifar {
	return cifar{
		name: "CIFAR-100",
		remote: remote{
			"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
			"58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
		},
		side:    32,
		train:   []string{"train.bin"},
		test:    []string{"test.bin"},
		records: 50_000, testRecords: 10_000,
		labels: 2, names: "fine_label_names.txt", classes: 100,
	}
}

// cifar10Classes are the names in CIFAR-10's own order, which is alphabetical.
func cifar10Classes() []string {
	return []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
}

const cifarSource = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009, https://www.cs.toronto.edu/~kriz/cifar.html"

func (c cifar) open(ctx context.Context, _ string, opts Options) (train, test *Dataset, err error) {
	folder, err := opts.cacheFolder()
	if err != nil {
		return nil, nil, err
	}
	archive := filepath.Join(folder, path.Base(c.remote.url))
	if err := c.remote.fetch(ctx, archive, opts.Progress); err != nil {
		return nil, nil, err
	}
	key, err := fileKey(archive)
	if err != nil {
		return nil, nil, err
	}
	return cached(opts, archive, key+c.remote.sha256, func() (train, test *Dataset, err error) {
		if err := c.remote.check(archive); err != nil {
			return nil, nil, err
		}
		file, err := os.Open(archive)
		if err != nil {
			return nil, nil, fmt.Errorf("data: %w", err)
		}
		defer file.Close()
		bar := track(opts.Progress, "unpack "+filepath.Base(archive), "bytes", fileSize(file))
		defer bar.finish()
		if train, test, err = c.read(ctx, bar.reader(file)); err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", archive, err)
		}
		return train, test, nil
	})
}

// read reads the archive.
func (c cifar) read(ctx context.Context, archive io.Reader) (train, test *Dataset, err error) {
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return nil, nil, err
	}
	type part struct {
		pixels []uint8
		labels []int32
	}
	parts := make(map[string]part)
	records := make(map[string]int)
	for _, f := range c.train {
		records[f] = c.records
	}
	for _, f := range c.test {
		records[f] = c.testRecords
	}
	var classes []string
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, nil, err
		}
		name := path.Base(header.Name)
		if name == c.names {
			if classes, err = readClassNames(files, c.classes); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if n, ok := records[name]; ok {
			var p part
			if p.pixels, p.labels, err = c.readRecords(files, n); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			parts[name] = p
		}
	}
	if classes == nil {
		return nil, nil, fmt.Errorf("it lacks %s", c.names)
	}
	join := func(split string, names []string) (*Dataset, error) {
		d := Dataset{
			Info:  Info{Name: c.name, Split: split, Source: cifarSource, License: "unknown: the authors state none and ask for a citation", Classes: classes},
			Shape: []int{c.side, c.side, 3}, MaxPixel: 255,
		}
		for _, name := range names {
			p, ok := parts[name]
			if !ok {
				return nil, fmt.Errorf("it lacks %s", name)
			}
			d.Pixels = append(d.Pixels, p.pixels...)
			d.Labels = append(d.Labels, p.labels...)
		}
		return New(d)
	}
	if train, err = join("train", c.train); err != nil {
		return nil, nil, err
	}
	if test, err = join("test", c.test); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// readRecords reads a file of exactly n records and turns its planes into
// pixels with the channels last.
func (c cifar) readRecords(r io.Reader, n int) (pixels []uint8, labels []int32, err error) {
	area := c.side * c.side
	record := make([]byte, c.labels+3*area)
	buffered := bufio.NewReaderSize(r, 1<<16)
	for i := range n {
		switch got, err := io.ReadFull(buffered, record); {
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return nil, nil, fmt.Errorf("the file is truncated: it ends at byte %d of %d, in record %d of %d", i*len(record)+got, n*len(record), i, n)
		case err != nil:
			return nil, nil, err
		}
		label := int(record[c.labels-1])
		if label >= c.classes {
			return nil, nil, fmt.Errorf("record %d has label %d, but labels go from 0 to %d", i, label, c.classes-1)
		}
		labels = append(labels, int32(label))
		planes := record[c.labels:]
		for p := range area {
			pixels = append(pixels, planes[p], planes[area+p], planes[2*area+p])
		}
	}
	if _, err := buffered.ReadByte(); err != io.EOF {
		return nil, nil, fmt.Errorf("the file is longer than its %d records of %d bytes", n, len(record))
	}
	return pixels, labels, nil
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

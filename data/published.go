package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"ngebm/data/fetch"
)

// Published is an image dataset that its authors publish as files, which [Open] downloads, verifies
// and decodes.
type Published struct {
	Name    string // for Open; words in capitals are placeholders
	Title   string // as a person would cite it
	Source  string // citation and address
	License string // SPDX identifier or the authors' terms
	Files   []fetch.File
	// Browser says that the authors' server serves browsers only, so that a person has
	// to download the files into the cache, where Open verifies them.
	Browser bool
}

// PublishedSets returns the published datasets in the order of help texts. The sources of the
// checksums are cited; [fetch.File] says which were verified against a copy of the file.
func PublishedSets() []Published {
	list := []Published{cifar10().published, cifar100().published, cifar100Coarse().published, svhn().published}
	for _, m := range mnists() {
		list = append(list, m.published)
	}
	list = append(list, cifar10C().published, cifar100C().published)
	for _, m := range medmnists() {
		list = append(list, m.published)
	}
	return append(list, celebaPublished())
}

// celebaPublished describes the files of CelebA, which a person has to download. Sizes and SHA-256
// sums are those of TensorFlow Datasets' url_checksums/celeb_a.txt, where the files have the names
// 71pZjFTYXZWM3FlRnM and 71pY0NSMzRuSXJEVkk, the ends of their addresses.
func celebaPublished() Published {
	file := func(name string, size int64, sha256 string) fetch.File {
		return fetch.File{
			Name: name, URLs: []string{celebaHome}, Size: size, SHA256: sha256,
			Published: "TensorFlow Datasets, url_checksums/celeb_a.txt",
		}
	}
	return Published{
		Name: "celeba", Title: "CelebA",
		Source:  "Z. Liu, P. Luo, X. Wang, X. Tang: Deep Learning Face Attributes in the Wild, ICCV 2015, " + celebaHome + " (aligned and cropped)",
		License: "the authors' terms: for non-commercial research only",
		Browser: true,
		Files: []fetch.File{
			file(celebaFolder+".zip", 1443490838, "46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74"),
			file(celebaPartition, 2836386, "fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7"),
		},
	}
}

// publishedSources describes the published datasets for Open.
func publishedSources() []source {
	list := []source{
		{"cifar10", "", "CIFAR-10, 32x32 color photographs, 10 classes: 50000 to train, 10000 to test (170 MB to download)", cifar10().open},
		{"cifar100", "", "CIFAR-100, the same with 100 classes (169 MB)", cifar100().open},
		{"cifar100-coarse", "", "CIFAR-100 with its 20 coarse classes", cifar100Coarse().open},
		{"svhn", "", "Street View House Numbers, 32x32 in color, 10 digits: 73257 to train, 26032 to test (246 MB)", svhn().open},
	}
	for _, m := range mnists() {
		list = append(list, source{m.published.Name, "", m.about, m.open})
	}
	return append(list,
		source{"cifar10-c", "KIND[/SEVERITY]", "CIFAR-10-C: the test images corrupted, as fog/3, or fog for all 5 severities; to train, CIFAR-10 (2.9 GB)", cifar10C().open},
		source{"cifar100-c", "KIND[/SEVERITY]", "CIFAR-100-C, the same of CIFAR-100 (2.9 GB)", cifar100C().open},
		source{"medmnist", "NAME", "MedMNIST v2, 28x28 medical images: " + strings.Join(medmnistNames(), ", "), openMedMNIST},
	)
}

// open returns the dataset from the cache of decoded datasets, or downloads and decodes the files.
// The cache key holds their checksums, so a decoded dataset does not need its files. decode gets
// the files as [Published.read] opens them.
func (p Published) open(ctx context.Context, opts Options, decode func(opened []*fetch.Opened) (train, test *Dataset, err error)) (train, test *Dataset, err error) {
	key := "published"
	for _, f := range p.Files {
		key += ", " + f.Checksum()
	}
	return cached(opts, p.Name, key, func() (train, test *Dataset, err error) {
		err = p.read(ctx, opts, func(opened []*fetch.Opened) error {
			train, test, err = decode(opened)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		return train, test, nil
	})
}

// read opens the files in the cache folder, and calls decode. The folder may be another user's too: what
// is decoded has the checksums, or it is an error. If downloads are forbidden, the error names all
// missing files.
func (p Published) read(ctx context.Context, opts Options, decode func(opened []*fetch.Opened) error) error {
	folder, err := opts.CacheFolder()
	if err != nil {
		return err
	}
	var missing error
	var opened []*fetch.Opened
	for _, f := range p.Files {
		file, err := f.Open(ctx, fetch.Options{Folder: folder, Offline: opts.Offline, Progress: opts.Progress})
		switch {
		case errors.Is(err, fetch.ErrOffline) && missing != nil:
			missing = fmt.Errorf("%w; %w", missing, err)
		case errors.Is(err, fetch.ErrOffline):
			missing = err
		case err != nil:
			return fmt.Errorf("data: %s: %w", p.Name, err)
		default:
			defer file.Close()
			opened = append(opened, file)
		}
	}
	if missing != nil {
		return fmt.Errorf("data: %s: %w", p.Name, missing)
	}
	if err := decode(opened); err != nil {
		return err
	}
	for _, file := range opened {
		if err := file.Unchanged(); err != nil {
			return fmt.Errorf("data: %s: %w", p.Name, err)
		}
	}
	return nil
}

// info returns what all splits have in common.
func (p Published) info(split string, classes []string) Info {
	return Info{Name: p.Title, Split: split, Source: p.Source, License: p.License, Classes: classes}
}

// reading calls read with the content of a file, reports progress, and adds the path to the error.
// Reading fails once ctx is done.
func reading(ctx context.Context, opts Options, file *fetch.Opened, read func(io.Reader) error) error {
	bar := track(opts.Progress, "decode "+filepath.Base(file.Name()), "bytes", fileSize(file.File))
	defer bar.finish()
	if err := read(&ctxReader{bar.reader(file), ctx}); err != nil {
		return fmt.Errorf("data: %s: %w", file.Name(), err)
	}
	return nil
}

// ctxReader is a reader that fails once its context is done.
type ctxReader struct {
	io.Reader
	ctx context.Context
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.Reader.Read(p)
}

// intoLabels converts integers to labels and refuses those out of range for that many classes.
func intoLabels(values []int64, classes int) ([]int32, error) {
	labels := make([]int32, len(values))
	for i, v := range values {
		if v < 0 || v >= int64(classes) {
			return nil, fmt.Errorf("label %d (from 0) is %d, but labels range from 0 to %d", i, v, classes-1)
		}
		labels[i] = int32(v)
	}
	return labels, nil
}

// tenDigits returns the class names 0 to 9.
func tenDigits() []string { return strings.Fields("0 1 2 3 4 5 6 7 8 9") }

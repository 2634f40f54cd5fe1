package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ngebm/data/nearest"
	"ngebm/data/progress"
)

// Options configures [Open]. The zero value opens the whole dataset.
type Options struct {
	// Limit is the number of training examples to use. 0, or more than the dataset has, means
	// all. The subset is stratified by class and does not depend on Seed, and a smaller limit
	// gives a subset of a larger one's. The test set is not limited.
	Limit int
	// Seed determines generated datasets; others do not depend on it.
	Seed uint64
	// Cache is the folder for downloads and decoded images. Empty means ngebm/data in the
	// user's cache folder. Nothing in it is ever removed; a person may remove any of it.
	Cache string
	// Offline forbids downloads: if a file is not in the cache, the error says which file to
	// put where.
	Offline bool
	// Progress receives reports of downloads and decoding and, in a report without unit, of
	// the files that a dataset leaves out. Nil reports nothing.
	Progress progress.Reporter

	published []source  // replaces publishedSources in tests
	size      imageSize // requested by the name; images are scaled to it when decoded
}

// source is one kind of dataset that Open knows.
type source struct {
	name  string // before the colon
	arg   string // after the colon, for help; in brackets if optional
	about string
	open  func(ctx context.Context, arg string, opts Options) (train, test *Dataset, err error)
}

// sources lists what Open knows, in the order of help texts.
func (o Options) sources() []source {
	list := []source{{"digits", "", "UCI handwritten digits, 8x8 gray, 10 classes: 1197 to train, 600 to test (embedded)", openDigits}}
	for _, p := range toy2DSets() {
		list = append(list, source{p.name, "[N]", fmt.Sprintf("points in the plane, %s: N to train, N to test (1000)", p.about), p.open})
	}
	if o.published != nil {
		list = append(list, o.published...)
	} else {
		list = append(list, publishedSources()...)
	}
	return append(list,
		source{"folder", "PATH", "a folder of images: " + layout, openFolder},
		source{"tar", "PATH", "the same in a .tar, .tar.gz or .tar.bz2", openTar},
		source{"zip", "PATH", "the same in a .zip", openZip},
		source{"npz", "PATH", "images in an .npz of NumPy: " + npzLayout, openNPZ},
		source{"csv", "PATH@LABEL", "rows of a table, numbers standardized and categories one-hot: " + csvLayout, openCSV},
		source{"celeba", "[PATH]", "CelebA's aligned faces, 32x32, in one class: a folder or .zip of img_align_celeba, downloaded manually", celebaPublished().openCelebA},
	)
}

// Names returns the datasets that [Open] knows as pairs of name and description, for help texts.
// "NAME[:N]" is a name that a number may follow, "NAME:PATH" one that needs a path. @SIZE may
// follow the name of any image dataset.
func Names() [][2]string {
	var names [][2]string
	for _, s := range (Options{}).sources() {
		names = append(names, [2]string{s.pattern(), s.about})
	}
	return names
}

func (s source) pattern() string {
	switch {
	case s.arg == "":
		return s.name
	case strings.HasPrefix(s.arg, "["):
		return s.name + "[:" + s.arg[1:]
	}
	return s.name + ":" + s.arg
}

// pair is a dataset and its test set.
type pair struct{ train, test *Dataset }

// untilDone returns the result of do. Once ctx is done it waits only a moment longer, because a disk
// or a network that does not respond cannot be interrupted.
func untilDone(ctx context.Context, do func() (pair, error)) (pair, error) {
	var p pair
	var err error
	ended := make(chan struct{})
	go func() {
		p, err = do()
		close(ended)
	}()
	select {
	case <-ended:
		return p, err
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return p, err
	case <-time.After(500 * time.Millisecond):
		return pair{}, fmt.Errorf("data: %w", context.Cause(ctx))
	}
}

// reporterUntil passes reports on until it is closed: what was given up may still make some.
type reporterUntil struct {
	mu     sync.Mutex
	to     progress.Reporter
	closed bool
}

// Report implements [progress.Reporter].
func (r *reporterUntil) Report(report progress.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.to.Report(report)
	}
}

func (r *reporterUntil) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// Open opens the dataset with the given name, one of [Names], as a training and a test set of the
// same shape and classes: "digits", "moons", "moons:200", "cifar10", "cifar10-c:fog/3",
// "folder:PATH", "tar:PATH". Published datasets are downloaded once, verified by checksum, and
// stored in opts.Cache. Of cifar10-c and cifar100-c only the test set is corrupted, as in the
// benchmark; the training set is that of cifar10 or cifar100.
//
// "@64", "@48x64" (height, width) or "@64x64x1" (and channels) after the name of an image dataset
// requests that size: "folder:photos@64", "mnist@32x32x3". Image files, which then may differ in
// size, are scaled to cover it and cropped to its center; for other datasets see [Dataset.Resize].
//
// "csv:wine.csv@class" names a table of rows with the column of the classes, "csv:train.csv,test.csv@class"
// and "csv:FOLDER@class" (train.csv and test.csv) one that is split; package tabular describes the format.
// Without a test file a fifth of every class becomes the test set, by a hash of the rows' content: it
// does not depend on their order, and equal rows are on one side, but for one group of them per class
// at most. Numbers are standardized by all training rows, whatever the limit. The result's Encoder
// encodes other rows in the same way.
//
// Image files may be JPEG, PNG, GIF, BMP, TIFF, WebP, PBM, PGM, PPM or PAM, detected by content; of
// a file with several images the first is used. Colors agree with Pillow's convert("RGB"): exactly
// for lossless files, to within 2 of 255 for JPEG and lossy WebP, and less at edges of subsampled
// chroma, which is not interpolated. Transparency is dropped, and EXIF orientation is not applied.
// Of 16 bits the upper 8 are used, of PGM, PPM and PAM the nearest value of 8 bits; opts.Progress
// gets a report if the images use less than 1/8 of the range, as it does for an NPZ file. A dataset
// of gray images only has one channel; a gray PNG with transparency counts as color, and "@28x28x1"
// makes it gray. Class names are in Unicode form NFC.
//
// Links are followed within the folder or archive; others are an error, but the folder or archive
// itself may be a link. opts.Progress gets one line about the files that are left out, by kind and
// count, except hidden files and those that macOS and Windows add. The error for damaged images
// lists the first of them.
func Open(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	if opts.Limit < 0 {
		return nil, nil, fmt.Errorf("data: the limit on training examples is %d: give a positive number, or 0 for all", opts.Limit)
	}
	if opts.Progress == nil {
		opts.Progress = progress.Discard{}
	}
	until := &reporterUntil{to: opts.Progress}
	defer until.close()
	opts.Progress = until
	base, size, err := cutSize(name)
	if err != nil {
		return nil, nil, uncut(err, name)
	}
	opts.size = size
	kind, arg, colon := strings.Cut(base, ":")
	for _, s := range opts.sources() {
		if s.name != kind {
			continue
		}
		optional := strings.HasPrefix(s.arg, "[")
		switch {
		case s.arg == "" && colon:
			return nil, nil, fmt.Errorf("data: %q takes no argument, but got %q", kind, name)
		case arg == "" && (colon || s.arg != "" && !optional):
			return nil, nil, fmt.Errorf("data: %q needs an argument: write %s", name, s.pattern())
		}
		opened, err := untilDone(ctx, func() (p pair, err error) {
			if p.train, p.test, err = s.open(ctx, arg, opts); err != nil {
				return p, err
			}
			if p.train, err = p.train.limit(opts.Limit); err != nil {
				return p, err
			}
			if p.train, err = size.of(ctx, p.train); err != nil {
				return p, err
			}
			p.test, err = size.of(ctx, p.test)
			return p, err
		})
		if cause := context.Cause(ctx); cause != nil && err != nil {
			return nil, nil, fmt.Errorf("data: stopped while %s was read: %w", shown(name), cause)
		}
		if name != base && errors.Is(err, fs.ErrNotExist) {
			err = uncut(err, name)
		}
		if err != nil {
			return nil, nil, err
		}
		return opened.train, opened.test, nil
	}
	return nil, nil, unknown(base, kind)
}

// uncut adds to the error for a size, or for the path before it, that the whole of the name is there.
func uncut(err error, name string) error {
	_, path, _ := strings.Cut(name, ":")
	if _, statErr := os.Stat(path); statErr != nil {
		return err
	}
	return fmt.Errorf("%w; %s is there, but %s was taken for a size: write %s/", err, shown(path), name[strings.LastIndexByte(name, '@'):], shown(name))
}

// unknown returns the error for a name that does not exist, with the nearest one if there is any.
func unknown(name, kind string) error {
	var patterns, names []string
	for _, s := range (Options{}).sources() {
		patterns, names = append(patterns, s.pattern()), append(names, s.name)
	}
	hint := ""
	path, _, _ := strings.Cut(name, "@")
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		hint = fmt.Sprintf(" (for the table write csv:%s@LABEL)", shown(path))
	} else if at := slices.Index(names, nearest.Name(kind, names)); at >= 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", patterns[at])
	} else if info, err := os.Stat(name); err == nil && info.IsDir() {
		hint = fmt.Sprintf(" (for the folder write folder:%s)", shown(name))
	} else if err == nil {
		form := "tar"
		switch strings.ToLower(filepath.Ext(name)) {
		case ".zip":
			form = "zip"
		case ".npz":
			form = "npz"
		}
		hint = fmt.Sprintf(" (for the file write %s:%s)", form, shown(name))
	}
	return fmt.Errorf("data: no dataset is called %q%s; the names are %s; @SIZE after the name of an image dataset resizes it", name, hint, strings.Join(patterns, ", "))
}

// CacheFolder returns the folder for downloads and decoded images, and creates it if necessary.
func (o Options) CacheFolder() (string, error) {
	folder := o.Cache
	if folder == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("data: no folder for downloads and decoded images: %w: set NGEBM_DATA to one (in Go, data.Options.Cache)", err)
		}
		folder = filepath.Join(base, "ngebm", "data")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("data: the folder for downloads and decoded images cannot be made: %w: set NGEBM_DATA to another (in Go, data.Options.Cache)", err)
	}
	return folder, nil
}

package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ngebm/data/nearest"
	"ngebm/data/progress"
)

// Options say how [Open] gets a set. The zero value gives all of it.
type Options struct {
	// Limit is the number of training examples to take; 0 takes all, and so
	// does a limit above what the set has. The part is spread over the classes
	// in proportion, does not depend on Seed, and a smaller limit takes a part
	// of what a larger one takes. The test set stays whole.
	Limit int
	// Seed draws the generated sets; the others do not depend on it.
	Seed uint64
	// Cache is the folder for downloads and decoded images. Empty means ngebm/data
	// in the user's cache folder.
	Cache string
	// Offline forbids downloads: a set whose files are not in the cache is then an error that says which
	// file to put where.
	Offline bool
	// Progress is told of downloads and decoding and, in a report without unit, of what
	// a set leaves out; nil for silence.
	Progress progress.Reporter

	published []source  // stand in for publishedSources where a test has its own
	size      imageSize // that the name asks for; what decodes images scales them to it
}

// source is one kind of set that Open knows.
type source struct {
	name  string // what stands before the colon
	arg   string // what may follow the colon, for help; in brackets where it is optional
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
		source{"celeba", "[PATH]", "CelebA's aligned faces, 32x32, in one class: a folder or .zip of img_align_celeba, by hand", openCelebA},
	)
}

// Names lists the sets that [Open] knows as pairs of name and description, for
// help texts. "NAME[:N]" stands for a name that a number may follow, and
// "NAME:PATH" for one that needs a path. To the name of any image set @SIZE can
// be added.
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

// pair is a set and its test set.
type pair struct{ train, test *Dataset }

// untilDone returns what do returns. Once ctx is done it waits for that only a moment
// longer: a disk or a network that does not answer cannot be interrupted.
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

// Open gets the set with the given name, as [Names] lists them, and its test
// set: "digits", "moons", "moons:200", "cifar10", "cifar10-c:fog/3",
// "folder:PATH", "tar:PATH". Both have the same shape and classes. Sets that are
// not here yet are downloaded, checked and kept in opts.Cache. Of cifar10-c and
// cifar100-c only the test set is corrupted, as in their benchmark: the training
// set is that of cifar10 or cifar100.
//
// "@64", "@48x64" (height, width) or "@64x64x1" (and channels) after the name of
// an image set gives its images in that size: "folder:photos@64", "mnist@32x32x3".
// Image files, which may differ in size then, are scaled so that they just cover
// it, and their middle is taken; see [Dataset.Resize] for other sets.
//
// Image files are JPEG, PNG, GIF, BMP, TIFF, WebP, PBM, PGM, PPM or PAM, whatever their
// names say; of a file with several images the first is taken. Their colors are those
// of Pillow's convert("RGB"): those of lossless files exactly, those of JPEG and lossy
// WebP up to 2 of 255, and more at edges of color where chroma has half the resolution,
// as it is not interpolated. Transparency is dropped, and the orientation in EXIF data is
// not applied. Of 16 bits the upper 8 are taken; if they hold less than 1/8 of the range
// in all images of 16 bits, opts.Progress is told. Gray images stay gray in a set that has
// no others. Class names are in Unicode's form NFC. Links are followed within the folder
// or archive; those that lead out of it are an error that names the first of them, but the
// folder or archive itself may be a link. Files that the set leaves out are told to
// opts.Progress in one line, by kind and count; hidden files and those that macOS and
// Windows add are not. Damaged images are an error that names the first of them.
func Open(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	if opts.Limit < 0 {
		return nil, nil, fmt.Errorf("data: the limit on training examples is %d: give 0 for all, or a number above it", opts.Limit)
	}
	if opts.Progress == nil {
		opts.Progress = progress.Discard{}
	}
	base, size, err := cutSize(name)
	if err != nil {
		return nil, nil, err
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
			return nil, nil, fmt.Errorf("data: %q takes nothing after a colon, but got %q", kind, name)
		case arg == "" && (colon || s.arg != "" && !optional):
			return nil, nil, fmt.Errorf("data: %q lacks what follows the colon: write %s", name, s.pattern())
		}
		opened, err := untilDone(ctx, func() (p pair, err error) {
			p.train, p.test, err = s.open(ctx, arg, opts)
			return p, err
		})
		if cause := context.Cause(ctx); cause != nil && err != nil {
			return nil, nil, fmt.Errorf("data: stopped while %s was read: %w", shown(name), cause)
		}
		if err != nil {
			return nil, nil, err
		}
		train, test = opened.train, opened.test
		if train, err = train.limit(opts.Limit); err != nil {
			return nil, nil, err
		}
		if train, err = size.of(train); err != nil {
			return nil, nil, err
		}
		if test, err = size.of(test); err != nil {
			return nil, nil, err
		}
		return train, test, nil
	}
	return nil, nil, unknown(base, kind)
}

// unknown explains a name that is none, with the nearest one where there is one
// near.
func unknown(name, kind string) error {
	var patterns, names []string
	for _, s := range (Options{}).sources() {
		patterns, names = append(patterns, s.pattern()), append(names, s.name)
	}
	hint := ""
	if at := slices.Index(names, nearest.Name(kind, names)); at >= 0 {
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
	return fmt.Errorf("data: no dataset is called %q%s; the names are %s, and @SIZE after those of image sets resizes them", name, hint, strings.Join(patterns, ", "))
}

// CacheFolder returns the folder for downloads and decoded images, made if need
// be.
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

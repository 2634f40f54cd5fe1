package data

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"ngebm/data/progress"
)

// imageFiles are the files of a folder or archive.
type imageFiles interface {
	// key changes when one of the files does.
	key(ctx context.Context) (string, error)
	// list returns the files and folders, except hidden ones, and a note for the user about
	// how they were read.
	list(ctx context.Context, to progress.Reporter) (members []member, note string, err error)
	// each calls add for the files in want, in any order, until it returns false. content
	// may be called concurrently.
	each(ctx context.Context, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool, to progress.Reporter) error
}

// imageKind defines how files form a dataset.
type imageKind struct {
	name    string
	arrange func(ctx context.Context, members []member) (arrangement, error)
	// about fills in Info, except the classes.
	about func(of imageFacts, set *Dataset)
}

// imageFacts are what [imageKind.about] can tell a dataset by.
type imageFacts struct {
	base        string      // name of the folder or archive
	original    image.Point // size of the images, zero if they differ
	train, test int         // images
}

// openImages builds a dataset of the images in files, which are at an absolute path.
func openImages(ctx context.Context, path string, files imageFiles, kind imageKind, opts Options) (train, test *Dataset, err error) {
	key, err := files.key(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", shown(path), err)
	}
	how := fmt.Sprintf("%s@%v", kind.name, opts.size)
	return cachedWithNote(opts, path+" as "+how, key+" "+how, func() (train, test *Dataset, note string, err error) {
		set := newImageSet(ctx, opts.size)
		train, test, err = set.finish(kind, filepath.Base(path), set.addAll(files, kind, opts.Progress))
		if err != nil {
			return nil, nil, "", fmt.Errorf("data: %s: %w", shown(path), err)
		}
		if set.notes != nil {
			note = shown(filepath.Base(path)) + ": " + strings.Join(set.notes, "; ")
		}
		return train, test, note, nil
	})
}

// imageSet collects images and decodes them on all processors.
type imageSet struct {
	arrangement
	caller   context.Context
	ctx      context.Context // of the workers: done when the caller's is, or after an error
	workers  *errgroup.Group
	decoding *decoding
	decoded  map[string]*decodedImage
	notes    []string // for the user
}

func newImageSet(ctx context.Context, size imageSize) *imageSet {
	workers, workersCtx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	return &imageSet{caller: ctx, ctx: workersCtx, workers: workers, decoding: newDecoding(size), decoded: map[string]*decodedImage{}}
}

// addAll adds the images among the files.
func (s *imageSet) addAll(files imageFiles, kind imageKind, to progress.Reporter) error {
	members, note, err := files.list(s.ctx, to)
	if err != nil {
		return err
	}
	if s.arrangement, err = kind.arrange(s.ctx, members); err != nil {
		return err
	}
	if note != "" {
		s.notes = append(s.notes, note)
	}
	if left := s.left.String(); left != "" {
		s.notes = append(s.notes, "left out: "+left)
	}
	want := make(map[string]imageEntry, len(s.entries))
	for _, p := range s.entries {
		want[p.name] = p
	}
	return files.each(s.ctx, want, s.add, to)
}

// add adds one image; false means that no more are needed. An image that cannot be used is recorded,
// so that one error can list them all.
func (s *imageSet) add(p imageEntry, content func() ([]byte, error)) bool {
	decoded := &decodedImage{entry: p}
	s.decoded[p.name] = decoded
	s.workers.Go(func() error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		c, err := content()
		if err != nil {
			decoded.err = &imageError{fmt.Errorf("cannot be read: %w", shownError(err)), "replace or remove it"}
			return nil
		}
		return decoded.decode(s.ctx, c, s.decoding)
	})
	return s.ctx.Err() == nil
}

// finish waits for the decoding and builds the datasets. err is the error that stopped the adding, if
// any.
func (s *imageSet) finish(kind imageKind, base string, err error) (train, test *Dataset, _ error) {
	if decodeErr := s.workers.Wait(); decodeErr != nil {
		err = decodeErr
	}
	if err == nil {
		err = s.caller.Err() // otherwise a partial dataset would count as complete
	}
	if err != nil {
		return nil, nil, err
	}
	if err := s.imageErrors(); err != nil {
		return nil, nil, err
	}
	return s.assemble(kind, base)
}

// imageErrors returns an error that lists the images that cannot be used, in the order of the dataset,
// and the remedies.
func (s *imageSet) imageErrors() error {
	var texts, remedies []string
	var first *imageError
	for _, p := range s.entries {
		decoded := s.decoded[p.name]
		if decoded == nil || decoded.err == nil {
			continue
		}
		f := decoded.err
		if first == nil {
			first = f
		}
		texts = append(texts, fmt.Sprintf("%s %v", shown(p.name), f.what))
		if !slices.Contains(remedies, f.remedy) {
			remedies = append(remedies, f.remedy)
		}
	}
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: %s", texts[0], first.remedy)
	}
	return fmt.Errorf("%d of the %d images cannot be used: %s: %s", len(texts), len(s.entries), listed(texts, "; "), strings.Join(remedies, "; or "))
}

// assemble builds the datasets, in an order that depends on the images' names only.
func (s *imageSet) assemble(kind imageKind, base string) (train, test *Dataset, err error) {
	parts := map[string][]*decodedImage{}
	set := Dataset{MaxPixel: 255}
	channels := 1
	var original image.Point
	for i, p := range s.entries {
		decoded := s.decoded[p.name]
		if decoded == nil {
			return nil, nil, fmt.Errorf("%s disappeared while the dataset was read", shown(p.name))
		}
		if i == 0 {
			original = decoded.original
		} else if original != decoded.original {
			original = image.Point{}
		}
		parts[p.split] = append(parts[p.split], decoded)
		channels, set.Lossy = max(channels, decoded.channels), set.Lossy || decoded.lossy
	}
	set.Classes = classNames(parts["train"])
	if err := sameClasses(set.Classes, classNames(parts["test"])); err != nil {
		return nil, nil, err
	}
	if err := s.oneSize(); err != nil {
		return nil, nil, err
	}
	if note := s.tooDark(); note != "" {
		s.notes = append(s.notes, note)
	}
	first := parts["train"][0]
	set.Shape = []int{first.height, first.width, channels}
	if err := s.decoding.take(int64(len(s.entries)*set.Size()) - s.decoding.bytes.Load()); err != nil { // of gray images that become color
		return nil, nil, err
	}
	kind.about(imageFacts{base, original, len(parts["train"]), len(parts["test"])}, &set)
	set.Source += s.note
	if size := s.decoding.size; size != (imageSize{}) {
		set.Name += fmt.Sprintf(", scaled to %v", size)
		set.Source += fmt.Sprintf("; the middle of each scaled to %v", size)
	}
	join := func(split string) (*Dataset, error) {
		d := set
		d.Split = split
		d.Pixels = make([]uint8, 0, len(parts[split])*d.Size())
		for _, p := range parts[split] {
			label, _ := slices.BinarySearch(set.Classes, p.entry.class)
			d.Labels = append(d.Labels, int32(label))
			d.Pixels = p.appendTo(d.Pixels, channels)
			p.pixels = nil // halves the peak memory
		}
		return New(d)
	}
	if train, err = join("train"); err != nil {
		return nil, nil, err
	}
	if test, err = join("test"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// dark is 1/8 of the range of 8 bits. Images whose values are all below it were probably not scaled.
const dark = 256 / 8

// tooDark reports 16-bit images that use little of the range, as those of a 12-bit sensor do: with 8
// bits they are nearly black.
func (s *imageSet) tooDark() string {
	deep := 0
	var brightest uint8
	for _, p := range s.decoded {
		if p.deep {
			deep, brightest = deep+1, max(brightest, p.brightest)
		}
	}
	if deep == 0 || brightest >= dark {
		return ""
	}
	return fmt.Sprintf("16-bit images, of which 8 bits are kept, use less than 1/8 of the range: their largest value is %d of 255: rescale them first", brightest)
}

// classNames returns the classes of images that are sorted by class.
func classNames(decoded []*decodedImage) []string {
	var names []string
	for _, p := range decoded {
		names = append(names, p.entry.class)
	}
	return slices.Compact(names)
}

func sameClasses(train, test []string) error {
	missingFrom := func(a, b []string) (names []string) {
		for _, name := range a {
			if _, found := slices.BinarySearch(b, name); !found {
				names = append(names, name)
			}
		}
		return names
	}
	var missing []string
	if names := missingFrom(train, test); names != nil {
		missing = append(missing, fmt.Sprintf("test lacks %s", listed(allShown(names), ", ")))
	}
	if names := missingFrom(test, train); names != nil {
		missing = append(missing, fmt.Sprintf("train lacks %s", listed(allShown(names), ", ")))
	}
	if missing != nil {
		return fmt.Errorf("the class folders of train and test differ: %s: both need images of every class", strings.Join(missing, "; "))
	}
	return nil
}

// oneSize checks that all images have the same size. The error names one that differs from the most
// frequent size.
func (s *imageSet) oneSize() error {
	sizeOf := func(p imageEntry) imageSize {
		decoded := s.decoded[p.name]
		return imageSize{height: decoded.height, width: decoded.width}
	}
	count := map[imageSize]int{}
	var usual imageSize
	for _, p := range s.entries {
		size := sizeOf(p)
		if count[size]++; count[size] > count[usual] {
			usual = size
		}
	}
	for _, p := range s.entries {
		if size := sizeOf(p); size != usual {
			return fmt.Errorf("%s is %v but %d of the %d images are %v (height x width): add @SIZE to the name, as in @%v, to scale all to one size",
				shown(p.name), size, count[usual], len(s.entries), usual, usual.forExample())
		}
	}
	return nil
}

// userImages is the kind of a user's own images, in any layout that [arrange] accepts.
func userImages() imageKind {
	return imageKind{"images", func(_ context.Context, members []member) (arrangement, error) { return arrange(members) }, func(of imageFacts, set *Dataset) {
		set.Name, set.Source, set.License = shown(of.base), "a user's images", "unknown"
		if set.Lossy && slices.Equal(set.Classes, cifar10Classes()) && of.original == image.Pt(32, 32) && of.train == 50_000 && of.test == 10_000 {
			set.Name, set.Source = "CIFAR-10 (JPEG)", cifarSource+", re-encoded as JPEG"
		}
	}}
}

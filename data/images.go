package data

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// imageSet collects images, decoding them on all processors.
type imageSet struct {
	caller   context.Context
	ctx      context.Context // of the workers: done when the caller's is, or one failed
	workers  *errgroup.Group
	pictures []*picture
	decoded  atomic.Int64 // bytes
}

func newImageSet(ctx context.Context) *imageSet {
	workers, workersCtx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	return &imageSet{caller: ctx, ctx: workersCtx, workers: workers}
}

// add takes one more image; false means that there is no point in more.
func (s *imageSet) add(p place, content func() ([]byte, error)) bool {
	picture := &picture{place: p}
	s.pictures = append(s.pictures, picture)
	s.workers.Go(func() error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		c, err := content()
		if err != nil {
			return fmt.Errorf("%v: %w", p, err)
		}
		return picture.decode(c, &s.decoded)
	})
	return s.ctx.Err() == nil
}

// finish waits for the decoding and puts the sets together. err is what ended
// the adding, if anything did.
func (s *imageSet) finish(source string, err error) (train, test *Dataset, _ error) {
	if decodeErr := s.workers.Wait(); decodeErr != nil {
		err = decodeErr
	}
	if err == nil {
		err = s.caller.Err() // else a set cut short would pass for a whole one
	}
	if err == nil {
		train, test, err = assemble(s.pictures, filepath.Base(source))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", source, err)
	}
	return train, test, nil
}

// assemble makes sets of pictures, in an order that depends on their names only.
func assemble(pictures []*picture, name string) (train, test *Dataset, err error) {
	slices.SortStableFunc(pictures, func(a, b *picture) int {
		return cmp.Or(cmp.Compare(a.place.class, b.place.class), cmp.Compare(a.place.file, b.place.file))
	})
	parts := map[string][]*picture{}
	for _, p := range pictures {
		parts[p.place.split] = append(parts[p.place.split], p)
	}
	for _, split := range []string{"train", "test"} {
		if len(parts[split]) == 0 {
			return nil, nil, fmt.Errorf("it has no images in %s: they lie at %s", split, layout)
		}
	}
	classes := classNames(parts["train"])
	if err := sameClasses(classes, classNames(parts["test"])); err != nil {
		return nil, nil, err
	}
	if err := oneSet(pictures); err != nil {
		return nil, nil, err
	}

	first := pictures[0]
	channels, lossy := 1, false
	for _, p := range pictures {
		channels, lossy = max(channels, p.channels), lossy || p.lossy
	}
	info := Info{Name: name, Source: "a user's images", License: "unknown", Lossy: lossy, Classes: classes}
	shape := []int{first.height, first.width, channels}
	if lossy && slices.Equal(classes, cifar10Classes()) && slices.Equal(shape, []int{32, 32, 3}) {
		info.Name, info.Source = "CIFAR-10 (JPEG)", cifarSource+", re-encoded as JPEG"
	}
	join := func(split string) (*Dataset, error) {
		d := Dataset{Info: info, Shape: shape, MaxPixel: 255}
		d.Split = split
		d.Pixels = make([]uint8, 0, len(parts[split])*d.Size())
		for _, p := range parts[split] {
			label, _ := slices.BinarySearch(classes, p.place.class)
			d.Labels = append(d.Labels, int32(label))
			d.Pixels = p.appendTo(d.Pixels, channels)
			p.pixels = nil // halves the memory that is needed in the end
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

// classNames returns the classes of pictures that are sorted by class.
func classNames(pictures []*picture) []string {
	var names []string
	for _, p := range pictures {
		names = append(names, p.place.class)
	}
	return slices.Compact(names)
}

func sameClasses(train, test []string) error {
	lacking := func(a, b []string) (names []string) {
		for _, name := range a {
			if _, found := slices.BinarySearch(b, name); !found {
				names = append(names, name)
			}
		}
		return names
	}
	var faults []string
	if names := lacking(train, test); names != nil {
		faults = append(faults, fmt.Sprintf("test lacks %s", strings.Join(names, ", ")))
	}
	if names := lacking(test, train); names != nil {
		faults = append(faults, fmt.Sprintf("train lacks %s", strings.Join(names, ", ")))
	}
	if faults != nil {
		return fmt.Errorf("the class folders of train and test differ: %s: both need images of every class", strings.Join(faults, "; "))
	}
	return nil
}

// oneSet checks that the pictures are of one set: one top folder, no name
// twice, one size. The odd sizes are those that fewer pictures have.
func oneSet(pictures []*picture) error {
	sizes := map[[2]int]int{}
	seen := map[place]bool{}
	for _, p := range pictures {
		if root := pictures[0].place.root; p.place.root != root {
			return fmt.Errorf("it holds two image folders, %q and %q: keep one", root, p.place.root)
		}
		if seen[p.place] {
			return fmt.Errorf("%v is there twice: keep one", p.place)
		}
		seen[p.place] = true
		sizes[[2]int{p.width, p.height}]++
	}
	usual := [2]int{pictures[0].width, pictures[0].height}
	for _, p := range pictures {
		if size := [2]int{p.width, p.height}; sizes[size] > sizes[usual] {
			usual = size
		}
	}
	for _, p := range pictures {
		if size := [2]int{p.width, p.height}; size != usual {
			return fmt.Errorf("%v is %dx%d but %d of the %d images are %dx%d: scale all to one size", p.place, p.width, p.height, sizes[usual], len(pictures), usual[0], usual[1])
		}
	}
	return nil
}

package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ngebm/data/fetch"
	"ngebm/data/files"
	"ngebm/data/progress"
)

const (
	celebaFolder    = "img_align_celeba"
	celebaPartition = "list_eval_partition.txt"
	celebaHome      = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
	celebaSide      = 32

	celebaImages     = 202599
	celebaValidation = 19867 // of them
)

// openCelebA opens CelebA's aligned and cropped faces, 178x218, from a folder or .zip that has them
// in a folder img_align_celeba, as the authors' img_align_celeba.zip does, or is that folder.
// Without a name it uses img_align_celeba.zip or the folder img_align_celeba in the cache folder,
// where a person has to put it: the authors' terms forbid automatic downloads. The authors' split
// is read from list_eval_partition.txt in the archive or next to it, and their validation split
// left out; without that file [hashSplit] splits. All images have one class. Unless another size
// is requested, the central 178x178 pixels are scaled to 32x32.
//
// The published files in the cache folder are verified. A folder has no checksum, and what else is
// named may be part of the set.
func (p Published) openCelebA(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	if name != "" {
		return readCelebA(ctx, name, opts)
	}
	if name, err = findCelebA(opts); err != nil {
		return nil, nil, err
	}
	folder := filepath.Dir(name)
	p.Files = slices.DeleteFunc(slices.Clone(p.Files), func(f fetch.File) bool { return f.State(folder) < fetch.Unchecked })
	opts.Offline = true
	verified := false
	err = p.read(ctx, opts, func([]*fetch.Opened) (err error) {
		verified = true
		train, test, err = readCelebA(ctx, name, opts)
		return err
	})
	if err != nil && !verified {
		err = fmt.Errorf("%w; to use another copy, move it and write celeba:PATH", err)
	}
	if err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// readCelebA reads a folder or .zip.
func readCelebA(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	root, err := filepath.Abs(name)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, nil, fmt.Errorf("data: no %s at %s: %w: check the path", celebaFolder, shown(root), shownError(err))
	}
	var images imageFiles = &zipArchive{path: root}
	if info.IsDir() {
		in, err := newFolder(root)
		if err != nil {
			return nil, nil, err
		}
		defer in.Close()
		images = in
	}
	if opts.size == (imageSize{}) {
		opts.size = imageSize{height: celebaSide, width: celebaSide}
	}
	faces := celeba{images, filepath.Join(filepath.Dir(root), celebaPartition)}
	return openImages(ctx, root, faces, imageKind{"celeba", faces.arrange, aboutCelebA}, opts)
}

// findCelebA returns what a person has put into the cache folder.
func findCelebA(opts Options) (string, error) {
	cache, err := opts.CacheFolder()
	if err != nil {
		return "", err
	}
	archive := filepath.Join(cache, celebaFolder+".zip")
	for _, name := range []string{archive, filepath.Join(cache, celebaFolder)} {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("data: CelebA is not at %s (%w): its authors require a manual download: agree to their terms at %s, and put %s.zip and %s there, or write celeba:PATH", archive, fs.ErrNotExist, celebaHome, celebaFolder, celebaPartition)
}

func aboutCelebA(facts imageFacts, set *Dataset) {
	p := celebaPublished()
	if n := facts.train + facts.test; n != celebaImages && n != celebaImages-celebaValidation {
		p.Title += " (not the whole set)"
	}
	set.Name, set.Source, set.License = p.Title, p.Source, p.License
	set.Lossy = true
}

// celeba are the files of CelebA.
type celeba struct {
	imageFiles
	external string // path of the partition, if it is not among the files
}

func (c celeba) key(ctx context.Context) (string, error) {
	key, err := c.imageFiles.key(ctx)
	if err != nil {
		return "", err
	}
	if !c.hasExternal() {
		return key, nil
	}
	externalKey, err := fileKey(ctx, c.external, openPartition)
	return key + " " + externalKey, err
}

func (c celeba) hasExternal() bool {
	_, err := os.Lstat(c.external)
	return !errors.Is(err, fs.ErrNotExist)
}

// arrange selects the images in img_align_celeba, or else those in no folder.
func (c celeba) arrange(ctx context.Context, members []member) (a arrangement, err error) {
	inside := "" // the partition
	var faces, top []imageEntry
	for _, m := range members {
		name := m.name
		folder, file := path.Split(name)
		switch {
		case file == celebaPartition:
			inside = name
		case m.kind != "" || strings.ToLower(path.Ext(file)) != ".jpg":
		case path.Base(folder) == celebaFolder:
			faces = append(faces, imageEntry{name: name, key: name, class: "face"})
		case folder == "":
			top = append(top, imageEntry{name: name, key: name, class: "face"})
		}
	}
	if faces == nil {
		faces = top
	}
	if faces == nil {
		return a, fmt.Errorf("it has no %s/*.jpg", celebaFolder)
	}
	slices.SortFunc(faces, func(a, b imageEntry) int { return strings.Compare(path.Base(a.name), path.Base(b.name)) })
	for i := range faces[1:] {
		if one, other := faces[i].name, faces[i+1].name; path.Base(one) == path.Base(other) {
			return a, fmt.Errorf("it has both %s and %s: keep one", shown(one), shown(other))
		}
	}
	splits, err := c.partition(ctx, inside)
	if err != nil {
		return a, err
	}
	if splits == nil {
		a.entries, a.note = faces, "; split by file name, a fifth to test"
		return a, assignHashSplit(faces)
	}
	for _, p := range faces {
		file := path.Base(p.name)
		switch p.split = splits[file]; p.split {
		case "":
			return a, fmt.Errorf("%s is not in %s", shown(p.name), celebaPartition)
		case "train", "test":
			a.entries = append(a.entries, p)
		}
		delete(splits, file)
	}
	if len(splits) > 0 {
		missing := allShown(slices.Sorted(maps.Keys(splits)))
		return a, fmt.Errorf("it lacks %d images that are in %s: %s", len(splits), celebaPartition, listed(missing, ", "))
	}
	a.note = "; without those for validation"
	return a, nil
}

// partition reads the authors' split, by file name, from the file inside or, if that is empty, from
// the one next to the images. It is nil if there is none.
func (c celeba) partition(ctx context.Context, inside string) (splits map[string]string, err error) {
	var text []byte
	if inside != "" {
		var readErr error
		err = c.each(ctx, map[string]imageEntry{inside: {name: inside}}, func(_ imageEntry, content func() ([]byte, error)) bool {
			text, readErr = content()
			return false
		}, progress.Discard{})
		if err == nil && readErr != nil {
			err = fmt.Errorf("%s cannot be read: %w", shown(inside), shownError(readErr))
		}
		if err != nil {
			return nil, err
		}
	} else if !c.hasExternal() {
		return nil, nil
	} else if text, err = readImageFile(openPartition(c.external, maxFileSize)); err != nil {
		return nil, err
	}
	if splits, err = parsePartition(text); err != nil {
		return nil, fmt.Errorf("%s: %w", celebaPartition, err)
	}
	return splits, nil
}

// openPartition opens the partition next to the images, which may be a link within its folder.
func openPartition(path string, maxBytes int64) (*os.File, error) {
	file, err := openInFolder(path, maxBytes)
	if link := (*files.LinkError)(nil); errors.As(err, &link) && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: copy the target into %s", err, shown(filepath.Dir(path)))
	}
	return file, err
}

// parsePartition reads lines of a file name and 0, 1 or 2, for training, validation and test.
func parsePartition(text []byte) (map[string]string, error) {
	splits := map[string]string{}
	found := map[string]bool{}
	parts := map[string]string{"0": "train", "1": "validation", "2": "test"}
	line := 0
	for text := range bytes.Lines(text) {
		line++
		fields := strings.Fields(string(text))
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d is %.80q: want a file name and 0, 1 or 2", line, text)
		}
		split, ok := parts[fields[1]]
		if !ok {
			return nil, fmt.Errorf("line %d has the split %.80q: want 0, 1 or 2", line, fields[1])
		}
		if splits[fields[0]] != "" {
			return nil, fmt.Errorf("line %d lists %.80q a second time", line, fields[0])
		}
		splits[fields[0]] = split
		found[split] = true
	}
	for _, split := range []string{"train", "test"} {
		if !found[split] {
			return nil, fmt.Errorf("it has no %s file: it may be truncated", split)
		}
	}
	return splits, nil
}

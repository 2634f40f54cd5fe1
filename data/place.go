package data

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	splitLayout = "train/<class>/<image> and test/<class>/<image>"
	layout      = splitLayout + ", or <class>/<image>, or images alone"
)

// place is what an image file is in a set.
type place struct {
	name         string // path in the folder or archive
	split, class string
}

// arrange tells which of the files make a set and what they are in it, in the
// order of classes and names. note is to be added to the source of the set. The
// files may lie in one top folder, and of a set that is split only what lies in
// train and test counts.
func arrange(names []string) (places []place, note string, err error) {
	var split, whole []place
	for _, name := range names {
		if !isImageName(strings.ToLower(path.Ext(name))) {
			continue
		}
		parts := strings.Split(name, "/")
		switch {
		case isSplit(parts[0]):
			split = append(split, place{name: name})
		case len(parts) > 1 && isSplit(parts[1]):
			split = append(split, place{name: name})
		default:
			whole = append(whole, place{name: name})
		}
	}
	switch {
	case len(split) > 0:
		places, err = split, arrangeSplit(split)
	case len(whole) > 0:
		places, note = whole, "; split by file name, a fifth of every class to test"
		if err = arrangeWhole(whole); err == nil {
			err = setApart(whole)
		}
	default:
		err = fmt.Errorf("it has no images: they lie at %s", layout)
	}
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.name, b.name))
	})
	for i := range places[1:] {
		if places[i] == places[i+1] {
			return nil, "", fmt.Errorf("%s is there twice: keep one", places[i].name)
		}
	}
	return places, note, nil
}

func isSplit(name string) bool { return name == "train" || name == "test" }

// arrangeSplit takes files for [top/]split/class/image.
func arrangeSplit(places []place) error {
	top := func(name string) string { // with its slash
		if first, _, _ := strings.Cut(name, "/"); !isSplit(first) {
			return first + "/"
		}
		return ""
	}
	first := top(places[0].name)
	found := map[string]bool{}
	for i := range places {
		p := &places[i]
		if t := top(p.name); t != first {
			return fmt.Errorf("it holds two image folders, %q and %q: keep one", first, t)
		}
		parts := strings.Split(strings.TrimPrefix(p.name, first), "/")
		if len(parts) != 3 {
			return fmt.Errorf("%s is out of place: images lie at %s", p.name, splitLayout)
		}
		p.split, p.class = parts[0], parts[1]
		found[p.split] = true
	}
	for _, split := range []string{"train", "test"} {
		if !found[split] {
			return fmt.Errorf("it has no images in %s: they lie at %s", first+split, splitLayout)
		}
	}
	return nil
}

// arrangeWhole takes files for images alone, for class/image, or for
// top/class/image, and leaves open how they are split.
func arrangeWhole(places []place) error {
	depth := strings.Count(places[0].name, "/")
	top, _, _ := strings.Cut(places[0].name, "/")
	for i := range places {
		p := &places[i]
		parts := strings.Split(p.name, "/")
		switch {
		case len(parts) > 3:
			return fmt.Errorf("%s is out of place: images lie at %s", p.name, layout)
		case len(parts)-1 != depth:
			return fmt.Errorf("%s and %s lie at different depths: images lie at %s", places[0].name, p.name, layout)
		case len(parts) == 3 && parts[0] != top:
			return fmt.Errorf("it holds two image folders, %q and %q: keep one", top, parts[0])
		}
		p.class = "image"
		if depth > 0 {
			p.class = parts[depth-1]
		}
	}
	return nil
}

// setApart splits places; see [apart].
func setApart(places []place) error {
	var classes, names []string
	for _, p := range places {
		classes, names = append(classes, p.class), append(names, path.Base(p.name))
	}
	test, err := apart(classes, names)
	for i := range test {
		places[i].split = "train"
		if test[i] {
			places[i].split = "test"
		}
	}
	return err
}

// cleanName checks the name of a file in an archive, with slashes. ok is false
// for hidden files.
func cleanName(name string) (clean string, ok bool, err error) {
	clean = path.Clean(name)
	if !fs.ValidPath(clean) {
		return "", false, fmt.Errorf("the name %q leads out of the folder", name)
	}
	return clean, !slices.ContainsFunc(strings.Split(clean, "/"), hidden), nil
}

// hidden also covers what macOS adds to archives.
func hidden(name string) bool {
	return name != "." && strings.HasPrefix(name, ".") || name == "__MACOSX"
}

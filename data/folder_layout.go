package data

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	splitLayout = "train/<class>/<image> and test/<class>/<image>"
	layout      = splitLayout + ", or <class>/<image>, or images alone"
)

// imageEntry is an image file's role in a dataset.
type imageEntry struct {
	name         string // path in the folder or archive
	key          string // name in Unicode form NFC, by which a dataset is sorted
	split, class string
}

// arrangement is the files that form a dataset, in the order of classes and names.
type arrangement struct {
	entries []imageEntry
	note    string // appended to the source of the dataset
	left    leftOut
}

// arrange selects the members that form a dataset. They may be in one top folder; if there are train
// and test folders, only files in these count.
func arrange(members []member) (a arrangement, err error) {
	var images []imageEntry
	for _, m := range members {
		if m.kind == "" {
			images = append(images, imageEntry{name: m.name, key: norm.NFC.String(m.name)})
		}
	}
	if len(images) == 0 {
		a.leaveOut(members, nil)
		return a, fmt.Errorf("it has no images%s: want %s", inBrackets(a.left.String()), layout)
	}
	var top *string
	if split := inSplits(images); split != nil {
		a.entries = split
		first, _, _ := cutSplit(split[0].key, sharedTop(images))
		top = &first
		err = arrangeSplit(split, first, sharedTop(images))
	} else {
		a.entries, a.note = images, "; split by file name, a fifth of every class to test"
		if err = arrangeWhole(images); err == nil {
			err = assignHashSplit(images)
		}
	}
	if err == nil {
		err = cmp.Or(specials(members), a.check())
	}
	if err != nil {
		return arrangement{}, err
	}
	a.leaveOut(members, top)
	return a, nil
}

func isSplit(name string) bool { return name == "train" || name == "test" }

// inSplits returns the images in train and test folders, none if the dataset has no split. A folder
// "train" that has images itself is a class of that name, unless there are no other classes.
func inSplits(images []imageEntry) (split []imageEntry) {
	shared, classes := sharedTop(images), false
	for _, p := range images {
		_, inClass, ok := cutSplit(p.key, shared)
		classes = classes || inClass
		if ok {
			split = append(split, p)
		}
	}
	if !classes && len(split) < len(images) {
		return nil
	}
	return split
}

// cutSplit returns the top folder, with a slash, of an image below a train or test folder, and whether
// it is in a class folder there. The top folder itself may have such a name if all images share
// it.
func cutSplit(key string, shared bool) (top string, inClass, ok bool) {
	parts := strings.Split(key, "/")
	switch n := len(parts); {
	case n > 3 && isSplit(parts[1]) && (shared || !isSplit(parts[0])):
		return parts[0] + "/", true, true
	case n > 1 && isSplit(parts[0]):
		return "", n > 2, true
	case n > 2 && isSplit(parts[1]):
		return parts[0] + "/", false, true
	}
	return "", false, false
}

// sharedTop reports whether all images are in one top folder.
func sharedTop(images []imageEntry) bool {
	top, _, _ := strings.Cut(images[0].key, "/")
	return !slices.ContainsFunc(images, func(p imageEntry) bool { return !strings.HasPrefix(p.key, top+"/") })
}

// check sorts the entries and refuses duplicates and class names with unprintable characters.
func (a *arrangement) check() error {
	slices.SortFunc(a.entries, func(a, b imageEntry) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.key, b.key), cmp.Compare(a.name, b.name))
	})
	folders := map[string]string{} // by their normal form
	for i, p := range a.entries {
		if i > 0 && a.entries[i-1].name == p.name {
			return fmt.Errorf("%s is listed twice: keep one", shown(p.name))
		}
		if !isVisible(p.class) {
			return fmt.Errorf("the class folder %q has unprintable characters in its name: rename it", p.class)
		}
		key, folder := path.Dir(p.key), path.Dir(p.name)
		if other, ok := folders[key]; ok && other != folder {
			return fmt.Errorf("the folders %+q and %+q have the same name in two Unicode forms (NFC and NFD): make them one", other, folder)
		}
		folders[key] = folder
		if i > 0 && a.entries[i-1].key == p.key {
			return fmt.Errorf("the files %+q and %+q have the same name in two Unicode forms (NFC and NFD): rename one", a.entries[i-1].name, p.name)
		}
	}
	return nil
}

// specials returns an error if a member that is not a file has the name of an image.
func specials(members []member) error {
	var names []string
	for _, m := range members {
		if m.isSpecial() && isImageName(strings.ToLower(path.Ext(m.name))) {
			names = append(names, fmt.Sprintf("%s is a %s", shown(m.name), m.kind))
		}
	}
	if names == nil {
		return nil
	}
	slices.Sort(names)
	return fmt.Errorf("%s with the name of an image but no file: %s: remove what is not a file", counted(len(names), kindOther), listed(names, "; "))
}

// leaveOut counts the members that are not entries. top holds train and test, and is nil for a dataset
// without a split.
func (a *arrangement) leaveOut(members []member, top *string) {
	hasImages := map[string]bool{} // by class folder
	for _, p := range a.entries {
		hasImages[path.Dir(p.key)] = true
	}
	depth := 0 // of a class folder's path
	if len(a.entries) > 0 {
		depth = strings.Count(a.entries[0].key, "/")
	}
	for _, m := range members {
		key := norm.NFC.String(m.name)
		if top != nil {
			if folder, outside := outsideOf(*top, key, m.kind == kindFolder); outside {
				switch {
				case folder != "":
					a.left.addFolder(folder)
				case m.kind == "":
					a.left.add("image outside of train and test")
				case m.kind != kindFolder:
					a.left.add(m.kind)
				}
				continue
			}
		}
		if m.kind != "" && m.kind != kindFolder {
			a.left.add(m.kind)
		}
		parts := strings.Split(key, "/")
		if depth > 0 && (len(parts) > depth || len(parts) == depth && m.kind == kindFolder) {
			class := path.Join(parts[:depth]...)
			hasImages[class] = hasImages[class] // an entry for a class without images, too
		}
	}
	for class, has := range hasImages {
		if !has {
			a.left.empty = append(a.left.empty, class)
		}
	}
	slices.Sort(a.left.empty)
}

// outsideOf reports whether a member is outside of the train and test folders in top, and in which
// folder next to them, if any.
func outsideOf(top, key string, isFolder bool) (folder string, outside bool) {
	rest, below := strings.CutPrefix(key, top)
	switch {
	case !below && isFolder && strings.HasPrefix(top, key+"/"):
		return "", true // the top folder itself
	case !below:
		top, rest = "", key
	}
	first, _, deeper := strings.Cut(rest, "/")
	if below && isSplit(first) {
		return "", false
	}
	if deeper || isFolder {
		return top + first, true
	}
	return "", true
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (it has " + text + ")"
}

// arrangeSplit assigns split and class to files in [top/]split/class/image.
func arrangeSplit(entries []imageEntry, first string, shared bool) error {
	found := map[string]bool{}
	for i := range entries {
		p := &entries[i]
		if top, _, _ := cutSplit(p.key, shared); top != first {
			return fmt.Errorf("it has two image folders, %q and %q: keep one", first, top)
		}
		parts := strings.Split(strings.TrimPrefix(p.key, first), "/")
		if len(parts) != 3 {
			return fmt.Errorf("%s is misplaced: want %s", shown(p.name), splitLayout)
		}
		p.split, p.class = parts[0], parts[1]
		found[p.split] = true
	}
	for _, split := range []string{"train", "test"} {
		if !found[split] {
			return fmt.Errorf("it has no images in %s: want %s", shown(first+split), splitLayout)
		}
	}
	return nil
}

// arrangeWhole assigns classes to images alone, class/image, or top/class/image.
func arrangeWhole(entries []imageEntry) error {
	depth := strings.Count(entries[0].key, "/")
	top, _, _ := strings.Cut(entries[0].key, "/")
	for i := range entries {
		p := &entries[i]
		parts := strings.Split(p.key, "/")
		switch {
		case len(parts) > 3:
			return fmt.Errorf("%s is misplaced: want %s", shown(p.name), layout)
		case len(parts)-1 != depth:
			return fmt.Errorf("%s and %s have different depths: want %s", shown(entries[0].name), shown(p.name), layout)
		case len(parts) == 3 && parts[0] != top:
			return fmt.Errorf("it has two image folders, %q and %q: keep one", top, parts[0])
		}
		p.class = "image"
		if depth > 0 {
			p.class = parts[depth-1]
		}
	}
	return nil
}

// assignHashSplit assigns train or test to entries; see [hashSplit].
func assignHashSplit(entries []imageEntry) error {
	var classes, names []string
	for _, p := range entries {
		classes, names = append(classes, p.class), append(names, path.Base(p.key))
	}
	test, err := hashSplit(classes, names)
	for i := range test {
		entries[i].split = "train"
		if test[i] {
			entries[i].split = "test"
		}
	}
	return err
}

// cleanName validates and cleans the name of a file in an archive, with slashes.
func cleanName(name string) (clean string, err error) {
	if err := checkName("the name", name); err != nil {
		return "", err
	}
	if !utf8.ValidString(name) {
		return "", fmt.Errorf("the name %q is not UTF-8: pack it again with UTF-8 names, or unpack it, rename such files, and write folder:PATH", name)
	}
	if clean = path.Clean(name); !fs.ValidPath(clean) {
		return "", fmt.Errorf("the name %q leads out of the folder", name)
	}
	return clean, nil
}

// isHidden reports whether a file, or a folder that contains it, is hidden or added by a system.
func isHidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return part != "." && strings.HasPrefix(part, ".") || part == "__MACOSX" ||
			strings.EqualFold(part, "Thumbs.db") || strings.EqualFold(part, "desktop.ini")
	})
}

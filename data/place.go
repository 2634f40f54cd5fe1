package data

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const layout = "train/<class>/<image>.jpg|jpeg|png and test/<class>/<image>"

// place is where an image lies in a folder or archive of images.
type place struct {
	root               string // top folder of the archive, or ""
	split, class, file string
}

func (p place) String() string { return path.Join(p.root, p.split, p.class, p.file) }

// parsePlace reads the name of a file, with slashes. ok is false for what is
// not an image of the set: hidden files, other kinds of files, and what lies
// outside train and test.
func parsePlace(name string) (p place, ok bool, err error) {
	clean := path.Clean(name)
	if !fs.ValidPath(clean) {
		return place{}, false, fmt.Errorf("the name %q leads out of the folder", name)
	}
	parts := strings.Split(clean, "/")
	for _, part := range parts {
		if hidden(part) {
			return place{}, false, nil
		}
	}
	if len(parts) > 1 && !isSplit(parts[0]) && isSplit(parts[1]) {
		p.root, parts = parts[0], parts[1:]
	}
	if !isSplit(parts[0]) {
		return place{}, false, nil
	}
	switch strings.ToLower(path.Ext(clean)) {
	case ".jpg", ".jpeg", ".png":
	case ".gif", ".bmp", ".webp", ".tif", ".tiff":
		return place{}, false, fmt.Errorf("%s is neither JPEG nor PNG: convert it, or move it away", name)
	default:
		return place{}, false, nil
	}
	if len(parts) != 3 {
		return place{}, false, fmt.Errorf("%s is out of place: images lie at %s", name, layout)
	}
	p.split, p.class, p.file = parts[0], parts[1], parts[2]
	return p, true, nil
}

func isSplit(name string) bool { return name == "train" || name == "test" }

// hidden also covers what macOS adds to archives.
func hidden(name string) bool {
	return name != "." && strings.HasPrefix(name, ".") || name == "__MACOSX"
}

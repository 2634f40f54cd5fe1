package data

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// member is a file or folder in a folder or archive of images.
type member struct {
	name string // path with slashes
	// kind is "" for an image of a supported format, otherwise a noun in the singular: "HEIC
	// image", ".txt file", "named pipe".
	kind string
}

const (
	kindFolder = "folder"
	kindPipe   = "named pipe"
	kindDevice = "device"
	kindSocket = "socket"
	kindOther  = "other thing"
)

// isSpecial reports whether a member is neither a file nor a folder.
func (m member) isSpecial() bool {
	switch m.kind {
	case kindPipe, kindDevice, kindSocket, kindOther:
		return true
	}
	return false
}

// sniffed is the number of bytes that kindOf reads of a file.
const sniffed = 512

// kindOf returns the kind of a file, "" for an image of a supported format. The name's extension
// decides if it is that of an image; without an extension the content decides. A file with another
// extension is no image of the dataset even if its content is: it may be a backup, or the preview
// in a camera's raw file.
func kindOf(name string, head func() ([]byte, error)) (string, error) {
	ext := strings.ToLower(path.Ext(name))
	if isImageName(ext) {
		return "", nil
	}
	content, err := head()
	if err != nil {
		return "", err
	}
	_, err = codecOf(content)
	readable := err == nil && (!isText(content) || isNetpbm(content))
	switch kind := unreadableKind(content); {
	case readable && ext == "":
		return "", nil
	case readable:
		return "image with the ending " + shown(ext), nil
	case kind != "":
		return kind, nil
	case len(content) == 0 && ext == "":
		return "empty file", nil
	case ext == "":
		return "file without an ending", nil
	case len(ext) > 16:
		return "file of another kind", nil
	default:
		return shown(ext) + " file", nil
	}
}

// isNetpbm reports whether the beginning of a file is a valid Netpbm header.
func isNetpbm(head []byte) bool {
	if !begins(head, "P?") || head[1] < '1' || head[1] > '7' {
		return false
	}
	h, _ := readNetpbmHeader(head)
	return h.size.X > 0 && h.size.Y > 0
}

// isText reports whether the beginning of a file may be text, which has no control bytes.
func isText(head []byte) bool {
	return !slices.ContainsFunc(head, func(b byte) bool { return b < '\t' || b > '\r' && b < ' ' })
}

// unreadableKind recognizes formats that are not supported.
func unreadableKind(head []byte) string {
	for _, k := range []struct{ magic, kind string }{
		{"????ftypavif", "AVIF image"}, {"????ftypavis", "AVIF image"},
		{"????ftyphei", "HEIC image"}, {"????ftyphev", "HEIC image"}, {"????ftypmif1", "HEIC image"}, {"????ftypmsf1", "HEIC image"},
		{"????ftyp", "video"}, {"RIFF????AVI ", "video"}, {"\x1aE\xdf\xa3", "video"},
		{"\x00\x00\x00\x0cjP  ", "JPEG 2000 image"}, {"\xff\x4f\xff\x51", "JPEG 2000 image"},
		{"\x00\x00\x00\x0cJXL ", "JPEG XL image"}, {"\xff\x0a", "JPEG XL image"},
		{"II\xbc\x01", "JPEG XR image"}, {"II+\x00", "BigTIFF image"}, {"MM\x00+", "BigTIFF image"},
		{"PF\n", "PFM image"}, {"Pf\n", "PFM image"},
		{"v/1\x01", "OpenEXR image"}, {"#?RADIANCE", "Radiance image"}, {"SIMPLE  =", "FITS image"},
		{"8BPS", "Photoshop image"}, {"gimp xcf", "GIMP image"}, {"\x00\x00\x01\x00", "icon"},
		{"FUJIFILMCCD-RAW", "camera's raw image"}, {"IIU\x00", "camera's raw image"}, {"IIRO", "camera's raw image"},
		{"<svg", "SVG image"}, {"%PDF-", "PDF file"}, {"%!PS", "PostScript file"}, {"DDS ", "DDS image"},
		{"\x93NUMPY", "NPY array"}, {"PK\x03\x04", "zip file"}, {"\x1f\x8b", "gzip file"},
	} {
		if begins(head, k.magic) {
			return k.kind
		}
	}
	if len(head) >= 132 && string(head[128:132]) == "DICM" {
		return "DICOM image"
	}
	return ""
}

// leftOut counts the files that a dataset leaves out.
type leftOut struct {
	kinds   map[string]int
	folders map[string]bool // left out with everything in them
	empty   []string        // class folders without images
}

func (l *leftOut) add(kind string) {
	if l.kinds == nil {
		l.kinds = map[string]int{}
	}
	l.kinds[kind]++
}

func (l *leftOut) addFolder(name string) {
	if l.folders == nil {
		l.folders = map[string]bool{}
	}
	l.folders[name] = true
}

// String is one line, empty if nothing is left out.
func (l *leftOut) String() string {
	kinds := slices.SortedFunc(maps.Keys(l.kinds), func(a, b string) int {
		return cmp.Or(cmp.Compare(l.kinds[b], l.kinds[a]), cmp.Compare(a, b))
	})
	var parts []string
	for i, kind := range kinds {
		n := l.kinds[kind]
		if i == 2*maxListed {
			for n = 0; i < len(kinds); i++ {
				n += l.kinds[kinds[i]]
			}
			parts = append(parts, counted(n, "file of other kinds"))
			break
		}
		parts = append(parts, counted(n, kind))
	}
	if len(l.folders) > 0 {
		parts = append(parts, counted(len(l.folders), kindFolder)+" ("+listed(allShown(slices.Sorted(maps.Keys(l.folders))), ", ")+")")
	}
	if len(l.empty) > 0 {
		parts = append(parts, counted(len(l.empty), "class folder")+" without images ("+listed(allShown(l.empty), ", ")+")")
	}
	return strings.Join(parts, ", ")
}

// counted puts a number before a kind and its first noun into the plural.
func counted(n int, kind string) string {
	if n == 1 {
		return "1 " + kind
	}
	for _, noun := range []string{"image", "file", "video", "icon", "array", "pipe", "device", "socket", "thing", "folder", "link"} {
		if before, after, found := strings.Cut(kind, noun); found {
			return fmt.Sprintf("%d %s%ss%s", n, before, noun, after)
		}
	}
	return fmt.Sprintf("%d of kind %s", n, kind)
}

func allShown(names []string) []string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = shown(name)
	}
	return texts
}

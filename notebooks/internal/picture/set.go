package picture

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"

	"ngebm/notebooks/internal/printable"
)

// Limits for the pictures of pages. A picture counts each time it is shown: each time it is a
// file of the site, and work for the reader's browser.
const (
	maxFigures    = 1000     // on a page
	maxPageBytes  = 64 << 20 // of a page's pictures
	maxPagePixels = 1 << 27
	maxSiteBytes  = 256 << 20 // of all pages' pictures
	maxSitePixels = 1 << 29
)

// picture is a checked picture.
type picture struct {
	content []byte   // the bytes that a page shows
	poster  []byte   // an animation's last frame as PNG, else nil
	leftOut []string // the parts of an SVG that were removed
	pixels  int      // of all frames
}

// Set holds the pictures of a site. Each file is read once, and each picture checked once, no
// matter how often pages show it.
type Set struct {
	read    map[string][]byte
	checked map[[sha256.Size]byte]picture
	shown   Sum
}

func NewSet() *Set {
	return &Set{read: map[string][]byte{}, checked: map[[sha256.Size]byte]picture{}}
}

// Sum is the number and size of pictures.
type Sum struct{ bytes, pixels, figures int }

func (s *Sum) add(p picture) {
	s.bytes += len(p.content) + len(p.poster)
	s.pixels += p.pixels
	s.figures++
}

// Take reads a figure that a notebook in the folder names or embeds, and checks it. It returns
// the names of the parts that were removed from an embedded one.
func (all *Set) Take(f *Figure, folder string, page *Sum) (leftOut []string, err error) {
	if page.figures >= maxFigures {
		return nil, fmt.Errorf("it is one of more than %d pictures: show fewer on one page", maxFigures)
	}
	if f.Path != "" {
		if f.Content, err = readPicture(folder, f.Path, all.read); err != nil {
			return nil, err
		}
	}
	key := sha256.Sum256(append([]byte(f.Kind+"\n"), f.Content...))
	p, known := all.checked[key]
	if !known {
		p, err = checkPicture(f.Content, f.Kind)
	}
	switch {
	case err != nil && f.Path != "":
		return nil, fmt.Errorf("the picture %q: %w", f.Path, err)
	case err != nil:
		return nil, fmt.Errorf("its picture %q: %w", printable.Shorten(f.Alt), err)
	case f.Path != "" && len(p.leftOut) > 0:
		return nil, fmt.Errorf("the picture %q holds what could run or load something (%s): save it as a plain SVG or as PNG", f.Path, strings.Join(p.leftOut, ", "))
	}
	all.checked[key] = p
	f.Content, f.Poster = p.content, p.poster
	page.add(p)
	all.shown.add(p)
	switch {
	case page.bytes > maxPageBytes || page.pixels > maxPagePixels:
		return nil, fmt.Errorf("with this picture those of the page have %d bytes and %d pixels, more than the %d and %d that a page takes: save them smaller, or show fewer", page.bytes, page.pixels, maxPageBytes, maxPagePixels)
	case all.shown.bytes > maxSiteBytes || all.shown.pixels > maxSitePixels:
		return nil, fmt.Errorf("with this picture those of all pages have %d bytes and %d pixels, more than the %d and %d that a site takes: publish fewer notebooks at once", all.shown.bytes, all.shown.pixels, maxSiteBytes, maxSitePixels)
	}
	return p.leftOut, nil
}

// readKey identifies a file that was read: by its path as well, as not every system numbers
// files.
func readKey(identity, path string) string { return identity + "\n" + filepath.Clean(path) }

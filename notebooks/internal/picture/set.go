package picture

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"

	"ngebm/notebooks/internal/printable"
)

// What pages take of pictures. A picture counts each time that it is shown: it is then a
// file of the site, and work for whoever looks at the page.
const (
	maxFigures    = 1000     // pictures of a page
	maxPageBytes  = 64 << 20 // of the pictures of a page
	maxPagePixels = 1 << 27
	maxSiteBytes  = 256 << 20 // of the pictures of all pages
	maxSitePixels = 1 << 29
)

// picture is one that was checked.
type picture struct {
	content []byte   // as a page shows it
	poster  []byte   // where an animation ends, nil for others
	leftOut []string // what of an SVG is not in it
	pixels  int      // of all its frames
}

// Set are those of a site. A file is read once and a picture checked once, however
// often pages show it.
type Set struct {
	read    map[string][]byte
	checked map[[sha256.Size]byte]picture
	shown   Sum
}

func NewSet() *Set {
	return &Set{read: map[string][]byte{}, checked: map[[sha256.Size]byte]picture{}}
}

// Sum is what pictures come to.
type Sum struct{ bytes, pixels, figures int }

func (s *Sum) add(p picture) {
	s.bytes += len(p.content) + len(p.poster)
	s.pixels += p.pixels
	s.figures++
}

// Take reads a figure that a notebook in the folder names, and checks that it is a
// picture. It returns what was left out of one that the notebook holds.
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

// readKey distinguishes files that are read: by path, too, as not every system has numbers
// for them.
func readKey(identity, path string) string { return identity + "\n" + filepath.Clean(path) }

// Package picture checks the images that pages show: PNG, JPEG and GIF are decoded whole,
// SVG loses what could run or load, and all have limits.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"ngebm/data/files"
	"ngebm/notebooks/internal/printable"
)

// Limits for one picture of a page.
const (
	maxPicture         = 20 << 20 // bytes of the file
	maxPicturePixels   = 1 << 24
	maxAnimationPixels = 1 << 27 // of all frames together
	maxAnimation       = 10_000  // frames
)

// readPicture reads a picture that a notebook names by a path relative to its folder. With
// links resolved, the file must be a regular one in that folder: a notebook may be untrusted,
// and a page is public. read holds the files that were read before.
func readPicture(folder, path string, read map[string][]byte) ([]byte, error) {
	if filepath.IsAbs(path) {
		return nil, fmt.Errorf("the picture %q is named by an absolute path: save it in the notebook's folder and name it from there", path)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the picture %q is not there: save it in the notebook's folder", path)
	case err != nil:
		return nil, fmt.Errorf("the picture %q: %w; save it in the notebook's folder", path, printable.Cause(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the picture %q is no file", path)
	case info.Size() > maxPicture:
		return nil, fmt.Errorf("the picture %q has %d bytes, more than the %d that a page takes: save it smaller", path, info.Size(), maxPicture)
	}
	// The file may have been replaced by a pipe: do not wait for its other end.
	file, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("the picture %q: %w", path, printable.Cause(err))
	}
	defer file.Close()
	now, err := file.Stat()
	if err != nil || !os.SameFile(info, now) {
		return nil, fmt.Errorf("the picture %q was exchanged while it was read", path)
	}
	key := readKey(files.Identity(now), path)
	if content, known := read[key]; known {
		return content, nil
	}
	content, err := io.ReadAll(io.LimitReader(file, maxPicture))
	if err != nil {
		return nil, fmt.Errorf("the picture %q: %w", path, printable.Cause(err))
	}
	read[key] = content
	return content, nil
}

// checkPicture returns a picture as a page shows it. The file's extension says which kind it is.
func checkPicture(content []byte, kind string) (picture, error) {
	if len(content) > maxPicture {
		return picture{}, fmt.Errorf("it has %d bytes, more than the %d that a page takes", len(content), maxPicture)
	}
	if kind == ".svg" {
		return cleanSVG(content)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return picture{}, fmt.Errorf("it is no %s: %w", kindName(kind), err)
	}
	if !strings.EqualFold(kindName(kind), format) {
		return picture{}, fmt.Errorf("it is a %s under the name of a %s: rename it", strings.ToUpper(format), kindName(kind))
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPicturePixels/config.Height {
		return picture{}, fmt.Errorf("it has %d by %d pixels, more than the %d that a page takes", config.Width, config.Height, maxPicturePixels)
	}
	p := picture{content: content, pixels: config.Width * config.Height}
	if err := p.decode(format); err != nil {
		return picture{}, fmt.Errorf("it cannot be shown: %w", err)
	}
	return p, nil
}

// decode decodes a whole picture. It refuses bytes after the picture's end, which no viewer
// would show.
func (p *picture) decode(format string) error {
	var end, more int
	var err error
	switch format {
	case "png":
		if end, more, err = pngEnd(p.content); err == nil {
			_, err = png.Decode(bytes.NewReader(p.content))
		}
	case "jpeg":
		if end, err = jpegEnd(p.content); err == nil {
			_, err = jpeg.Decode(bytes.NewReader(p.content))
		}
	case "gif":
		if end, more, err = gifEnd(p.content); err == nil {
			p.poster, err = Poster(p.content)
		}
	default:
		err = errors.New("not a kind that pages show")
	}
	if err == nil && end < len(p.content) {
		err = fmt.Errorf("%d bytes follow its end: open it and save it again", len(p.content)-end)
	}
	p.pixels = max(p.pixels, more)
	return err
}

// kindName returns the name of a picture's format by its file extension.
func kindName(kind string) string {
	if kind == ".jpg" {
		return "JPEG"
	}
	return strings.ToUpper(strings.TrimPrefix(kind, "."))
}

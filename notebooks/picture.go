package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// What a page takes of one picture.
const (
	maxPicture         = 20 << 20 // bytes of its file
	maxPicturePixels   = 1 << 24
	maxAnimationPixels = 1 << 27 // of all pictures of an animation together
	maxAnimation       = 10_000  // pictures
)

// readPicture reads a picture that a notebook in a folder names by a relative path. The
// file, after all links, is a regular one within that folder: a notebook may be a
// stranger's, and a page is for everyone.
func readPicture(folder, path string) ([]byte, error) {
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
		return nil, fmt.Errorf("the picture %q: %w; save it in the notebook's folder", path, cause(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the picture %q is no file", path)
	case info.Size() > maxPicture:
		return nil, fmt.Errorf("the picture %q has %d bytes, more than the %d that a page takes: save it smaller", path, info.Size(), maxPicture)
	}
	// What was a file may be a pipe by now, which is not waited for.
	file, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("the picture %q: %w", path, cause(err))
	}
	defer file.Close()
	if now, err := file.Stat(); err != nil || !os.SameFile(info, now) {
		return nil, fmt.Errorf("the picture %q was exchanged while it was read", path)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxPicture))
	if err != nil {
		return nil, fmt.Errorf("the picture %q: %w", path, cause(err))
	}
	return content, nil
}

// cause is an error without the path, which others might not print safely.
func cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// checkPicture returns a picture as a page takes it, by the ending of its file's name,
// and what of an SVG is not in it.
func checkPicture(content []byte, kind string) (checked []byte, leftOut []string, err error) {
	if len(content) > maxPicture {
		return nil, nil, fmt.Errorf("it has %d bytes, more than the %d that a page takes", len(content), maxPicture)
	}
	if kind == ".svg" {
		return cleanSVG(content)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, nil, fmt.Errorf("it is no %s: %w", kindName(kind), err)
	}
	if !strings.EqualFold(kindName(kind), format) {
		return nil, nil, fmt.Errorf("it is a %s under the name of a %s: rename it", strings.ToUpper(format), kindName(kind))
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPicturePixels/config.Height {
		return nil, nil, fmt.Errorf("it has %d by %d pixels, more than the %d that a page takes", config.Width, config.Height, maxPicturePixels)
	}
	switch format {
	case "png":
		_, err = png.Decode(bytes.NewReader(content))
	case "jpeg":
		_, err = jpeg.Decode(bytes.NewReader(content))
	case "gif":
		if err = checkGIF(content); err == nil {
			_, err = gif.DecodeAll(bytes.NewReader(content))
		}
	default:
		err = errors.New("not a kind that pages show")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("it cannot be shown: %w", err)
	}
	return content, nil, nil
}

// kindName names a kind of picture by its ending.
func kindName(kind string) string {
	if kind == ".jpg" {
		return "JPEG"
	}
	return strings.ToUpper(strings.TrimPrefix(kind, "."))
}

// checkGIF returns an error if the pictures of an animation have more pixels together
// than maxAnimationPixels: a small file can hold very many.
func checkGIF(content []byte) error {
	const header, frame = 13, 10
	table := func(flags byte) int { // bytes of the colour table that follows
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(content) < header {
		return io.ErrUnexpectedEOF
	}
	at, pixels, pictures := header+table(content[10]), 0, 0
	for at < len(content) {
		switch content[at] {
		case 0x21: // extension: its kind, then blocks
			at += 2
		case 0x2c: // picture: position, size and flags, colours, size of codes, then blocks
			if at+frame > len(content) {
				return io.ErrUnexpectedEOF
			}
			f := content[at:]
			pixels += (int(f[5]) | int(f[6])<<8) * (int(f[7]) | int(f[8])<<8)
			if pictures++; pictures > maxAnimation || pixels > maxAnimationPixels {
				return fmt.Errorf("it has more than %d pictures, or they more than %d pixels together", maxAnimation, maxAnimationPixels)
			}
			at += frame + table(f[9]) + 1
		default: // the end, or nothing that a GIF has: the decoder will say so
			return nil
		}
		for at < len(content) && content[at] != 0 {
			at += 1 + int(content[at])
		}
		at++
	}
	return nil
}

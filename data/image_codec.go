package data

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
)

// codec is one format of image files.
type codec struct {
	magic string // its first bytes; ? matches any byte
	// open reads the headers, up to the first frame.
	open func(content []byte) (frame, error)
}

// frame is the first image in a file, before it is decoded.
type frame struct {
	size   image.Point // of what decode returns
	room   int64       // pixels that decode takes memory for, if more than those of size
	lossy  bool
	deep   bool // has more than 8 bits a sample, though decode returns 8
	decode func() (image.Image, error)
}

func codecs() []codec {
	return []codec{
		{"\xff\xd8", openJPEG},
		{"\x89PNG", standard(false, png.DecodeConfig, png.Decode)},
		{"GIF8", openGIF},
		{"BM", openBMP},
		{"II*\x00", openTIFF},
		{"MM\x00*", openTIFF},
		{"RIFF????WEBP", openWebP},
		{"P1", openNetpbm}, {"P2", openNetpbm}, {"P3", openNetpbm},
		{"P4", openNetpbm}, {"P5", openNetpbm}, {"P6", openNetpbm}, {"P7", openNetpbm},
	}
}

// standard returns a codec's open for a package whose config is that of the frame it decodes.
func standard(lossy bool, config func(io.Reader) (image.Config, error), decode func(io.Reader) (image.Image, error)) func([]byte) (frame, error) {
	return func(content []byte) (frame, error) {
		c, err := config(bytes.NewReader(content))
		return frame{size: image.Pt(c.Width, c.Height), lossy: lossy, decode: func() (image.Image, error) {
			return decode(bytes.NewReader(content))
		}}, err
	}
}

// isImageName reports whether a file name extension, in lower case, is that of a supported image.
func isImageName(ext string) bool {
	switch ext {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp",
		".pbm", ".pgm", ".ppm", ".pnm", ".pam":
		return true
	}
	return false
}

const supportedFormats = "JPEG, PNG, GIF, BMP, TIFF, WebP and PBM, PGM, PPM, PAM"

// codecOf detects the format by the first bytes, whatever the name.
func codecOf(content []byte) (codec, error) {
	for _, c := range codecs() {
		if begins(content, c.magic) {
			return c, nil
		}
	}
	if len(content) == 0 {
		return codec{}, errors.New("the file is empty")
	}
	if kind := unreadableKind(content); kind != "" {
		return codec{}, errors.New("it is not one of " + supportedFormats + " (" + kind + ")")
	}
	return codec{}, errors.New("it is not one of " + supportedFormats)
}

// begins reports whether content begins with magic, in which ? matches any byte.
func begins(content []byte, magic string) bool {
	if len(content) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != content[i] {
			return false
		}
	}
	return true
}

package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"
)

// netpbm is the header of a PBM, PGM, PPM or PAM file, see netpbm(5). Samples of any maximum are
// scaled to 8 bits and rounded as in Pillow.
type netpbm struct {
	size    image.Point
	depth   int // samples per pixel
	maximum int
	text    bool // samples are decimal numbers
	bits    bool // samples are bits, 8 per byte, or digits with optional space
	inverse bool // 1 is black
	rest    []byte
}

// openNetpbm opens the first image of a file. The samples must be complete, so that memory is
// allocated only for what the file has.
func openNetpbm(content []byte) (frame, error) {
	h, err := readNetpbmHeader(content)
	if err != nil {
		return frame{}, err
	}
	return frame{size: h.size, deep: h.maximum > math.MaxUint8, decode: h.decode}, nil
}

// readNetpbmHeader reads the header.
func readNetpbmHeader(content []byte) (h netpbm, err error) {
	kind := content[1]
	if kind == '7' {
		h, err = readPAMHeader(content[2:])
	} else {
		h.rest = content[2:]
		h.text, h.bits, h.inverse = kind <= '3', kind == '1' || kind == '4', kind == '1' || kind == '4'
		h.depth, h.maximum = 1, 1
		fields := []*int{&h.size.X, &h.size.Y, &h.maximum}
		if h.bits {
			fields = fields[:2]
		}
		if kind == '3' || kind == '6' {
			h.depth = 3
		}
		for _, field := range fields {
			if *field, err = h.number(); err != nil {
				return h, err
			}
		}
		if len(h.rest) == 0 || !isSpace(h.rest[0]) {
			return h, errors.New("its header does not end")
		}
		h.rest = h.rest[1:]
	}
	if err == nil {
		err = h.check()
	}
	return h, err
}

// check validates the header and that the samples are complete.
func (h *netpbm) check() error {
	const maxNetpbmSide = 1 << 24 // so that side·side·depth fits an int
	switch {
	case h.size.X < 1 || h.size.Y < 1 || h.size.X > maxNetpbmSide || h.size.Y > maxNetpbmSide:
		return fmt.Errorf("its header says %s", heightByWidth(h.size))
	case h.maximum < 1 || h.maximum > math.MaxUint16:
		return fmt.Errorf("its maximum sample is %d: want 1 to 65535", h.maximum)
	case h.depth < 1 || h.depth > 4:
		return fmt.Errorf("its pixels have %d samples: want 1 to 4", h.depth)
	}
	need := h.size.Y * h.rowBytes()
	if h.text {
		need = h.size.X * h.size.Y * h.depth // at least one digit per sample
	}
	if len(h.rest) < need {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// rowBytes is the size of a row of binary samples.
func (h *netpbm) rowBytes() int {
	switch n := h.size.X * h.depth; {
	case h.bits:
		return (n + 7) / 8
	case h.maximum > math.MaxUint8:
		return 2 * n
	default:
		return n
	}
}

// skip skips white space and comments, which extend to the end of the line.
func (h *netpbm) skip() {
	for len(h.rest) > 0 && (isSpace(h.rest[0]) || h.rest[0] == '#') {
		n := 1
		if h.rest[0] == '#' {
			if n = bytes.IndexByte(h.rest, '\n'); n < 0 {
				n = len(h.rest)
			}
		}
		h.rest = h.rest[n:]
	}
}

// number reads a decimal number.
func (h *netpbm) number() (int, error) {
	h.skip()
	digits := 0
	for digits < len(h.rest) && h.rest[digits] >= '0' && h.rest[digits] <= '9' {
		digits++
	}
	n, err := strconv.Atoi(string(h.rest[:min(digits, 20)]))
	if err != nil {
		if len(h.rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, fmt.Errorf("it has %.10q instead of a number", h.rest)
	}
	h.rest = h.rest[digits:]
	return n, nil
}

func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

// readPAMHeader reads the lines of a PAM header, up to ENDHDR.
func readPAMHeader(content []byte) (h netpbm, err error) {
	fields := map[string]*int{"WIDTH": &h.size.X, "HEIGHT": &h.size.Y, "DEPTH": &h.depth, "MAXVAL": &h.maximum}
	for h.rest = content; ; {
		line, rest, found := bytes.Cut(h.rest, []byte("\n"))
		if !found {
			return h, errors.New("its header does not end")
		}
		h.rest = rest
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		switch field := fields[key]; {
		case key == "ENDHDR":
			return h, nil
		case field != nil:
			if *field, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return h, fmt.Errorf("its %s is %.20q", key, value)
			}
		}
	}
}

// decode returns a gray image for one or two samples per pixel, and a color image for three or four.
// The second or fourth is transparency, which is dropped.
func (h netpbm) decode() (image.Image, error) {
	whole := image.Rectangle{Max: h.size}
	if h.depth <= 2 {
		gray := image.NewGray(whole)
		return gray, h.samples(func(x, y, channel int, value uint8) {
			if channel == 0 {
				gray.SetGray(x, y, color.Gray{Y: value})
			}
		})
	}
	colors := image.NewNRGBA(whole)
	return colors, h.samples(func(x, y, channel int, value uint8) {
		if channel == 3 {
			value = 0xff
		}
		colors.Pix[colors.PixOffset(x, y)+channel] = value
	})
}

// samples calls set for each sample.
func (h netpbm) samples(set func(x, y, channel int, value uint8)) error {
	row := h.rest
	for y := range h.size.Y {
		if !h.text {
			row = h.rest[y*h.rowBytes():][:h.rowBytes()]
		}
		for x := range h.size.X {
			for channel := range h.depth {
				v, err := h.sample(row, x*h.depth+channel)
				if err != nil {
					return err
				}
				if v > h.maximum {
					return fmt.Errorf("the pixel at %d, %d has the sample %d, above its maximum of %d", x, y, v, h.maximum)
				}
				if h.inverse {
					v = h.maximum - v
				}
				set(x, y, channel, uint8(math.RoundToEven(float64(v)/float64(h.maximum)*255)))
			}
		}
	}
	return nil
}

// sample returns sample i of a row, or the next one of a text format.
func (h *netpbm) sample(row []byte, i int) (int, error) {
	switch {
	case h.text && h.bits:
		return h.digit()
	case h.text:
		return h.number()
	case h.bits:
		return int(row[i/8] >> (7 - i%8) & 1), nil
	case h.maximum > math.MaxUint8:
		return int(row[2*i])<<8 | int(row[2*i+1]), nil
	default:
		return int(row[i]), nil
	}
}

// digit reads one digit of a plain PBM, in which space between digits is optional.
func (h *netpbm) digit() (int, error) {
	if h.skip(); len(h.rest) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	b := h.rest[0]
	if b != '0' && b != '1' {
		return 0, fmt.Errorf("it has %q instead of 0 or 1", b)
	}
	h.rest = h.rest[1:]
	return int(b - '0'), nil
}

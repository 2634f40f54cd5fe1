package picture

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"strings"
	"testing"

	"ngebm/data/testerror"
	"ngebm/notebooks/internal/notebooktest"
)

func TestCleanSVG(t *testing.T) {
	for _, test := range notebooktest.HostileSVGs {
		p, err := cleanSVG([]byte(test.In))
		want := notebooktest.SVGRoot + test.Want + "</svg>"
		if err != nil || string(p.content) != want || strings.Join(p.leftOut, ",") != test.LeftOut {
			t.Errorf("%s: %v\n%s\nnot\n%s\nwithout %v", test.Name, err, p.content, want, p.leftOut)
		}
	}
	for name, in := range map[string]string{
		"entities":           `<!DOCTYPE svg [<!ENTITY a "b">]>` + notebooktest.SVGRoot + `&a;</svg>`,
		"entities elsewhere": `<!DOCTYPE svg SYSTEM "x" [<!ENTITY % a SYSTEM "file:///etc/passwd">]>` + notebooktest.SVGRoot + `</svg>`,
		"no namespace":       `<svg><g/></svg>`,
		"HTML":               `<html xmlns="http://www.w3.org/1999/xhtml"><svg/></html>`,
		"not closed":         notebooktest.SVGRoot + `<g>`,
		"another encoding":   `<?xml version="1.0" encoding="utf-7"?>` + notebooktest.SVGRoot + `</svg>`,
		"two":                notebooktest.SVGRoot + `</svg><script/>`,
		"two pictures":       notebooktest.SVGRoot + `</svg>` + notebooktest.SVGRoot + `</svg>`,
		"very deep":          notebooktest.SVGRoot + strings.Repeat("<g>", maxSVGDepth+1),
		"nothing":            ``,
	} {
		if p, err := cleanSVG([]byte(in)); err == nil {
			t.Errorf("%s: became %s", name, p.content)
		}
	}
}

// Pictures within an SVG are decoded and counted as others are.
func TestPicturesInSVG(t *testing.T) {
	embed := func(kind string, content []byte) string {
		return `<image href="data:image/` + kind + `;base64,` + base64.StdEncoding.EncodeToString(content) + `"/>`
	}
	square := notebooktest.Image(t, ".png")
	one, err := checkPicture(square, ".png")
	if err != nil {
		t.Fatal(err)
	}
	var large bytes.Buffer
	if err := png.Encode(&large, image.NewGray(image.Rect(0, 0, 3000, 3000))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, in, says string
		pixels         int
	}{
		{"one", embed("png", square), "", one.pixels},
		{"two", embed("png", square) + embed("jpeg", notebooktest.Image(t, ".jpg")), "", 2 * one.pixels},
		{"a huge one", embed("png", hugePNG(t)), "60000 by 60000 pixels", 0},
		{"two large ones", strings.Repeat(embed("png", large.Bytes()), 2), "pixels that a page takes", 0},
		{"more after its end", embed("png", append(bytes.Clone(square), 1, 2, 3)), "3 bytes follow", 0},
		{"under another name", embed("jpg", square), "", one.pixels},
		{"no picture", embed("png", []byte{0}), "it is no PNG", 0},
		{"no base64", `<image href="data:image/png;base64,A"/>`, "base64", 0},
		{"in style", `<g style="fill:url(data:image/png;base64,AA==)"/>`, "", 0},
	} {
		p, err := cleanSVG([]byte(notebooktest.SVGRoot + test.in + "</svg>"))
		switch {
		case test.says != "":
			testerror.Want(t, err, "a picture in this SVG", test.says)
		case err != nil || p.pixels != test.pixels || strings.Contains(string(p.content), "url("):
			t.Errorf("%s: %d pixels, %v: %s", test.name, p.pixels, err, p.content)
		}
	}
}

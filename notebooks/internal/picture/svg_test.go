package picture

import (
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

func TestCleanSVG(t *testing.T) {
	for _, test := range notebooktest.HostileSVGs {
		cleaned, leftOut, err := cleanSVG([]byte(test.In))
		want := notebooktest.SVGRoot + test.Want + "</svg>"
		if err != nil || string(cleaned) != want || strings.Join(leftOut, ",") != test.LeftOut {
			t.Errorf("%s: %v\n%s\nnot\n%s\nwithout %v", test.Name, err, cleaned, want, leftOut)
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
		if cleaned, _, err := cleanSVG([]byte(in)); err == nil {
			t.Errorf("%s: became %s", name, cleaned)
		}
	}
}

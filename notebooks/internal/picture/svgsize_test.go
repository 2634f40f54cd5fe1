package picture

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebooktest"
)

// doubling is an SVG of levels of groups, each of ten elements that refer to the level
// before in one way.
func doubling(levels int, definition, element string) string {
	var b strings.Builder
	b.WriteString(notebooktest.SVGRoot)
	for level := range levels {
		refers := "<rect/>"
		if level > 0 {
			refers = strings.ReplaceAll(element, "N", fmt.Sprint(level-1))
		}
		b.WriteString(strings.NewReplacer("N", fmt.Sprint(level), "…", strings.Repeat(refers, 10)).Replace(definition))
	}
	return b.String() + "</svg>"
}

// A few bytes that ask for more shapes than can be drawn are refused, whichever way they
// refer to one another.
func TestSVGBombs(t *testing.T) {
	path := `<path id="p" d="` + strings.Repeat("M1 1L2 2", 100_000) + `"/>`
	many := strings.Repeat("<rect/>", 1000)
	for name, svg := range map[string]string{
		"use":               doubling(12, `<g id="gN">…</g>`, `<use href="#gN"/>`),
		"use, escaped":      doubling(12, `<g id="gN">…</g>`, `<use href="#%67N"/>`),
		"use, first of two": doubling(12, `<g id="gN">…</g><g id="gN"/>`, `<use xlink:href=" #gN "/>`),
		"patterns":          doubling(12, `<pattern id="gN">…</pattern>`, `<rect fill="url(#gN)"/>`),
		"masks":             doubling(12, `<mask id="gN">…</mask>`, `<rect mask="url('#gN')"/>`),
		"clip paths":        doubling(12, `<clipPath id="gN">…</clipPath>`, `<rect style="fill:red; clip-path : url( &quot;#gN&quot; )"/>`),
		"markers":           doubling(12, `<marker id="gN">…</marker>`, `<path marker-mid="url(#gN)"/>`),
		"filters":           doubling(12, `<filter id="gN">…</filter>`, `<feImage href="#gN"/><g filter="url(#gN)"/>`),
		"style sheets":      doubling(12, `<style>/* { */ @media all{.a, rect.bN{fill:url(#gN)}}</style><pattern id="gN">…</pattern>`, `<rect class="x bN"/>`),
		"inherited fills":   notebooktest.SVGRoot + `<pattern id="p">` + many + `</pattern><g fill="url(#p)"><g>` + many + many + `</g></g></svg>`,
		"inherited masks":   notebooktest.SVGRoot + `<style>*{mask:inherit}</style><mask id="p">` + many + `</mask><g mask="url(#p)"><g>` + many + many + `</g></g></svg>`,
		"a variable":        notebooktest.SVGRoot + `<mask id="p">` + many + `</mask><g style="--a:url(#p)">` + strings.Repeat(`<g style="mask:var(--a)"/>`, 2000) + `</g></svg>`,
		"selectors":         notebooktest.SVGRoot + `<pattern id="p"><rect/></pattern><style>rect:not([x]){fill:url(#p)}</style></svg>`,
		"nested style":      notebooktest.SVGRoot + `<pattern id="p"><rect/></pattern><style>g{rect{stroke:red} fill:url(#p)}</style></svg>`,
		"a long path":       notebooktest.SVGRoot + path + strings.Repeat(`<use href="#p"/>`, 1000) + `</svg>`,
		"points of a path":  notebooktest.SVGRoot + `<marker id="m">` + many + `</marker><g marker-mid="url(#m)">` + path + `</g></svg>`,
		"itself":            notebooktest.SVGRoot + `<g id="a"><use href="#a"/></g></svg>`,
		"in a circle":       notebooktest.SVGRoot + `<g id="a"><use href="#b"/></g><g id="b" mask="url(#c)"/><mask id="c"><use href="#a"/></mask></svg>`,
		"elements":          notebooktest.SVGRoot + strings.Repeat("<g/>", 2*maxSVGElements) + `</svg>`,
		"attributes":        notebooktest.SVGRoot + `<g ` + strings.Repeat(`a="" `, maxSVGAttributes) + `/></svg>`,
	} {
		start := time.Now()
		if p, err := cleanSVG([]byte(svg)); err == nil || !strings.HasPrefix(err.Error(), "it is an SVG ") || !strings.Contains(err.Error(), ": save it as ") {
			t.Errorf("%s: %d bytes, %v", name, len(p.content), err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// What drawing programs write stays: clip paths and gradients of style sheets, markers of
// plots, symbols, and gradients that refer to one another.
func TestSVGOfReferencesStays(t *testing.T) {
	for name, svg := range map[string]string{
		"classes":   `<style>.a{clip-path:url(#a);}.b{clip-path:url(#b);fill:url(#l)}</style><clipPath id="a"><rect class="c"/></clipPath><clipPath id="b"><rect class="a"/></clipPath><g class="a"><g class="b"><path d="M0 0"/></g></g>`,
		"gradients": `<linearGradient id="k"><stop/></linearGradient><linearGradient id="l" href="#k"/><g fill="url(#l)">` + strings.Repeat(`<g fill="url(#l)" stroke="url(#k)">`, 30) + strings.Repeat(`</g>`, 30) + `</g>`,
		"a plot":    `<defs><path id="m" d="M0 0"/><clipPath id="c"><rect/></clipPath></defs><g clip-path="url(#c)">` + strings.Repeat(`<use href="#m" x="1" y="2" style="stroke:#fff"/>`, 20_000) + `</g>`,
		"clips":     `<clipPath id="c"><rect/></clipPath>` + strings.Repeat(`<g clip-path="url(#c)">`, 100) + strings.Repeat(`<path d="M0 0"/>`, 1000) + strings.Repeat(`</g>`, 100),
		"missing":   `<use href="#none"/><rect fill="url(#none)"/>`,
	} {
		if p, err := cleanSVG([]byte(notebooktest.SVGRoot + svg + `</svg>`)); err != nil || len(p.leftOut) > 0 {
			t.Errorf("%s: %v, without %v", name, err, p.leftOut)
		}
	}
}

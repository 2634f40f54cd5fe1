package main

import (
	"strings"
	"testing"
)

const svgRoot = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">`

// hostileSVGs are what an SVG may try, and what is left of each.
var hostileSVGs = []struct{ name, in, want, leftOut string }{
	{"a script", svgRoot + `<script>alert(1)</script><g/></svg>`, `<g></g>`, "<script>"},
	{"a script of another prefix", `<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>1</s:script></s:svg>`, ``, "<script>"},
	{"a script in HTML", svgRoot + `<h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script></svg>`, ``, "<script>"},
	{"HTML in it", svgRoot + `<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="x"/></body></foreignObject></svg>`, ``, "<foreignObject>"},
	{"an event", svgRoot + `<g onload="alert(1)" ONCLICK="1" id="a"/></svg>`, `<g id="a"></g>`, "ONCLICK=,onload="},
	{"a link", svgRoot + `<a xlink:href="javascript:alert(1)" href="https://x"><text>t</text></a></svg>`, `<a><text>t</text></a>`, "href="},
	{"a use of another file", svgRoot + `<use href="https://x/y.svg#a"/><use xlink:href="#b"/></svg>`, `<use></use><use xlink:href="#b"></use>`, "href="},
	{"a picture elsewhere", svgRoot + `<image href="/etc/passwd"/><image href="data:image/svg+xml;base64,AA"/></svg>`, `<image></image><image></image>`, "href="},
	{"a picture in it", svgRoot + `<image href="data:image/png;base64,AA=="/></svg>`, `<image xlink:href="data:image/png;base64,AA=="></image>`, ""},
	{"an animation of a link", svgRoot + `<a><set attributeName="href" to="javascript:alert(1)"/></a></svg>`, `<a></a>`, "<set>"},
	{"style that loads", svgRoot + `<style>@import "https://x"; rect{}</style></svg>`, `<style></style>`, "<style>"},
	{"style that loads, split", svgRoot + `<style>@im<!-- -->port "https://x"<g/></style></svg>`, `<style></style>`, "<style>"},
	{"style that loads, escaped", svgRoot + `<style>a{b:u\72l(https://x)}</style></svg>`, `<style></style>`, "<style>"},
	{"style within", svgRoot + `<style>a{clip-path:url(#c)}</style><g style="fill:url(&quot;#f&quot;)" fill="url(#f)"/></svg>`, `<style>a{clip-path:url(#c)}</style><g style="fill:url(&#34;#f&#34;)" fill="url(#f)"></g>`, ""},
	{"an attribute that loads", svgRoot + `<g filter="url(https://x#f)" style="fill:url(//x)"/></svg>`, `<g></g>`, "filter=,style="},
	{"a base", svgRoot + `<g xml:base="https://x"/></svg>`, `<g></g>`, "base="},
	{"a style sheet", `<?xml-stylesheet href="x"?>` + svgRoot + `</svg>`, ``, "<?xml-stylesheet?>"},
	{"what drawing programs note", `<svg xmlns="http://www.w3.org/2000/svg" xmlns:i="http://www.inkscape.org/namespaces/inkscape"><i:page/><g i:label="a"/></svg>`, `<g></g>`, ""},
	{"its kind, declared", `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + svgRoot + `</svg>`, ``, ""},
	{"words with marks", svgRoot + `<text>a &lt;script&gt; &amp; b</text></svg>`, `<text>a &lt;script&gt; &amp; b</text>`, ""},
}

func TestCleanSVG(t *testing.T) {
	for _, test := range hostileSVGs {
		cleaned, leftOut, err := cleanSVG([]byte(test.in))
		want := svgRoot + test.want + "</svg>"
		if err != nil || string(cleaned) != want || strings.Join(leftOut, ",") != test.leftOut {
			t.Errorf("%s: %v\n%s\nnot\n%s\nwithout %v", test.name, err, cleaned, want, leftOut)
		}
	}
	for name, in := range map[string]string{
		"entities":           `<!DOCTYPE svg [<!ENTITY a "b">]>` + svgRoot + `&a;</svg>`,
		"entities elsewhere": `<!DOCTYPE svg SYSTEM "x" [<!ENTITY % a SYSTEM "file:///etc/passwd">]>` + svgRoot + `</svg>`,
		"no namespace":       `<svg><g/></svg>`,
		"HTML":               `<html xmlns="http://www.w3.org/1999/xhtml"><svg/></html>`,
		"not closed":         svgRoot + `<g>`,
		"another encoding":   `<?xml version="1.0" encoding="utf-7"?>` + svgRoot + `</svg>`,
		"two":                svgRoot + `</svg><script/>`,
		"very deep":          svgRoot + strings.Repeat("<g>", maxSVGDepth+1),
		"nothing":            ``,
	} {
		if cleaned, _, err := cleanSVG([]byte(in)); err == nil {
			t.Errorf("%s: became %s", name, cleaned)
		}
	}
}

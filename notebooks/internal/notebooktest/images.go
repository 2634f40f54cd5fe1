package notebooktest

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

// Image is a small picture of that kind.
func Image(t testing.TB, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	small := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.Black, color.White})
	switch kind {
	case ".png":
		err = png.Encode(&b, small)
	case ".jpg":
		err = jpeg.Encode(&b, small, nil)
	case ".gif":
		err = gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{small, small}, Delay: []int{1, 1}})
	case ".svg":
		b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><rect width="4" height="3"/></svg>`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const SVGRoot = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">`

// dot is a GIF of one pixel.
const dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// HostileSVGs are what an SVG may try, and what is left of each.
var HostileSVGs = []struct{ Name, In, Want, LeftOut string }{
	{"a script", SVGRoot + `<script>alert(1)</script><g/></svg>`, `<g></g>`, "<script>"},
	{"a script of another prefix", `<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>1</s:script></s:svg>`, ``, "<script>"},
	{"a script in HTML", SVGRoot + `<h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script></svg>`, ``, "<script>"},
	{"HTML in it", SVGRoot + `<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="x"/></body></foreignObject></svg>`, ``, "<foreignObject>"},
	{"an event", SVGRoot + `<g onload="alert(1)" ONCLICK="1" id="a"/></svg>`, `<g id="a"></g>`, "ONCLICK=,onload="},
	{"a link", SVGRoot + `<a xlink:href="javascript:alert(1)" href="https://x"><text>t</text></a></svg>`, `<a><text>t</text></a>`, "href="},
	{"a use of another file", SVGRoot + `<use href="https://x/y.svg#a"/><use xlink:href="#b"/></svg>`, `<use></use><use xlink:href="#b"></use>`, "href="},
	{"a picture elsewhere", SVGRoot + `<image href="/etc/passwd"/><image href="data:image/svg+xml;base64,AA"/></svg>`, `<image></image><image></image>`, "href="},
	{"a picture in it", SVGRoot + `<image href="` + dot + `"/></svg>`, `<image xlink:href="` + dot + `"></image>`, ""},
	{"an animation of a link", SVGRoot + `<a><set attributeName="href" to="javascript:alert(1)"/></a></svg>`, `<a></a>`, "<set>"},
	{"style that loads", SVGRoot + `<style>@import "https://x"; rect{}</style></svg>`, `<style></style>`, "<style>"},
	{"style that loads, split", SVGRoot + `<style>@im<!-- -->port "https://x"<g/></style></svg>`, `<style></style>`, "<style>"},
	{"style that loads, escaped", SVGRoot + `<style>a{b:u\72l(https://x)}</style></svg>`, `<style></style>`, "<style>"},
	{"style within", SVGRoot + `<style>a{clip-path:url(#c)}</style><g style="fill:url(&quot;#f&quot;)" fill="url(#f)"/></svg>`, `<style>a{clip-path:url(#c)}</style><g style="fill:url(&#34;#f&#34;)" fill="url(#f)"></g>`, ""},
	{"an attribute that loads", SVGRoot + `<g filter="url(https://x#f)" style="fill:url(//x)"/></svg>`, `<g></g>`, "filter=,style="},
	{"a base", SVGRoot + `<g xml:base="https://x"/></svg>`, `<g></g>`, "base="},
	{"a style sheet", `<?xml-stylesheet href="x"?>` + SVGRoot + `</svg>`, ``, "<?xml-stylesheet?>"},
	{"what drawing programs note", `<svg xmlns="http://www.w3.org/2000/svg" xmlns:i="http://www.inkscape.org/namespaces/inkscape"><i:page/><g i:label="a"/></svg>`, `<g></g>`, ""},
	{"its kind, declared", `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + SVGRoot + `</svg>`, ``, ""},
	{"words with marks", SVGRoot + `<text>a &lt;script&gt; &amp; b</text></svg>`, `<text>a &lt;script&gt; &amp; b</text>`, ""},
}

package picture

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Namespaces that an SVG keeps. Those that only describe the picture are dropped.
const (
	svgSpace   = "http://www.w3.org/2000/svg"
	xlinkSpace = "http://www.w3.org/1999/xlink"
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
)

// svgElements are the elements that draw. None of them runs code, loads a file or holds HTML.
var svgElements = strings.Fields(`a circle clipPath defs desc ellipse feBlend feColorMatrix feComponentTransfer
	feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB
	feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight
	feTile feTurbulence filter g image line linearGradient marker mask metadata path pattern polygon polyline
	radialGradient rect stop style svg switch symbol text textPath title tspan use view`)

var (
	// svgDoctype matches a document type without declarations.
	svgDoctype = regexp.MustCompile(`^DOCTYPE\s+svg(\s+(PUBLIC|SYSTEM)(\s+("[^"\[\]<>]*"|'[^'\[\]<>]*'))*)?\s*$`)
	// svgEmbedded matches an embedded raster picture. Browsers show it by its content: gonum's SVGs
	// name PNG as jpg.
	svgEmbedded = regexp.MustCompile(`^\s*data:image/(?:png|jpe?g|gif);base64,([A-Za-z0-9+/=\s]*)$`)
	// svgForeign matches what style must not contain: addresses of other files, and escapes,
	// which could hide them. Addresses within the picture are removed before.
	svgForeign  = regexp.MustCompile(`(?i)@import|expression\s*\(|javascript:|image-set|[\\<]|src\s*\(|url\s*\(`)
	svgInternal = regexp.MustCompile(`(?i)url\(\s*["']?(#[^()"']*|data:(font/|application/(x-)?font)[^()"']*)["']?\s*\)`)
	svgName     = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)
)

// svgCleaner rewrites an SVG without the parts that could run code or load files.
type svgCleaner struct {
	out     bytes.Buffer
	open    []string   // elements that are written and not yet closed
	nodes   []*svgNode // the nodes of open
	drawing svgDrawing
	leftOut map[string]bool
	pixels  int // of the pictures within it
}

// cleanSVG returns an SVG without scripts, links, external files and HTML.
func cleanSVG(content []byte) (p picture, err error) {
	// Each element and attribute has one of these; their number bounds the parser's time.
	if bytes.Count(content, []byte("<")) > 2*maxSVGElements || bytes.Count(content, []byte("=")) > maxSVGAttributes {
		return p, fmt.Errorf("it is an SVG of more than %d elements, or %d attributes: save it as PNG", maxSVGElements, maxSVGAttributes)
	}
	c := &svgCleaner{leftOut: map[string]bool{}, drawing: svgDrawing{ids: map[string]*svgNode{}, sheet: map[string]*svgRefs{}}}
	decoder := xml.NewDecoder(bytes.NewReader(content))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p, fmt.Errorf("it is no SVG: %w", err)
		}
		if err := c.take(decoder, token); err != nil {
			return p, err
		}
	}
	if c.out.Len() == 0 {
		return p, errors.New("it is no SVG: it is empty")
	}
	if err := c.drawing.check(); err != nil {
		return p, err
	}
	return picture{content: c.out.Bytes(), leftOut: slices.Sorted(maps.Keys(c.leftOut)), pixels: c.pixels}, nil
}

func (c *svgCleaner) take(decoder *xml.Decoder, token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return c.start(decoder, t)
	case xml.EndElement:
		fmt.Fprintf(&c.out, "</%s>", c.open[len(c.open)-1])
		c.open, c.nodes = c.open[:len(c.open)-1], c.nodes[:len(c.nodes)-1]
	case xml.CharData:
		if len(c.open) == 0 {
			break // blanks around the picture
		}
		c.nodes[len(c.nodes)-1].weight += len(t) / bytesPerShape
		return xml.EscapeText(&c.out, t)
	case xml.Directive:
		if !svgDoctype.Match(bytes.TrimSpace(t)) {
			return errors.New("it is an SVG with a document type declaration: save it as a plain SVG or as PNG")
		}
	case xml.ProcInst:
		if t.Target != "xml" {
			c.leftOut["<?"+t.Target+"?>"] = true
		}
	}
	return nil
}

// start writes an allowed element, or skips one that is not allowed, with its content.
func (c *svgCleaner) start(decoder *xml.Decoder, t xml.StartElement) error {
	drawn := t.Name.Space == svgSpace && slices.Contains(svgElements, t.Name.Local)
	if len(c.open) == 0 && (!drawn || t.Name.Local != "svg") {
		return fmt.Errorf("it is no SVG: it begins with %q in the namespace %q", t.Name.Local, t.Name.Space)
	}
	if len(c.open) == 0 && c.drawing.root != nil {
		return errors.New("it is no SVG: it has a second picture after the first")
	}
	if len(c.open) >= maxSVGDepth {
		return fmt.Errorf("it is an SVG of more than %d elements in one another", maxSVGDepth)
	}
	if !drawn {
		if t.Name.Space == svgSpace || !c.describes(t.Name.Space) {
			c.leftOut["<"+t.Name.Local+">"] = true
		}
		return decoder.Skip()
	}
	fmt.Fprintf(&c.out, "<%s", t.Name.Local)
	if len(c.open) == 0 {
		fmt.Fprintf(&c.out, ` xmlns="%s" xmlns:xlink="%s"`, svgSpace, xlinkSpace)
	}
	n := c.node(t.Name.Local)
	written := map[string]bool{}
	for _, a := range t.Attr {
		name := c.attribute(t.Name.Local, a)
		if name == "" || written[name] {
			continue
		}
		written[name] = true
		if embedded := svgEmbedded.FindStringSubmatch(a.Value); embedded != nil && t.Name.Local == "image" {
			if err := c.embed(embedded[1]); err != nil {
				return fmt.Errorf("a picture in this SVG: %w", err)
			}
		}
		fmt.Fprintf(&c.out, ` %s="`, name)
		if err := xml.EscapeText(&c.out, []byte(a.Value)); err != nil {
			return err
		}
		c.out.WriteByte('"')
		c.drawing.add(n, t.Name.Local, name, a.Value)
	}
	c.out.WriteByte('>')
	if t.Name.Local == "style" {
		return c.style(decoder)
	}
	c.open, c.nodes = append(c.open, t.Name.Local), append(c.nodes, n)
	return nil
}

// embed checks a picture within the SVG, which is base64.
func (c *svgCleaner) embed(text string) error {
	content, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return err
	}
	_, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("it is no PNG, JPEG or GIF: %w", err)
	}
	p, err := checkPicture(content, "."+format)
	if err != nil {
		return err
	}
	if c.pixels += p.pixels; c.pixels > maxPicturePixels {
		return fmt.Errorf("with it those of the SVG have more than the %d pixels that a page takes", maxPicturePixels)
	}
	return nil
}

// node makes the node of the next element that is drawn.
func (c *svgCleaner) node(element string) *svgNode {
	n := &svgNode{weight: 1, names: []string{element}, gradient: strings.HasSuffix(element, "Gradient")}
	if len(c.nodes) == 0 {
		c.drawing.root = n
	} else {
		above := c.nodes[len(c.nodes)-1]
		above.children = append(above.children, n)
	}
	return n
}

// style writes the text of an open style element and closes it. The text is checked as a
// whole: browsers join the parts between XML comments.
func (c *svgCleaner) style(decoder *xml.Decoder) error {
	var text bytes.Buffer
	for {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("it is no SVG: %w", err)
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			if err := decoder.Skip(); err != nil {
				return fmt.Errorf("it is no SVG: %w", err)
			}
		case xml.EndElement:
			if isForeign(text.String()) {
				c.leftOut["<style>"] = true
				text.Reset()
			}
			c.drawing.style(text.String())
			if err := xml.EscapeText(&c.out, text.Bytes()); err != nil {
				return err
			}
			c.out.WriteString("</style>")
			return nil
		}
	}
}

// isForeign reports whether style, or an attribute's value that may be style, names another file.
func isForeign(style string) bool {
	return svgForeign.MatchString(svgInternal.ReplaceAllString(style, ""))
}

// describes reports whether a namespace holds descriptions that drawing programs add. They
// are dropped without a note.
func (c *svgCleaner) describes(space string) bool {
	for _, known := range []string{"http://www.w3.org/1999/02/22-rdf-syntax-ns", "http://creativecommons.org/ns", "http://web.resource.org/cc/",
		"http://purl.org/dc/", "http://sodipodi.sourceforge.net/", "http://www.inkscape.org/namespaces/", "http://ns.adobe.com/"} {
		if strings.HasPrefix(space, known) {
			return true
		}
	}
	return false
}

// attribute returns the name under which an element's attribute is written; it is empty if
// the attribute is dropped.
func (c *svgCleaner) attribute(element string, a xml.Attr) string {
	local, space := a.Name.Local, a.Name.Space
	switch {
	case space == "xmlns" || space == "" && local == "xmlns" || c.describes(space):
		return "" // the root declares what is used
	case !svgName.MatchString(local) || strings.HasPrefix(strings.ToLower(local), "on"):
	case local == "href" && (space == "" || space == xlinkSpace):
		inside := strings.HasPrefix(strings.TrimSpace(a.Value), "#")
		if inside && element != "a" || element == "image" && svgEmbedded.MatchString(a.Value) {
			return "xlink:href"
		}
	case space == xmlSpace && (local == "space" || local == "lang"):
		return "xml:" + local
	case space == "" && local != "base" && !isForeign(a.Value):
		return local
	}
	c.leftOut[local+"="] = true
	return ""
}

package picture

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ngebm/notebooks/internal/printable"
)

// Limits for an SVG.
const (
	maxSVGDepth      = 1000      // nested elements
	maxSVGElements   = 100_000   // of the whole picture
	maxSVGAttributes = 400_000   // of all elements
	maxSVGShapes     = 1_000_000 // drawn shapes, counted once for each reference
)

// svgDrawing follows an SVG's references: with nested references a few bytes can ask for
// billions of shapes. The count is an upper bound.
type svgDrawing struct {
	root     *svgNode
	ids      map[string]*svgNode
	sheet    map[string]*svgRefs // what style sheets refer to, by "*", "rect", ".class" and "#id"
	inherits bool                // whether a style makes properties inherited that are not inherited by default
}

// svgNode is an element.
type svgNode struct {
	children []*svgNode
	names    []string // its selectors in style sheets
	weight   int      // in shapes: 1, and more for long paths and texts
	uses     []string // ids that are drawn as a part of it
	refs     svgRefs
	gradient bool // gradients draw nothing themselves

	busy, known bool
	shapes      float64
}

// svgRefs are the ids that an element refers to: once, as a clip path, or for each
// element and point in it, as a fill or a marker.
type svgRefs struct {
	once, each []string

	known                  bool
	onceShapes, eachShapes float64
}

// add records an element's attribute.
func (d *svgDrawing) add(n *svgNode, element, name, value string) {
	switch name {
	case "id":
		if d.ids[value] == nil {
			d.ids[value] = n
		}
		n.names = append(n.names, "#"+value)
	case "class":
		for _, class := range strings.Fields(value) {
			n.names = append(n.names, "."+class)
		}
	case "d", "points":
		n.weight += len(value) / bytesPerShape
	case "style":
		d.declare(&n.refs, value)
	case "xlink:href":
		id, inside := strings.CutPrefix(strings.TrimSpace(value), "#")
		switch {
		case inside && element == "use":
			n.uses = append(n.uses, id)
		case inside:
			n.refs.once = append(n.refs.once, id)
		}
	default:
		d.declare(&n.refs, name+":"+value)
	}
}

// bytesPerShape is the length of a path or a text that counts as one shape.
const bytesPerShape = 128

// declare records the references of style declarations.
func (d *svgDrawing) declare(refs *svgRefs, declarations string) {
	d.inherits = d.inherits || inherits(declarations)
	if !strings.Contains(declarations, "#") {
		return
	}
	for declaration := range strings.SplitSeq(declarations, ";") {
		property, _, _ := strings.Cut(declaration, ":")
		for _, id := range svgIDs(declaration) {
			if slices.Contains([]string{"clip-path", "mask", "filter"}, strings.ToLower(strings.TrimSpace(property))) {
				refs.once = append(refs.once, id)
			} else {
				refs.each = append(refs.each, id)
			}
		}
	}
}

// inherits reports whether style may make properties inherited that are not by default.
func inherits(style string) bool {
	style = strings.ToLower(style)
	return strings.Contains(style, "inherit") || strings.Contains(style, "--")
}

// svgIDs matches the ids in addresses within the picture.
func svgIDs(style string) (ids []string) {
	for _, found := range svgInternal.FindAllStringSubmatch(style, -1) {
		if id, ok := strings.CutPrefix(found[1], "#"); ok {
			ids = append(ids, strings.TrimSpace(id))
		}
	}
	return ids
}

var (
	cssComment  = regexp.MustCompile(`(?s)/\*.*?(\*/|$)`)
	cssRule     = regexp.MustCompile(`([^{};]*)\{([^{}]*)\}`)
	cssSelector = regexp.MustCompile(`^[\w\s.#,>+~*-]*$`)
	cssName     = regexp.MustCompile(`[.#]?[\w-]+|\*`)
)

// style records a style sheet's rules. A selector is taken to match every element that has
// one of its names; one with anything else than names, every element.
func (d *svgDrawing) style(sheet string) {
	sheet = cssComment.ReplaceAllString(sheet, " ")
	d.inherits = d.inherits || inherits(sheet)
	all := len(svgIDs(sheet))
	if all == 0 {
		return
	}
	read := 0
	for _, rule := range cssRule.FindAllStringSubmatch(sheet, -1) {
		ids := len(svgIDs(rule[2]))
		if ids == 0 {
			continue
		}
		read += ids
		const many = 100
		names := []string{"*"}
		if found := cssName.FindAllString(rule[1], many+1); len(found) <= many && cssSelector.MatchString(rule[1]) {
			names = found
		}
		for _, name := range names {
			d.declare(d.rule(name), rule[2])
		}
	}
	if read < all {
		d.declare(d.rule("*"), sheet)
	}
}

func (d *svgDrawing) rule(name string) *svgRefs {
	if d.sheet[name] == nil {
		d.sheet[name] = &svgRefs{}
	}
	return d.sheet[name]
}

// check returns an error if the picture draws more than maxSVGShapes, or an element draws
// itself.
func (d *svgDrawing) check() error {
	shapes, err := d.shapes(d.root)
	if err == nil && shapes > maxSVGShapes {
		err = fmt.Errorf("it is an SVG that draws more than %d shapes where its references are followed: save it as PNG", maxSVGShapes)
	}
	return err
}

// shapes is the number of shapes that an element draws; it may exceed an integer's range.
func (d *svgDrawing) shapes(n *svgNode) (float64, error) {
	switch {
	case n == nil || n.gradient:
		return 0, nil
	case n.known:
		return n.shapes, nil
	case n.busy:
		return 0, errors.New("it is an SVG with an element that refers to itself: save it as a plain SVG or as PNG")
	}
	n.busy = true
	defer func() { n.busy = false }()
	own := float64(n.weight)
	for _, child := range n.children {
		shapes, err := d.shapes(child)
		if err != nil {
			return 0, err
		}
		own += shapes
	}
	used, err := d.sum(n.uses)
	if err != nil {
		return 0, err
	}
	own += used
	slices.Sort(n.names)
	all := []*svgRefs{&n.refs, d.sheet["*"]}
	for _, name := range slices.Compact(n.names) {
		all = append(all, d.sheet[name])
	}
	n.shapes = own
	for _, refs := range all {
		once, each, err := d.referred(refs)
		if err != nil {
			return 0, err
		}
		n.shapes += own*each + once
	}
	n.known = true
	return n.shapes, nil
}

// referred is the number of shapes that references draw: once, and for each shape of an element.
func (d *svgDrawing) referred(refs *svgRefs) (once, each float64, err error) {
	if refs == nil {
		return 0, 0, nil
	}
	if refs.known {
		return refs.onceShapes, refs.eachShapes, nil
	}
	if once, err = d.sum(refs.once); err == nil {
		each, err = d.sum(refs.each)
	}
	if d.inherits {
		once, each = 0, once+each
	}
	refs.onceShapes, refs.eachShapes, refs.known = once, each, err == nil
	return once, each, err
}

// sum is the number of shapes that elements draw together.
func (d *svgDrawing) sum(ids []string) (all float64, err error) {
	for _, id := range ids {
		n := d.ids[id]
		if n == nil {
			n = d.ids[printable.UnescapePercent(id)]
		}
		shapes, err := d.shapes(n)
		if err != nil {
			return 0, err
		}
		all += shapes
	}
	return all, nil
}

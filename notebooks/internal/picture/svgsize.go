package picture

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ngebm/notebooks/internal/printable"
)

// What a page takes of an SVG.
const (
	maxSVGDepth      = 1000      // elements in one another
	maxSVGElements   = 100_000   // all
	maxSVGAttributes = 400_000   // of all of them
	maxSVGShapes     = 1_000_000 // that are drawn, once for each reference to them
)

// svgDrawing follows an SVG's references: a few bytes that refer to one another can ask for
// more shapes than anyone can draw. It counts too many shapes rather than too few.
type svgDrawing struct {
	root     *svgNode
	ids      map[string]*svgNode
	sheet    map[string]*svgRefs // what style sheets refer to, by "*", "rect", ".class" and "#id"
	inherits bool                // whether a style says so of what is not inherited otherwise
}

// svgNode is an element.
type svgNode struct {
	children []*svgNode
	names    []string // by which style sheets know it
	weight   int      // of itself in shapes: one, and more for long paths and texts
	uses     []string // what is drawn as a part of it
	refs     svgRefs
	gradient bool // which draws nothing

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

// add notes an element's attribute.
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

// bytesPerShape is how much of a path or a text counts as a shape.
const bytesPerShape = 128

// declare notes what declarations refer to.
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

// inherits reports whether style may pass on what is not inherited otherwise.
func inherits(style string) bool {
	style = strings.ToLower(style)
	return strings.Contains(style, "inherit") || strings.Contains(style, "--")
}

// svgIDs are those in addresses within the picture.
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

// style notes a style sheet's rules. A selector stands for all elements that one of its
// names is of, and one with more than names for all.
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

// shapes is how many an element draws. They may be more than an integer holds.
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

// referred is how many shapes references draw once, and for each shape in an element.
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

// sum is how many shapes elements draw together.
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

package notebook

import (
	"fmt"
	"regexp"
	"strings"

	"ngebm/data/plain"
)

// What a notebook may have. Its text is all but its pictures. More than this is refused
// before it is looked at: what makes pages of it takes time and memory that grow faster
// than the text.
const (
	maxNotebook = 16 << 20 // bytes of its file
	maxValues   = 500_000  // of its JSON
	maxNesting  = 100      // of these in one another
	maxCells    = 1000
	maxText     = 2 << 20 // bytes
	maxLines    = 20_000
	maxLine     = 20_000 // bytes of a line of a cell
	maxTags     = 50_000 // of HTML
	maxTagDepth = 500    // of these in one another
)

// checkJSON returns an error for JSON of too many values, or too deep. Both are counted by
// what begins and separates values, strings left out.
func checkJSON(raw []byte) error {
	values, depth, quoted := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			values++
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',':
			values++
		}
		if values > maxValues || depth > maxNesting {
			return fmt.Errorf("it is too large to be read as a notebook: its JSON has more than %d values, or more than %d in one another; make two of it", maxValues, maxNesting)
		}
	}
	return nil
}

// checkText returns an error for the first cell with which a notebook has too much text.
func (d *Document) checkText(name string) error {
	if len(d.Cells) > maxCells {
		return d.ErrorIn(name, -1, fmt.Sprintf("it has %d cells, more than the %d that a page takes: make two of it", len(d.Cells), maxCells))
	}
	var sum textSum
	var rest = map[string]any{}
	for key, value := range d.tree {
		if key != "cells" {
			rest[key] = value
		}
	}
	sum.add(rest)
	if err := sum.check(); err != nil {
		return d.ErrorIn(name, -1, err.Error())
	}
	cells, _ := d.tree["cells"].([]any)
	if len(cells) != len(d.Cells) { // Go takes "Cells" for them, others do not
		return fmt.Errorf("%s is not a notebook: its cells are not under \"cells\"; open it in JupyterLab and save it again", plain.Text(name))
	}
	for i, c := range cells {
		sum.add(c)
		sum.addLines(d.Cells[i])
		err := sum.check()
		if err == nil {
			err = sum.checkCell(d.Cells[i])
		}
		if err != nil {
			return d.ErrorIn(name, i, err.Error())
		}
	}
	return nil
}

// textSum is how much text a notebook has so far.
type textSum struct{ bytes, lines, tags int }

// add counts the text in a piece of JSON. Pictures, which are in base64 under their kind,
// are counted when they are shown.
func (s *textSum) add(value any) {
	switch v := value.(type) {
	case string:
		s.bytes += len(withoutData(v))
	case []any:
		for _, item := range v {
			s.add(item)
		}
	case map[string]any:
		for key, item := range v {
			s.bytes += len(key)
			if !strings.HasPrefix(key, "image/") {
				s.add(item)
			}
		}
	}
}

// addLines counts the lines of a cell's source and outputs, as a reader sees them.
func (s *textSum) addLines(c Cell) {
	s.lines += countLines(string(c.Source))
	for _, o := range c.Outputs {
		s.lines += countLines(string(o.Text))
		for kind := range o.Data {
			if !strings.HasPrefix(kind, "image/") {
				s.lines += countLines(o.Content(kind))
			}
		}
	}
}

// countLines counts the lines of a text. The last one may end without a newline.
func countLines(text string) int {
	text = withoutData(text)
	lines := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		lines++
	}
	return lines
}

func (s *textSum) check() error {
	switch {
	case s.bytes > maxText:
		return fmt.Errorf("with it the text and outputs have %d bytes, more than the %d that a page takes, pictures not counted: print less", s.bytes, maxText)
	case s.lines > maxLines:
		return fmt.Errorf("with it the text and outputs have %d lines, more than the %d that a page takes: print less", s.lines, maxLines)
	}
	return nil
}

// checkCell returns an error for lines that are too long, or HTML of too many elements.
func (s *textSum) checkCell(c Cell) error {
	source := withoutData(string(c.Source))
	for line := range strings.Lines(source) {
		if len(line) > maxLine {
			return fmt.Errorf("a line of it has %d bytes, more than the %d that a page takes: break it", len(line), maxLine)
		}
	}
	var pieces []string
	if c.Kind == "markdown" {
		pieces = append(pieces, source)
	}
	for _, o := range c.Outputs {
		pieces = append(pieces, o.Content("text/html"), o.Content("text/markdown"), o.Content("text/latex"))
	}
	for _, piece := range pieces {
		tags, depth := countTags(piece)
		if s.tags += tags; s.tags > maxTags || depth > maxTagDepth {
			return fmt.Errorf("with it there are more than %d HTML elements, or more than %d in one another: show less", maxTags, maxTagDepth)
		}
	}
	return nil
}

// withoutData is a text without the pictures within it.
func withoutData(text string) string {
	if !strings.Contains(text, "data:") {
		return text
	}
	return dataURI.ReplaceAllString(text, "")
}

var (
	tagMark = regexp.MustCompile(`<(/?)([A-Za-z]+)`)
	// voidTag is an element with nothing in it.
	voidTag = regexp.MustCompile(`^(?i:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$`)
)

// countTags returns how many elements begin in a text, and how deep they are in one
// another.
func countTags(text string) (tags, deepest int) {
	depth := 0
	for _, mark := range tagMark.FindAllStringSubmatch(text, -1) {
		switch {
		case voidTag.MatchString(mark[2]):
			tags++
		case mark[1] == "/":
			depth = max(depth-1, 0)
		default:
			tags++
			depth++
			deepest = max(deepest, depth)
		}
	}
	return tags, deepest
}

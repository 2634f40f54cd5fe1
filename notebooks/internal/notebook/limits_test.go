package notebook

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebooktest"
)

// A notebook that would keep what makes pages busy is refused when it is read, with the
// cell and what to do.
func TestNotebookBeyondBounds(t *testing.T) {
	stream := func(text any) map[string]any {
		return map[string]any{"cell_type": "code", "source": "f()", "outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": text}}}
	}
	html := func(text string) map[string]any { return notebooktest.Output(map[string]any{"text/html": text}) }
	many := func(n int, c map[string]any) (cells []map[string]any) {
		for range n {
			cells = append(cells, c)
		}
		return cells
	}
	one := func(c map[string]any) []map[string]any { return []map[string]any{c} }
	lines := func(n int) (all []string) {
		for range n {
			all = append(all, "a\n")
		}
		return all
	}
	for name, test := range map[string]struct {
		cells []map[string]any
		says  string
	}{
		"cells":             {many(maxCells+1, notebooktest.Markdown("a")), "n.ipynb: it has 1001 cells, more than the 1000"},
		"a printed text":    {one(stream(strings.Repeat("x", maxText+1))), "n.ipynb: cell 1 (f()): with it the text and outputs have 2097"},
		"printed lines":     {one(stream(strings.Repeat("a\n", maxLines+1))), "lines, more than the 20000 that a page takes: print less"},
		"lines of a list":   {one(stream(lines(maxLines))), "have 20001 lines, more than the 20000"}, // one is the source
		"lines of HTML":     {one(html(strings.Repeat("a\n", maxLines))), "have 20001 lines"},
		"many cells' lines": {many(3, stream(lines(maxLines/2-1))), "cell 3 (f()): with it the text and outputs have 30000 lines"},
		"many cells' text":  {many(30, stream(strings.Repeat("x", maxText/20))), "cell 20 (f()): with it the text"},
		"a line":            {one(notebooktest.Markdown("# T\n\n" + strings.Repeat("[a](<", maxLine))), "n.ipynb: the text \"# T\": a line of it has 100000 bytes, more than the 20000"},
		"a line of code":    {one(map[string]any{"cell_type": "code", "source": strings.Repeat("/*", maxLine)}), "a line of it has 40000 bytes"},
		"metadata":          {one(map[string]any{"cell_type": "code", "source": "f()", "metadata": map[string]any{"a": strings.Repeat("x", maxText)}}), "cell 1 (f()): with it the text"},
		"nested elements":   {one(html(strings.Repeat("<div>", maxTagDepth+1))), "more than 500 in one another: show less"},
		"nested, in text":   {one(notebooktest.Markdown(strings.Repeat("<b>\n", maxTagDepth+1))), "more than 500 in one another"},
		"elements":          {many(6, html(strings.Repeat("<b></b>", maxTags/5))), "cell 6 (f()): with it there are more than 50000 HTML elements"},
		"empty elements":    {one(html(strings.Repeat("<br>", maxTags+1))), "more than 50000 HTML elements"},
		"values":            {one(stream(make([]string, maxValues+1))), "has more than 500000 values"},
		"values in another": {one(map[string]any{"cell_type": "raw", "metadata": json.RawMessage(`{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`)}), "or more than 100 in one another"},
	} {
		start := time.Now()
		raw, err := json.Marshal(map[string]any{"nbformat": 4, "metadata": map[string]any{}, "cells": test.cells})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse("n.ipynb", raw)
		if err == nil || doc != nil || !strings.Contains(err.Error(), test.says) || len(err.Error()) > 500 {
			t.Errorf("%s: %v does not say %q", name, err, test.says)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	if _, err := Parse("n.ipynb", make([]byte, maxNotebook+1)); err == nil || !strings.Contains(err.Error(), "n.ipynb has 16777217 bytes") {
		t.Errorf("bytes: %v", err)
	}
}

// Lines are counted as a reader sees them, however they are stored: a list has an element for
// each line.
func TestPrintedLinesWithinBounds(t *testing.T) {
	printed := strings.Repeat("a\n", maxLines-1) // the source is another line
	for _, stored := range []any{printed, strings.SplitAfter(printed, "\n"), strings.TrimSuffix(printed, "\n")} {
		parsed(t, map[string]any{"cell_type": "code", "source": "f()", "metadata": map[string]any{"tags": []string{"a", "b"}},
			"outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": stored}}})
	}
}

// A notebook at the bounds is read; pictures in it count as pictures only.
func TestNotebookWithinBounds(t *testing.T) {
	large := base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, maxText+1)...))
	doc := parsed(t,
		notebooktest.Output(map[string]any{"image/png": large}),
		notebooktest.Output(map[string]any{"text/html": fmt.Sprintf(`<img src="data:image/png;base64,%s">`, large)}),
		notebooktest.Markdown("![a](data:image/png;base64,"+large+")"),
		map[string]any{"cell_type": "markdown", "source": "![a](attachment:a.png)", "attachments": map[string]any{"a.png": map[string]any{"image/png": large}}},
		notebooktest.Markdown(strings.Repeat("a", maxLine-1)+"\n"+strings.Repeat(`"[{,\`, 200)),
		notebooktest.Output(map[string]any{"text/html": strings.Repeat("<b></b><br><p>", maxTagDepth)}),
		notebooktest.Output(map[string]any{"text/plain": strings.Repeat("a\n", maxLines-100)}),
	)
	if len(doc.Cells) != 7 {
		t.Errorf("%d cells", len(doc.Cells))
	}
}

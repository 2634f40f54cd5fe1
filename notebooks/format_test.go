package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Notebooks of other formats, and files that readers could take in two ways, are refused
// with the notebook and a remedy before anything else is asked of them.
func TestParseNotebookRefuses(t *testing.T) {
	for raw, says := range map[string]string{
		`{"nbformat":3,"worksheets":[{"cells":[{"cell_type":"code","input":"token"}]}]}`: "is a notebook in format 3, which was replaced in 2015: open it in JupyterLab and save it",
		`{"nbformat":2,"cells":[]}`:            "format 2",
		`{"nbformat":5,"cells":[]}`:            "is a notebook in format 5, newer than the 4",
		`{"cells":[]}`:                         "it has no nbformat; open it in JupyterLab",
		`[]`:                                   "is not a notebook",
		`{"nbformat":4,"cells":[],"cells":[]}`: `it has "cells" twice`,
		`{"nbformat":4,"cells":[],"CELLS":[]}`: `it has "CELLS" twice`,
		`{"nbformat":4,"cells":[{"cell_type":"code","source":"a","Source":"b"}]}`: `it has "Source" twice`,
		`{"nbformat":4,"cells":[{"cell_type":"heading","level":1,"source":"a"}]}`: `cell 1 is of kind "heading"`,
		`{"nbformat":4,"cells":[{"cell_type":"code","execution_count":"1"}]}`:     "is not a notebook",
		`{"nbformat":4,"cells":[]} {"nbformat":4}`:                                "is not a notebook",
		`{"nbformat":4,"cells":[`:                    "is not a notebook",
		"\xef\xbb\xbf" + `{"nbformat":4,"cells":[]}`: "is not a notebook",
	} {
		_, err := parseNotebook("a\x1b[2J.ipynb", []byte(raw))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), `a\x1b[2J.ipynb is`) {
			t.Errorf("%.60s: %v", raw, err)
		}
	}
	if _, err := parseNotebook("n", []byte(`{"nbformat":4,"cells":[{"cell_type":"raw","metadata":{"a":{"x":1},"b":[{"x":1},{"x":2}]}}]}`)); err != nil {
		t.Errorf("a name in two places: %v", err)
	}
}

// A notebook is read from a regular file of a size that it may have.
func TestReadNotebookRefuses(t *testing.T) {
	dir := t.TempDir()
	makePipe(t, filepath.Join(dir, "pipe.ipynb"))
	large := filepath.Join(dir, "large.ipynb")
	for _, err := range []error{os.WriteFile(large, nil, 0o644), os.Truncate(large, 40<<30), os.Symlink("/dev/zero", filepath.Join(dir, "zero.ipynb"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe", "large", "zero", "none"} {
		if _, err := readNotebook(filepath.Join(dir, name+".ipynb")); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the page's script cannot read is an error of one line with notebook and remedy, and
// what other programs leave out is made up for.
func TestPagesOfOtherFormats(t *testing.T) {
	b := ready(t)
	of := func(raw string) source {
		t.Helper()
		doc, err := parseNotebook("n.ipynb", []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		return source{path: filepath.Join(t.TempDir(), "n.ipynb"), name: "n", doc: doc}
	}
	for name, raw := range map[string]string{
		"no language_info":     `{"nbformat":4,"nbformat_minor":4,"metadata":{"kernelspec":{"name":"gonb","display_name":"Go"}},"cells":[{"cell_type":"code","metadata":{},"execution_count":1,"source":"func f() {}","outputs":[]}]}`,
		"no metadata but that": `{"nbformat":4,"nbformat_minor":0,"metadata":{},"cells":[{"cell_type":"code","metadata":{},"execution_count":1,"source":["func f() {}"],"outputs":[]}]}`,
		"another language":     `{"nbformat":4,"nbformat_minor":5,"metadata":{"language_info":{"name":"python","pygments_lexer":"ipython3"}},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"func f() {}","outputs":[]}]}`,
	} {
		pages, err := makePages(t.Context(), b.tools, []source{of(raw)})
		if err != nil || !strings.Contains(string(pages[0].Body), `class="highlight`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{
		"no metadata":          `{"nbformat":4,"nbformat_minor":5,"cells":[]}`,
		"a cell without text":  `{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"markdown","id":"a","metadata":{}}]}`,
		"an output of no kind": `{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"","outputs":[{"output_type":"x\u001b[2J\nline"}]}]}`,
		"numbers for text":     `{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"","outputs":[{"output_type":"display_data","metadata":{},"data":{"text/html":5}}]}]}`,
	} {
		_, err := makePages(t.Context(), b.tools, []source{of(raw)})
		if err == nil || !strings.HasPrefix(err.Error(), "n.ipynb: ") || strings.Contains(err.Error(), "Traceback") || strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only a notebook for Go is run.
func TestIsGo(t *testing.T) {
	for metadata, want := range map[string]bool{
		`{}`: true,
		`{"kernelspec":{"name":"gonb","display_name":"Go (gonb)"}}`: true,
		`{"kernelspec":{"name":"gonb-2","language":"go"}}`:          true,
		`{"kernelspec":{"name":"python3","language":"python"}}`:     false,
		`{"kernelspec":{"name":"ir"}}`:                              false,
	} {
		doc, err := parseNotebook("n", []byte(`{"nbformat":4,"cells":[],"metadata":`+metadata+`}`))
		if err != nil || doc.isGo() != want {
			t.Errorf("%s: %v, %v", metadata, doc.isGo(), err)
		}
	}
}

// A text that keeps readers of Markdown busy for hours is given up, with its notebook.
func TestPageTakesBoundedTime(t *testing.T) {
	b := ready(t)
	script := strings.Replace(pageScript, "MOST = 10", "MOST = 1", 1)
	if script == pageScript {
		t.Fatal("the script has no such bound")
	}
	slow := sourceOf(t, t.TempDir(), "n", markdownCell("# T\n\n"+strings.Repeat(strings.Repeat("[", maxLine-1)+"\n\n", 20)))
	quick := sourceOf(t, t.TempDir(), "m", markdownCell("# T\n\nx"))
	var orders bytes.Buffer
	order(closer{&orders}, []source{slow, quick})
	cmd := command(t.Context(), b.tools.python, "-c", script)
	cmd.Env, cmd.Stdin = pythonEnv(), &orders
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(bytes.NewReader(out))
	for _, want := range []string{"its page is not made after 1 s of work", ""} {
		var pg page
		if err := answers.Decode(&pg); err != nil || !strings.HasPrefix(pg.Error, want) || want == "" && pg.Error != "" {
			t.Errorf("%q, not %q (%v)", pg.Error, want, err)
		}
	}
}

// closer is a writer that needs no closing.
type closer struct{ io.Writer }

func (closer) Close() error { return nil }

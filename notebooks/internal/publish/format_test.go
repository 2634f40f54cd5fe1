package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
)

// What the page's script cannot read is an error of one line with notebook and remedy, and
// what other programs leave out is made up for.
func TestPagesOfOtherFormats(t *testing.T) {
	tools := pageTools(t)
	sources := func(raws map[string]string) (names []string, all []source) {
		t.Helper()
		for what, raw := range raws {
			name := fmt.Sprint("n", len(names))
			doc, err := notebook.Parse(name+".ipynb", []byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, what)
			all = append(all, source{path: filepath.Join(t.TempDir(), name+".ipynb"), name: name, doc: doc})
		}
		return names, all
	}
	names, all := sources(map[string]string{
		"no language_info":     `{"nbformat":4,"nbformat_minor":4,"metadata":{"kernelspec":{"name":"gonb","display_name":"Go"}},"cells":[{"cell_type":"code","metadata":{},"execution_count":1,"source":"func f() {}","outputs":[]}]}`,
		"no metadata but that": `{"nbformat":4,"nbformat_minor":0,"metadata":{},"cells":[{"cell_type":"code","metadata":{},"execution_count":1,"source":["func f() {}"],"outputs":[]}]}`,
		"another language":     `{"nbformat":4,"nbformat_minor":5,"metadata":{"language_info":{"name":"python","pygments_lexer":"ipython3"}},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"func f() {}","outputs":[]}]}`,
	})
	pages, err := makePages(t.Context(), tools, all)
	if err != nil || len(pages) != len(names) {
		t.Fatalf("%d pages, want %d: %v", len(pages), len(names), err)
	}
	for i, name := range names {
		if !strings.Contains(string(pages[i].Body), `class="highlight`) {
			t.Errorf("%s: the code is not highlighted:\n%s", name, pages[i].Body)
		}
	}
	names, all = sources(map[string]string{
		"no metadata":          `{"nbformat":4,"nbformat_minor":5,"cells":[]}`,
		"a cell without text":  `{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"markdown","id":"a","metadata":{}}]}`,
		"an output of no kind": `{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"","outputs":[{"output_type":"x\u001b[2J\nline"}]}]}`,
		"numbers for text":     `{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"","outputs":[{"output_type":"display_data","metadata":{},"data":{"text/html":5}}]}]}`,
	})
	_, err = makePages(t.Context(), tools, all)
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != len(names) {
		t.Fatalf("%d notebooks, %d lines:\n%v", len(names), len(lines), err)
	}
	for i, name := range names {
		if !strings.HasPrefix(lines[i], fmt.Sprintf("n%d.ipynb: ", i)) || strings.Contains(lines[i], "Traceback") {
			t.Errorf("%s: %s", name, lines[i])
		}
	}
}

// A text that keeps readers of Markdown busy for hours is given up, with its notebook.
func TestPageTakesBoundedTime(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it waits for the bound")
	}
	tools := pageTools(t)
	script := strings.Replace(pageScript, "MOST = 10", "MOST = 1", 1)
	if script == pageScript {
		t.Fatal("the script has no such bound")
	}
	slow := sourceOf(t, t.TempDir(), "n", notebooktest.Markdown("# T\n\n"+strings.Repeat(strings.Repeat("[", 19_999)+"\n\n", 20)))
	quick := sourceOf(t, t.TempDir(), "m", notebooktest.Markdown("# T\n\nx"))
	// Libraries catch every Exception, and would go on.
	const begin = "def convert(notebook, published):\n"
	catching := strings.Replace(script, begin, begin+`    try:
        while notebook["path"].endswith("n.ipynb"):
            pass
    except Exception:
        pass
`, 1)
	for name, script := range map[string]string{"slow text": script, "a library that catches": catching} {
		var orders bytes.Buffer
		order(closer{&orders}, []source{slow, quick})
		cmd := proc.Command(t.Context(), tools.Python, "-c", script)
		cmd.Env, cmd.Stdin = setup.PythonEnv(), &orders
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		answers := json.NewDecoder(bytes.NewReader(out))
		for _, want := range []string{"its page is not made after 1 s of work", ""} {
			var pg page
			if err := answers.Decode(&pg); err != nil || !strings.HasPrefix(pg.Error, want) || want == "" && pg.Error != "" {
				t.Errorf("%s: %q, not %q (%v)", name, pg.Error, want, err)
			}
		}
	}
}

// closer is a writer that needs no closing.
type closer struct{ io.Writer }

func (closer) Close() error { return nil }

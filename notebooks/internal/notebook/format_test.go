package notebook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
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
		`{"nbformat":4,"cells":[{"cell_type":"raw"}],"cellſ":[]}`:                     `it has "cellſ" twice`,
		`{"nbformat":4,"cells":[],"metadata":{"kernelspec":{},"\u212aernelspec":{}}}`: `ernelspec" twice`,
		`{"nbformat":4,"CELLS":[{"cell_type":"raw"}]}`:                                `its cells are not under "cells"; open it in JupyterLab`,
		`{"nbformat":4,"cells":[{"cell_type":"code","source":"a","Source":"b"}]}`:     `it has "Source" twice`,
		`{"nbformat":4,"cells":[{"cell_type":"heading","level":1,"source":"a"}]}`:     `cell 1 is of kind "heading"`,
		`{"nbformat":4,"cells":[{"cell_type":"code","execution_count":"1"}]}`:         "is not a notebook",
		`{"nbformat":4,"cells":[]} {"nbformat":4}`:                                    "is not a notebook",
		`{"nbformat":4,"cells":[`:                                                     "is not a notebook",
		"\xef\xbb\xbf" + `{"nbformat":4,"cells":[]}`:                                  "is not a notebook",
	} {
		_, err := Parse("a\x1b[2J.ipynb", []byte(raw))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), `a\x1b[2J.ipynb is`) {
			t.Errorf("%.60s: %v", raw, err)
		}
	}
	if _, err := Parse("n", []byte(`{"nbformat":4,"cells":[{"cell_type":"raw","metadata":{"a":{"x":1},"b":[{"x":1},{"x":2}]}}]}`)); err != nil {
		t.Errorf("a name in two places: %v", err)
	}
}

// A notebook is read from a regular file of a size that it may have.
func TestReadNotebookRefuses(t *testing.T) {
	dir := t.TempDir()
	notebooktest.Pipe(t, filepath.Join(dir, "pipe.ipynb"))
	large := filepath.Join(dir, "large.ipynb")
	for _, err := range []error{os.WriteFile(large, nil, 0o644), os.Truncate(large, 40<<30), os.Symlink("/dev/zero", filepath.Join(dir, "zero.ipynb"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe", "large", "zero", "none"} {
		if _, err := Read(filepath.Join(dir, name+".ipynb")); err == nil || !strings.Contains(err.Error(), name) {
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
		doc, err := Parse("n", []byte(`{"nbformat":4,"cells":[],"metadata":`+metadata+`}`))
		if err != nil || doc.IsGo() != want {
			t.Errorf("%s: %v, %v", metadata, doc.IsGo(), err)
		}
	}
}

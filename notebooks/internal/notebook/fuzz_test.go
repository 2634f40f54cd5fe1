package notebook

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("../../*.ipynb")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"cells":[{"cell_type":"code","source":[""," x"],"outputs":[{"output_type":"display_data","data":{"text/html":5}}]}]}`))
	f.Add([]byte(`{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"markdown","metadata":{},"source":"x"}],"cellſ":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := Parse("n.ipynb", raw)
		if err != nil {
			return
		}
		_, summary := doc.Introduction()
		InlineHTML(FirstSentence(summary))
		_ = doc.CheckLeaks("n.ipynb", LocalFolders("", ""))
		for i, c := range doc.CodeCells() {
			if c.FirstLine() == "" {
				t.Error("a code cell without a line")
			}
			Failure(i+1, c.Outputs)
		}
	})
}

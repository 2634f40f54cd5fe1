package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebook"
)

// testKeeps compares the pages of our own notebooks with what these hold: every picture,
// table, bar and formula is there, also what HTML they print.
func testKeeps(t *testing.T, site string) {
	committed, err := filepath.Glob("*.ipynb")
	if err != nil || len(committed) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	kept := map[string]int{}
	for _, path := range committed {
		doc, err := notebook.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(site, strings.TrimSuffix(path, ".ipynb")+".html"))
		if err != nil {
			t.Fatal(err)
		}
		_, page, _ := strings.Cut(string(raw), "<main")
		want := map[string]int{}
		for _, c := range doc.Cells {
			text := string(c.Source)
			if c.Kind == "markdown" {
				want["<img "] += strings.Count(text, "![")
				want["<table"] += strings.Count(text, "\n|--") + strings.Count(text, "\n| --") + strings.Count(text, "\n|:-")
				want["$"] += strings.Count(text, "$")
				want["<h2"] += strings.Count("\n"+text, "\n## ")
			}
			for _, o := range c.Outputs {
				html := o.Content("text/html")
				if html == "" && o.Content("image/png") != "" {
					want["<img "]++
				}
				for _, tag := range []string{"<img ", "<table", "<progress", "<td", "<th"} {
					want[tag] += strings.Count(html, tag)
				}
			}
		}
		page, _, _ = strings.Cut(page, "</main>")
		for mark, n := range want {
			got := strings.Count(page, mark)
			more := mark == "<td" || mark == "<th" || mark == "$" // which Markdown's tables and code have, too
			if got < n || got > n && !more {
				t.Errorf("%s: %d of %d %s", path, got, n, mark)
			}
			kept[mark] += n
		}
	}
	for _, mark := range []string{"<img ", "<table", "$", "<h2"} {
		if kept[mark] == 0 {
			t.Errorf("no notebook has %s", mark)
		}
	}
}

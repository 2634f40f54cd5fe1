package publish

import (
	"slices"
	"strings"
	"testing"
)

// Pages have names of their notebooks' that any file system, host and address takes, no
// two the same, whatever the notebooks are called.
func TestPageNames(t *testing.T) {
	for _, test := range []struct{ notebooks, pages []string }{
		{[]string{"00_start_here", "run-1", "run", "a--b", "v1.2"}, []string{"00_start_here", "run-1", "run", "a--b", "v1.2"}},
		{[]string{"index", "gallery", "Index"}, []string{"index-2", "gallery-2", "Index-3"}},
		{[]string{"a#b", "50%", "why?", "two words", `say "hi"`, "it's", "a&b<c>", "x:y", "*"}, []string{"a-b", "50", "why", "two-words", "say-hi", "it-s", "a-b-c", "x-y", "notebook"}},
		{[]string{"Größe", "日本", "e\u0301te\u0301", "\u00e9t\u00e9"}, []string{"Größe", "日本", "\u00e9t\u00e9", "\u00e9t\u00e9-2"}},
		{[]string{"Run", "run", "RUN", "run-2"}, []string{"Run", "run-2", "RUN-3", "run-2-2"}},
		{[]string{".hidden", "a\x1b]0;x\x07", "\xff\xfe", "..", ""}, []string{"hidden", "a-0-x", "notebook", "notebook-2", "notebook-3"}},
		{[]string{strings.Repeat("ä", 150)}, []string{strings.Repeat("ä", 100)}},
	} {
		var paths []string
		for i, name := range test.notebooks {
			paths = append(paths, "/folder"+string(rune('a'+i))+"/"+name+".ipynb")
		}
		if got := pageNames(paths); !slices.Equal(got, test.pages) {
			t.Errorf("%q: %q, not %q", test.notebooks, got, test.pages)
		}
	}
}

func FuzzPageNames(f *testing.F) {
	f.Add("index", "Index")
	f.Add("a b", "a-b")
	f.Fuzz(func(t *testing.T, a, b string) {
		names := pageNames([]string{a + ".ipynb", b + ".ipynb"})
		for _, name := range names {
			if name == "" || len(name) > maxSlug+10 || strings.ContainsAny(name, `#%?/\"'<>:*| `+"\x00\n\x1b") || strings.HasPrefix(name, ".") {
				t.Errorf("%q %q: %q", a, b, name)
			}
		}
		if strings.EqualFold(names[0], names[1]) || strings.EqualFold(names[0], "index") || strings.EqualFold(names[1], "gallery") {
			t.Errorf("%q %q: %q", a, b, names)
		}
	})
}

// The figures of one page are not those of another, whose name begins the same.
func TestIsFigureOf(t *testing.T) {
	for file, pages := range map[string][]string{
		"run-1.png":         {"run"},
		"run-12-still.png":  {"run"},
		"run-12-poster.png": {"run"},
		"run-1-1.gif":       {"run-1"},
		"run-1-2-still.png": {"run-1"},
		"run-2-1.svg":       {"run-2"},
		"gallery-ROC.png":   nil,
		"run-1.html":        nil,
		"run-.png":          nil,
		"rerun-1.png":       nil,
	} {
		for _, page := range []string{"run", "run-1", "run-2", "gallery", "index", "r"} {
			if got := isFigureOf(page, file); got != slices.Contains(pages, page) {
				t.Errorf("%s is of %s: %t", file, page, got)
			}
		}
	}
}

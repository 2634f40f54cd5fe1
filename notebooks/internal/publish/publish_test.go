package publish

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/data/testerror"
	"ngebm/notebooks/internal/notebooktest"
)

func TestPublishNames(t *testing.T) {
	folder := t.TempDir()
	o := Options{}
	if err := o.Find(folder); err == nil || !strings.Contains(err.Error(), "no notebooks") {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"b", "a"} {
		notebooktest.Write(t, filepath.Join(folder, name+".ipynb"))
	}
	if err := o.Find(folder); err != nil || strings.Join(BaseNames(o.paths), " ") != "a b" {
		t.Errorf("all notebooks: %v %v", o.paths, err)
	}
	o = Options{Names: []string{"b", filepath.Join(folder, "a.ipynb")}}
	if err := o.Find(folder); err != nil || strings.Join(BaseNames(o.paths), " ") != "b a" {
		t.Errorf("by name: %v %v", o.paths, err)
	}
	o = Options{Names: []string{"c"}}
	if err := o.Find(folder); err == nil || err.Error() != `no notebook "c"; there are: a, b` {
		t.Errorf("a wrong name: %v", err)
	}
	o = Options{Names: []string{"a", "a.ipynb"}}
	if err := o.Find(folder); err == nil || !strings.Contains(err.Error(), "is named twice") {
		t.Errorf("a name twice: %v", err)
	}
}

// A site is not written where it would replace notebooks or pictures that are not an earlier
// site's: that is found before anything runs.
func TestSiteAlone(t *testing.T) {
	top := t.TempDir()
	file := func(path string) {
		t.Helper()
		path = filepath.Join(top, path)
		for _, err := range []error{os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, path := range []string{
		"paper/My notes.ipynb", "paper/figures/My-notes-1.png", "paper/figures/inner.ipynb",
		"others/My-notes.ipynb", "pictures/figures/My-notes-12-still.png",
		"site/index.html", "site/My-notes.html", "site/My-notes.ipynb", "site/figures/My-notes-1.png",
		"pages/.git/HEAD", "pages/CNAME", "pages/figures/logo-1.png", "pages/Another.ipynb",
		"web/index.html", "styled/site.css", "exported/My-notes.html",
		"kept/index.html", "kept/My-notes.ipynb", "pictured/figures/My-notes-1.png",
	} {
		file(path)
	}
	ours, err := pageFiles.ReadFile("pages/site.css")
	if err != nil {
		t.Fatal(err)
	}
	for site, style := range map[string]string{ // the first is of November 2026
		"site": "/* The pages that publish makes: one column to read, contents beside it. Colours\n", "kept": string(ours), "pictured": string(ours),
	} {
		if err := os.WriteFile(filepath.Join(top, site, "site.css"), []byte(style), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []struct{ to, at string }{{"paper", "same"}, {"../paper/My notes.ipynb", "others/linked.ipynb"}} {
		if err := os.Symlink(link.to, filepath.Join(top, link.at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ out, notebook, refused string }{
		{"paper", "paper/My notes.ipynb", "next to the notebook"},
		{"paper/.", "same/My notes.ipynb", "next to the notebook"},
		{"same", "paper/My notes.ipynb", "next to the notebook"},
		{"paper", "others/linked.ipynb", "next to the notebook"},
		{"paper", "paper/figures/inner.ipynb", "next to the notebook"},
		{"others", "paper/My notes.ipynb", "My-notes.ipynb"},
		{"pictures", "paper/My notes.ipynb", "My-notes-12-still.png"},
		{"kept", "paper/My notes.ipynb", "My-notes.ipynb"},
		{"pictured", "paper/My notes.ipynb", "My-notes-1.png"},
		{"web", "paper/My notes.ipynb", "index.html"},
		{"styled", "paper/My notes.ipynb", "site.css"},
		{"exported", "paper/My notes.ipynb", "My-notes.html"},
		{"", "paper/My notes.ipynb", ""},
		{"new", "paper/My notes.ipynb", ""},
		{"paper/site", "paper/My notes.ipynb", ""},
		{"site", "paper/My notes.ipynb", ""},
		{"pages", "paper/My notes.ipynb", ""},
	} {
		o := Options{Names: []string{filepath.Join(top, test.notebook)}}
		if test.out != "" {
			o.Out = top + "/" + test.out
		}
		if err := o.Find(top); test.refused != "" {
			testerror.Want(t, err, "-o ", test.refused, "choose a folder for the site alone")
		} else if err != nil {
			t.Errorf("-o %s: %v", test.out, err)
		}
	}
	if err := (&Options{Out: filepath.Join(top, "same")}).Find(filepath.Join(top, "paper")); err == nil {
		t.Error("all notebooks, into their folder: no error")
	}
}

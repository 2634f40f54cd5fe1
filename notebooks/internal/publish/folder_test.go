package publish

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/picture"
)

// A site is not written, and nothing of an earlier one removed, where a link leads.
func TestSiteIsNotWrittenThroughLinks(t *testing.T) {
	for _, link := range []string{"site", "site/figures"} {
		top := t.TempDir()
		away := filepath.Join(top, "away")
		precious := filepath.Join(away, "n-1.png")
		for _, err := range []error{
			os.MkdirAll(filepath.Dir(filepath.Join(top, link)), 0o755), os.Mkdir(away, 0o755),
			os.WriteFile(precious, []byte("precious"), 0o644), os.Symlink(away, filepath.Join(top, link)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		site, err := openSite(filepath.Join(top, "site"))
		if err == nil {
			site.close()
			t.Fatalf("%s: a link was opened", link)
		}
		if !strings.Contains(err.Error(), filepath.Join(top, link)) || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("%s: %v does not name it", link, err)
		}
		entries, err := os.ReadDir(away)
		if content, _ := os.ReadFile(precious); err != nil || len(entries) != 1 || string(content) != "precious" {
			t.Errorf("%s: %v, %q (%v)", link, entries, content, err)
		}
	}
}

// Two processes may write one site at once.
func TestSiteIsWrittenTwiceAtOnce(t *testing.T) {
	top := t.TempDir()
	pg, of := &page{Name: "n"}, sourceOf(t, top, "n", notebooktest.Markdown("# T"))
	for i := range 20 {
		pg.Figures = append(pg.Figures, picture.Figure{File: fmt.Sprintf("figures/n-%d.png", i+1), Content: notebooktest.Image(t, ".png")})
	}
	var writing errgroup.Group
	for range 2 {
		writing.Go(func() error {
			site, err := openSite(filepath.Join(top, "site"))
			if err != nil {
				return err
			}
			defer site.close()
			for range 10 {
				if err := site.writeWithPage(pg, of); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := writing.Wait(); err != nil {
		t.Error(err)
	}
}

// A file of an earlier site that is a link now is replaced, not written through.
func TestSiteReplacesLinks(t *testing.T) {
	top := t.TempDir()
	out, precious := filepath.Join(top, "site"), filepath.Join(top, "precious")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(out, "figures"), 0o755), os.WriteFile(precious, []byte("precious"), 0o644),
		os.Symlink(precious, filepath.Join(out, "n.ipynb")), os.Symlink(precious, filepath.Join(out, "figures", "n-1.png")), os.Symlink(precious, filepath.Join(out, "figures", "n-2.png")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	site, err := openSite(out)
	if err != nil {
		t.Fatal(err)
	}
	defer site.close()
	pg := &page{Name: "n", Figures: []picture.Figure{{File: "figures/n-1.png", Content: notebooktest.Image(t, ".png")}}}
	if err := site.writeWithPage(pg, sourceOf(t, top, "n", notebooktest.Markdown("# T"))); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(precious); err != nil || string(content) != "precious" {
		t.Errorf("what the links led to is %q (%v)", content, err)
	}
	for name, want := range map[string]bool{"n.ipynb": true, "figures/n-1.png": true, "figures/n-2.png": false} {
		info, err := os.Lstat(filepath.Join(out, name))
		if want != (err == nil) || want && !info.Mode().IsRegular() {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/browsertest"
	"ngebm/notebooks/internal/notebooktest"
)

// Notebooks of any names have pages that are found, keep their figures whatever else is
// published into the site later, and lead to each other.
func TestSiteOfAnyNames(t *testing.T) {
	ready(t)
	t.Parallel()
	folder, site := filepath.Join(t.TempDir(), "some notebooks"), filepath.Join(t.TempDir(), "site")
	picture := filepath.Join(folder, "a picture.png")
	names := []string{"run-1", "run-2", "run", "index", "gallery", "a#b", "50% why?", `say "hi"`, "Größe", "e\u0301te\u0301"}
	var paths []string
	for _, name := range names {
		paths = append(paths, notebooktest.WriteStored(t, folder, name, "![p](a%20picture.png) ![q](<a picture.png>) [next](Gr%C3%B6%C3%9Fe.ipynb#Text) [back](50%25%20why%3F.ipynb) [none](other.ipynb) [away](/etc/passwd)"))
	}
	paths = append(paths, notebooktest.WriteStored(t, filepath.Join(folder, "sub"), "run", "![p](../a%20picture.png) [up](../run.ipynb)"))
	if err := os.WriteFile(picture, notebooktest.Image(t, ".png"), 0o644); err != nil {
		t.Fatal(err)
	}
	printed, _, err := runProgram(t, "..", append([]string{"publish", "-html-only", "-o", site}, paths...)...)
	if err == nil || !strings.Contains(printed, `run.ipynb: the text "# run": the picture "../a picture.png": path escapes from parent`) {
		t.Fatalf("a picture out of the notebook's folder: %v\n%s", err, printed)
	}
	if notebooktest.Exists(site) {
		t.Error("there is a site")
	}
	if err := copyFile(picture, filepath.Join(folder, "sub", "p.png")); err != nil {
		t.Fatal(err)
	}
	paths[len(paths)-1] = notebooktest.WriteStored(t, filepath.Join(folder, "sub"), "run", "![p](p.png) [up](../run.ipynb)")
	for range 2 { // the second time over the first
		if printed, _, err := runProgram(t, "..", append([]string{"publish", "-html-only", "-o", site}, paths...)...); err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
	}
	if printed, _, err := runProgram(t, "..", "publish", "-html-only", "-o", site, paths[2]); err != nil || !strings.Contains(printed, "Its index no longer has 50-why, Größe, a-b, ") { // run, alone
		t.Fatalf("%v\n%s", err, printed)
	}
	pages := []string{"run-1", "run-2", "run", "index-2", "gallery-2", "a-b", "50-why", "say-hi", "Größe", "\u00e9t\u00e9", "run-3"}
	for _, page := range pages {
		raw, err := os.ReadFile(filepath.Join(site, page+".html"))
		if err != nil {
			t.Error(err)
			continue
		}
		text := string(raw)
		if page == "run" { // was made again, without the others
			continue
		}
		if page == "run-3" {
			if !strings.Contains(text, `<a href="run.html">up</a>`) {
				t.Errorf("%s: no link to the notebook above", page)
			}
			continue
		}
		for _, want := range []string{`<a href="Gr%C3%B6%C3%9Fe.html#Text">next</a>`, `<a href="50-why.html">back</a>`, "none away"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %s", page, want)
			}
		}
		for _, figure := range []string{"-1.png", "-2.png"} {
			if !notebooktest.Exists(filepath.Join(site, "figures", page+figure)) {
				t.Errorf("%s%s is not there", page, figure)
			}
		}
	}
	ctx := browsertest.Browse(t, time.Minute)
	complaints := browsertest.WatchConsole(ctx)
	for _, page := range pages {
		var broken, pictures int
		browsertest.NewAlbum(t).Do(ctx, "open "+page, cdplog.Enable(), chromedp.Navigate(browsertest.FileURL(site, page)), browsertest.ShowPictures,
			chromedp.Evaluate(`document.images.length`, &pictures),
			chromedp.Evaluate(`[...document.images].filter(i => i.naturalWidth === 0).length`, &broken))
		if broken > 0 || pictures == 0 {
			t.Errorf("%s: %d of %d pictures do not show", page, broken, pictures)
		}
	}
	for _, said := range complaints() {
		t.Errorf("the console says %s", said)
	}
}

func copyFile(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o644)
}

package systemtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/browsertest"
)

// Every link and every file that a page names is there, seen from wherever the site
// is put: none is absolute.
func testLinks(t *testing.T, ctx context.Context, site string, pages []string) {
	named := regexp.MustCompile(`(?:href|src|srcset)="([^"]*)"`)
	for _, name := range pages {
		raw, err := os.ReadFile(filepath.Join(site, name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		links := 0
		for _, found := range named.FindAllSubmatch(raw, -1) {
			link, err := url.Parse(strings.ReplaceAll(string(found[1]), "&amp;", "&"))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if link.Scheme == "https" || link.Scheme == "data" {
				continue
			}
			target := name + ".html"
			if link.Path != "" {
				target = link.Path
			}
			content, err := os.ReadFile(filepath.Join(site, target))
			if err != nil || link.Scheme != "" || strings.HasPrefix(link.Path, "/") {
				t.Errorf("%s: a link to %s: %v", name, found[1], err)
			} else if link.Fragment != "" && !strings.Contains(string(content), `id="`+link.Fragment+`"`) {
				t.Errorf("%s: a link to %s, and there is no such section", name, found[1])
			}
			links++
		}
		if links < 5 {
			t.Errorf("%s has %d links", name, links)
		}
	}

	server := httptest.NewServer(http.StripPrefix("/some/where/", http.FileServer(http.Dir(site))))
	defer server.Close()
	complaints := browsertest.WatchConsole(ctx)
	var broken, wide int
	browsertest.NewAlbum(t).Do(ctx, "open a page on a host, in a folder",
		cdplog.Enable(),
		chromedp.Navigate(server.URL+"/some/where/00_start_here.html"),
		browsertest.AwaitFormulas,
		browsertest.ShowPictures,
		chromedp.Evaluate(`[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length`, &broken),
		chromedp.Evaluate(`getComputedStyle(document.querySelector(".columns")).display === "grid" ? 0 : 1`, &wide),
	)
	if broken > 0 || wide > 0 {
		t.Errorf("%d pictures do not show, style missing: %d", broken, wide)
	}
	for _, said := range complaints() {
		t.Errorf("the console says %s", said)
	}
}

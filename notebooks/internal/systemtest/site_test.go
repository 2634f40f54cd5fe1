package systemtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ngebm/notebooks/internal/browsertest"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/publish"
)

// hasFormula reports whether a notebook's text has a formula.
func hasFormula(t *testing.T, name string) bool {
	t.Helper()
	if name == "index" || name == "gallery" {
		return false
	}
	doc, err := notebook.Read(name + ".ipynb")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(doc.Cells, func(c notebook.Cell) bool { return c.Kind == "markdown" && strings.Contains(string(c.Source), "$") })
}

// storedSite publishes the committed notebooks from their stored outputs.
func storedSite(t *testing.T) (folder string, pages []string) {
	t.Helper()
	committed, err := filepath.Glob("*.ipynb")
	if err != nil || len(committed) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	folder = filepath.Join(t.TempDir(), "a site")
	printed, took, err := runProgram(t, "..", "publish", "-html-only", "-o", folder)
	t.Logf("publish -html-only took %v", took)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	if strings.Contains(printed, "left out") {
		t.Errorf("something of our own notebooks is not on their pages:\n%s", printed)
	}
	return folder, append([]string{"index", "gallery"}, publish.BaseNames(committed)...)
}

func TestSite(t *testing.T) {
	ready(t)
	t.Parallel()
	site, pages := storedSite(t)
	t.Run("keeps", func(t *testing.T) { testKeeps(t, site) })
	browser := browsertest.Browse(t, 10*time.Minute)
	axe := axeScript(t)
	t.Run("links", func(t *testing.T) { testLinks(t, newTab(t, browser), site, pages) })
	// Before in_browser, which chooses a theme for good.
	t.Run("faults_are_seen", func(t *testing.T) {
		testFaultsAreSeen(t, newTab(t, browser), browsertest.NewAlbum(t), axe, site, "09_live_explorer")
	})
	t.Run("in_browser", func(t *testing.T) { testInBrowser(t, newTab(t, browser), axe, site, pages) })
}

// newTab opens a tab that is closed with the test.
func newTab(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil { // the tab lives as long as the context it starts under
		t.Fatalf("open a tab: %v", err)
	}
	return ctx
}

// The site as it is walked: every page at the width of a desk, of half a screen and, dark, of
// a phone, with the network off. All pictures show and are described, formulas are
// set, nothing makes the page wider than the window, no script complains, axe finds
// nothing serious; figures enlarge, contents lead to their sections, the chosen
// theme stays.
func testInBrowser(t *testing.T, ctx context.Context, axe, site string, pages []string) {
	shots := browsertest.NewAlbum(t)
	requests, complaints := browsertest.WatchRequests(ctx), browsertest.WatchConsole(ctx)
	shots.Do(ctx, "start the browser", network.Enable(), network.EmulateNetworkConditions(true, 0, 0, 0), cdplog.Enable())
	for _, name := range pages {
		inspect(t, ctx, shots, axe, site, name)
	}
	const formulaScrolls = "04_out_of_distribution" // on a phone; also where that is what loads the page
	var l look
	var found []finding
	shots.Do(ctx, "load on a phone", open(site, formulaScrolls, phone), l.read(), prepareForAxe, check(axe, &found))
	report(t, formulaScrolls, phone, l, found)
	walk(t, ctx, shots, site, pages)
	for _, url := range requests() {
		if !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "data:") {
			t.Errorf("a page asked for %s", url)
		}
	}
	for _, said := range complaints() {
		t.Errorf("the console says %s", said)
	}
}

// walk goes through the site by keys and clicks as a visitor does.
func walk(t *testing.T, ctx context.Context, shots browsertest.Album, site string, pages []string) {
	t.Helper()
	start := pages[slices.Index(pages, "00_start_here")]
	var title, hash, focused, theme, after string
	var top float64
	var opened, closed, phoneOpen, deskOpen bool
	var size []float64
	shots.Do(ctx, "go to the next notebook",
		chromedp.EmulateViewport(1400, 1000), browsertest.Prefer("light"),
		chromedp.Navigate(browsertest.FileURL(site, "index")),
		chromedp.Click(`.card h2 a[href="`+start+`.html"]`),
		arriveAt(start),
		chromedp.Click(`.turn .next`),
		arriveAt(pages[slices.Index(pages, start)+1]),
		chromedp.Click(`.turn .previous`),
		arriveAt(start),
		chromedp.Title(&title),
	)
	if !strings.HasPrefix(title, "Start here") {
		t.Errorf("card, next and previous led to %q", title)
	}
	shots.Do(ctx, "go to a section and enlarge a figure by keys",
		browsertest.AwaitFormulas,
		chromedp.Evaluate(`document.querySelector(".contents details").open`, &deskOpen),
		chromedp.Click(`.contents a[href="#Two-landscapes"]`),
		chromedp.Evaluate(`location.hash`, &hash),
		chromedp.Evaluate(`document.getElementById("Two-landscapes").getBoundingClientRect().top`, &top),
		shots.Take("site-section"),
		chromedp.Focus(`a.zoom`),
		chromedp.KeyEvent(kb.Enter),
		chromedp.PollFunction(`() => document.getElementById("zoomed").open`, &opened, chromedp.WithPollingTimeout(10*time.Second)),
		shots.Take("site-enlarged"),
		chromedp.KeyEvent(kb.Escape),
		chromedp.PollFunction(`() => !document.getElementById("zoomed").open`, &closed, chromedp.WithPollingTimeout(10*time.Second)),
		chromedp.Evaluate(`document.activeElement.className`, &focused),
	)
	if hash != "#Two-landscapes" || top < -5 || top > 300 {
		t.Errorf("the contents led to %s, its heading %v pixels down", hash, top)
	}
	if !opened || !closed || focused != "zoom" {
		t.Errorf("enlarged by Enter: %t, closed by Escape: %t, then the focus was on %q", opened, closed, focused)
	}
	shots.Do(ctx, "enlarge on a dark phone and close by the button",
		chromedp.EmulateViewport(390, 800),
		chromedp.Click(`#theme`),
		chromedp.Navigate(browsertest.FileURL(site, pages[len(pages)-1])),
		browsertest.AwaitFormulas,
		chromedp.Evaluate(`document.documentElement.dataset.theme`, &theme),
		chromedp.Evaluate(`document.querySelector(".contents details").open`, &phoneOpen),
		chromedp.Click(`.contents summary`),
		shots.Take("site-contents-phone"),
		chromedp.Click(`a.zoom`),
		chromedp.WaitVisible(`#zoomed img`),
		chromedp.Evaluate(`(b => [b.querySelector("img").width, b.scrollWidth, b.clientWidth])(document.querySelector("#zoomed .picture"))`, &size),
		shots.Take("site-enlarged-phone"),
		chromedp.Click(`#zoomed button`),
		chromedp.Evaluate(`document.getElementById("zoomed").open ? "open" : "closed"`, &after),
		chromedp.Click(`#theme`),
	)
	if theme != "dark" {
		t.Errorf("the theme that was chosen on one page is %q on the next", theme)
	}
	if phoneOpen || !deskOpen {
		t.Errorf("the contents are open on a phone: %t, on a desk: %t", phoneOpen, deskOpen)
	}
	var address string
	shots.Do(ctx, "open a figure without JavaScript",
		emulation.SetScriptExecutionDisabled(true),
		chromedp.Navigate(browsertest.FileURL(site, start)),
		shots.Take("site-without-javascript"),
		chromedp.Click(`a.zoom`),
		chromedp.WaitVisible(`body > img`),
		chromedp.Location(&address),
	)
	if !strings.HasSuffix(address, "/figures/"+start+"-1.png") {
		t.Errorf("without JavaScript a figure leads to %s", address)
	}
	if len(size) != 3 || size[0] <= size[2] || after != "closed" {
		t.Errorf("on a phone the figure is %v wide (picture, all, seen), and then %s", size, after)
	}
}

// arriveAt waits until a click has led to a page. (What chromedp itself waits for may
// be on the page that is being left.)
func arriveAt(name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var there bool
			err := chromedp.Evaluate(fmt.Sprintf(`document.readyState === "complete" && location.pathname.endsWith("/%s.html")`, name), &there).Do(ctx)
			if there || ctx.Err() != nil {
				return errors.Join(err, ctx.Err())
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

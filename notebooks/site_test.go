package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

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
	return folder, append([]string{"index", "gallery"}, baseNames(committed)...)
}

func TestSite(t *testing.T) {
	site, pages := storedSite(t)
	t.Run("links", func(t *testing.T) { testLinks(t, site, pages) })
	t.Run("in_browser", func(t *testing.T) { testInBrowser(t, site, pages) })
}

// The site as it is walked: every page at the width of a desk and, dark, of a phone,
// with the network off. All pictures show and are described, formulas are
// set, nothing makes the page wider than the window, no script complains, axe finds
// nothing serious; figures enlarge, contents lead to their sections, the chosen
// theme stays.
func testInBrowser(t *testing.T, site string, pages []string) {
	axe := axeScript(t)
	shots := newAlbum(t)
	ctx := browse(t, 5*time.Minute)
	requests, complaints := watchRequests(ctx), watchConsole(ctx)
	shots.do(ctx, "start the browser", network.Enable(), network.EmulateNetworkConditions(true, 0, 0, 0), cdplog.Enable())
	for _, name := range pages {
		for _, w := range []struct {
			window, theme string
			width, height int64
		}{{"desk", "light", 1400, 1000}, {"phone", "dark", 390, 800}} {
			where := name + " on a " + w.window + ", " + w.theme
			var seen struct{ Pictures, Broken, Undescribed, Formulas, Wide int }
			var found []finding
			shots.do(ctx, where,
				chromedp.EmulateViewport(w.width, w.height),
				prefer(w.theme),
				chromedp.Navigate(fileURL(site, name)),
				awaitFormulas,
				showPictures,
				chromedp.Evaluate(`({
					Pictures: document.images.length,
					Broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0).length,
					Undescribed: [...document.images].filter(i => !i.alt && !i.closest(".card")).length,
					Formulas: document.querySelectorAll("mjx-container svg").length,
					Wide: document.documentElement.scrollWidth - innerWidth,
				})`, &seen),
				shots.take(fmt.Sprintf("site-%s-%s-%s", name, w.window, w.theme)),
				check(axe, &found),
			)
			if seen.Pictures == 0 || seen.Broken > 0 || seen.Undescribed > 0 {
				t.Errorf("%s: of %d pictures %d do not show and %d have no description", where, seen.Pictures, seen.Broken, seen.Undescribed)
			}
			if hasFormula(t, name) != (seen.Formulas > 0) {
				t.Errorf("%s: %d formulas are set", where, seen.Formulas)
			}
			if seen.Wide > 0 {
				t.Errorf("%s: %d pixels too wide", where, seen.Wide)
			}
			for _, f := range found {
				if f.serious() {
					t.Errorf("%s: %s", where, f)
				} else {
					t.Logf("%s: %s", where, f)
				}
			}
		}
	}
	var found []finding
	shots.do(ctx, "see that axe would say something",
		chromedp.Evaluate(`document.querySelector("main").append(new Image()), 0`, nil), check(axe, &found))
	if len(found) != 1 || found[0].Rule != "image-alt" || !found[0].serious() {
		t.Errorf("axe says %v of a picture without a description", found)
	}
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
func walk(t *testing.T, ctx context.Context, shots album, site string, pages []string) {
	t.Helper()
	start := pages[slices.Index(pages, "00_start_here")]
	var title, hash, focused, theme, after string
	var top float64
	var opened, closed, phoneOpen, deskOpen bool
	var size []float64
	shots.do(ctx, "go to the next notebook",
		chromedp.EmulateViewport(1400, 1000), prefer("light"),
		chromedp.Navigate(fileURL(site, "index")),
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
	shots.do(ctx, "go to a section and enlarge a figure by keys",
		awaitFormulas,
		chromedp.Evaluate(`document.querySelector(".contents details").open`, &deskOpen),
		chromedp.Click(`.contents a[href="#Two-landscapes"]`),
		chromedp.Evaluate(`location.hash`, &hash),
		chromedp.Evaluate(`document.getElementById("Two-landscapes").getBoundingClientRect().top`, &top),
		shots.take("site-section"),
		chromedp.Focus(`a.zoom`),
		chromedp.KeyEvent(kb.Enter),
		chromedp.PollFunction(`() => document.getElementById("zoomed").open`, &opened, chromedp.WithPollingTimeout(10*time.Second)),
		shots.take("site-enlarged"),
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
	shots.do(ctx, "enlarge on a dark phone and close by the button",
		chromedp.EmulateViewport(390, 800),
		chromedp.Click(`#theme`),
		chromedp.Navigate(fileURL(site, pages[len(pages)-1])),
		awaitFormulas,
		chromedp.Evaluate(`document.documentElement.dataset.theme`, &theme),
		chromedp.Evaluate(`document.querySelector(".contents details").open`, &phoneOpen),
		chromedp.Click(`.contents summary`),
		shots.take("site-contents-phone"),
		chromedp.Click(`a.zoom`),
		chromedp.WaitVisible(`#zoomed img`),
		chromedp.Evaluate(`(b => [b.querySelector("img").width, b.scrollWidth, b.clientWidth])(document.querySelector("#zoomed .picture"))`, &size),
		shots.take("site-enlarged-phone"),
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
	shots.do(ctx, "open a figure without JavaScript",
		emulation.SetScriptExecutionDisabled(true),
		chromedp.Navigate(fileURL(site, start)),
		shots.take("site-without-javascript"),
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

// Every link and every file that a page names is there, seen from wherever the site
// is put: none is absolute.
func testLinks(t *testing.T, site string, pages []string) {
	named := regexp.MustCompile(`(?:href|src)="([^"]*)"`)
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
	ctx := browse(t, time.Minute)
	complaints := watchConsole(ctx)
	var broken, wide int
	newAlbum(t).do(ctx, "open a page on a host, in a folder",
		cdplog.Enable(),
		chromedp.Navigate(server.URL+"/some/where/00_start_here.html"),
		awaitFormulas,
		showPictures,
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

// fileURL is a page's address without a host.
func fileURL(site, name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.Join(site, name+".html")}).String()
}

// prefer makes the window one of a system with a light or a dark theme, where
// nothing glides: a click has to find what it is meant for.
func prefer(theme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	})
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

// awaitFormulas waits until MathJax says that it has set every formula, if the page
// has any, and the page is loaded.
var awaitFormulas = chromedp.PollFunction(`() => document.readyState === "complete" &&
	(!document.querySelector("script[src='mathjax.js']") ||
	window.MathJax && MathJax.startup && MathJax.startup.promise && MathJax.startup.promise.then(() => true))`, nil)

// showPictures loads also those pictures that are not on the screen.
var showPictures = chromedp.Evaluate(`Promise.all([...document.images].map(i => { i.loading = "eager"; return i.decode().catch(() => {}); })).then(() => 0)`, nil, awaitPromise)

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// watchConsole notes errors and warnings of scripts and of the browser itself.
func watchConsole(ctx context.Context) func() []string {
	var mu sync.Mutex
	var said []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			note("%v", e.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				note("%s", e.Args[0].Value)
			}
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.LevelError {
				note("%s (%s)", e.Entry.Text, e.Entry.URL)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return said
	}
}

// finding is what axe found wrong with a page.
type finding struct {
	Rule, Impact, Help string
	Nodes              []string // the elements and what is wrong with each
}

func (f finding) serious() bool { return f.Impact == "serious" || f.Impact == "critical" }

func (f finding) String() string {
	return fmt.Sprintf("axe: %s (%s): %s: %s", f.Rule, f.Impact, f.Help, strings.Join(f.Nodes, "; "))
}

// check runs axe on the page that is open.
func check(axe string, found *[]finding) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if err := chromedp.Evaluate(axe, nil).Do(ctx); err != nil {
			return err
		}
		var answer string
		err := chromedp.Evaluate(`axe.run({resultTypes: ["violations"], preload: false}).then(r => JSON.stringify(r.violations.map(v => ({
			Rule: v.id, Impact: v.impact, Help: v.help,
			Nodes: v.nodes.slice(0, 5).map(n => n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " ")),
		}))))`, &answer, awaitPromise).Do(ctx)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(answer), found)
	})
}

// axe is Deque's checker of accessibility, which is not ours to commit (MPL 2.0): a
// package on PyPI carries it as it is published, pinned here by its hash.
const axeWheel = "axe-playwright-python==0.1.8 --hash=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8\n"

// axeScript returns axe 4.12.1, from the cache folder or, once, from PyPI.
func axeScript(t *testing.T) string {
	t.Helper()
	b := ready(t)
	folder := b.place.folder("axe", axeWheel)
	err := ensure(t.Context(), folder, "axe, which checks accessibility", newDisplay(os.Stdout), func(ctx context.Context, dir string) error {
		pins := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(pins, []byte(axeWheel), 0o644); err != nil {
			return err
		}
		cmd := command(ctx, b.tools.python, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-deps", "--require-hashes", "-d", dir, "-r", pins)
		cmd.Env = pythonEnv()
		return run(ctx, cmd, newDisplay(os.Stdout))
	})
	if err != nil {
		t.Fatalf("no axe: %v", err)
	}
	wheels, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil || len(wheels) != 1 {
		t.Fatalf("%s holds %d wheels (%v)", folder, len(wheels), err)
	}
	wheel, err := zip.OpenReader(wheels[0])
	if err != nil {
		t.Fatal(err)
	}
	defer wheel.Close()
	file, err := wheel.Open("axe_playwright_python/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var script bytes.Buffer
	if _, err := io.Copy(&script, file); err != nil {
		t.Fatal(err)
	}
	return script.String()
}

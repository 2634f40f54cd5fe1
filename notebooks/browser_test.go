package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// findBrowser returns a Chrome or Chromium of this machine. Without one a test is
// skipped, except in CI, where it fails.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const none = "no Chrome or Chromium on this machine (on Debian and Ubuntu: apt-get install chromium)"
	if os.Getenv("CI") == "true" {
		t.Fatal(none)
	}
	t.Skip("SKIPPED: " + none)
	return ""
}

// browse opens a browser window of 1400 by 1000 that is closed with the test.
func browse(t *testing.T, limit time.Duration, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(findBrowser(t)), chromedp.WindowSize(1400, 1000))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithLogf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as the context it starts under
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// album keeps screenshots: in $NGEBM_SCREENSHOTS if that is set, else for the time
// of the test.
type album struct {
	t   *testing.T
	dir string
}

func newAlbum(t *testing.T) album {
	t.Helper()
	dir := os.Getenv("NGEBM_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshots are in %s (set NGEBM_SCREENSHOTS to keep them)", dir)
	return album{t, dir}
}

// take makes a screenshot of what the window shows.
func (a album) take(name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var picture []byte
		if err := chromedp.CaptureScreenshot(&picture).Do(ctx); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(a.dir, name+".png"), picture, 0o644)
	})
}

// do runs browser actions; if one fails, or all take over two minutes, the test
// ends with a last picture.
func (a album) do(ctx context.Context, what string, actions ...chromedp.Action) {
	a.t.Helper()
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := chromedp.Run(limited, actions...); err != nil {
		last := chromedp.Run(ctx, a.take("failed"))
		a.t.Fatalf("%s: %v (screenshot: %v)", what, err, last)
	}
}

// The committed notebooks run from top to bottom, from an empty folder of runs,
// and become pages.
func TestCommittedNotebooksRun(t *testing.T) {
	site := filepath.Join(t.TempDir(), "site")
	committed, err := filepath.Glob("*.ipynb")
	if err != nil || len(committed) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	printed, took, err := runProgram(t, "..", append([]string{"publish", "-o", site}, committed...)...)
	t.Logf("publish took %v and said\n%s", took, printed)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"index"}, baseNames(committed)...) {
		if _, err := os.Stat(filepath.Join(site, name+".html")); err != nil {
			t.Error(err)
		}
	}
}

// hasFormula tells whether a notebook's text has a formula.
func hasFormula(t *testing.T, name string) bool {
	t.Helper()
	if name == "index" {
		return false
	}
	doc, err := readNotebook(name + ".ipynb")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(doc.Cells, func(c cell) bool { return c.Kind == "markdown" && strings.Contains(string(c.Source), "$") })
}

// watchRequests notes every address that the window asks for.
func watchRequests(ctx context.Context) func() []string {
	var mu sync.Mutex
	var urls []string
	chromedp.ListenTarget(ctx, func(e any) {
		if sent, ok := e.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			urls = append(urls, sent.Request.URL)
			mu.Unlock()
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return urls
	}
}

// A visitor's way, in a clone whose path has a space: start the program, open the
// address that it prints, see the first notebook with its kernel, run all of it
// from the menu, see figures and no error, save, stop the program with Ctrl-C.
func TestStartHereInBrowser(t *testing.T) {
	findBrowser(t)
	b := ready(t)
	root := clone(t, true)
	notebook := filepath.Join(root, "notebooks", startNotebook)
	clearOutputs(t, notebook)
	env, mark := marked(t)
	server := exec.Command(b.program, "-no-browser")
	server.Dir, server.Env = root, env
	var log urlWriter
	server.Stdout, server.Stderr = &log, &log
	started := time.Now()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		assertNoneLeft(t, mark)
	})
	url := log.await(t, 3*time.Minute)
	t.Logf("the address came after %v", time.Since(started).Round(100*time.Millisecond))

	shots := newAlbum(t)
	ctx := browse(t, 8*time.Minute)
	shots.do(ctx, "open JupyterLab", chromedp.Navigate(url))
	// GoNB does not say that it is idle before its first cell has run.
	shots.do(ctx, "see the notebook and its Go kernel",
		chromedp.WaitVisible(`.jp-NotebookPanel .jp-CodeCell`),
		chromedp.PollFunction(`() => document.querySelector(".jp-NotebookPanel .jp-Toolbar-kernelName")?.textContent.includes("Go (gonb)")`,
			nil, chromedp.WithPollingTimeout(2*time.Minute)),
		shots.take("lab-1-open"))
	var popups int
	shots.do(ctx, "run all cells by the menu",
		chromedp.Evaluate(`document.querySelectorAll(".jp-Dialog, .Toastify__toast").length`, &popups),
		choose("Run", "Run All Cells"))
	if popups > 0 {
		t.Errorf("%d windows popped up at the start", popups)
	}
	doc := awaitRun(ctx, t, shots, notebook)
	figures := 0
	for i, c := range doc.codeCells() {
		if reason := failure(c.Outputs); reason != "" {
			t.Errorf("cell %d (%s): %s", i+1, c.firstLine(), reason)
		}
		for _, o := range c.Outputs {
			if o.Data["image/png"] != nil {
				figures++
			}
		}
	}
	if figures == 0 {
		t.Errorf("the notebook has no figure")
	}
	var shown int
	shots.do(ctx, "see a figure",
		chromedp.ScrollIntoView(`.jp-NotebookPanel .jp-RenderedImage img`),
		chromedp.PollFunction(`() => [...document.querySelectorAll(".jp-RenderedImage img")].filter(i => i.naturalWidth > 0 && i.getBoundingClientRect().height > 0).length`, &shown),
		chromedp.Sleep(time.Second), // for the scrolling to settle
		shots.take("lab-2-figure"))
	if shown == 0 {
		t.Errorf("no figure shows")
	}

	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	if err := server.Wait(); err != nil || !strings.Contains(log.String(), "Stopping JupyterLab") {
		t.Errorf("on Ctrl-C the program ended with %v and had said\n%s", err, &log)
	}
	t.Logf("stopping took %v", time.Since(stopped).Round(100*time.Millisecond))
	assertNoneLeft(t, mark)
}

// clearOutputs takes a notebook back to before it ran.
func clearOutputs(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for _, c := range doc["cells"].([]any) {
		if c := c.(map[string]any); c["cell_type"] == "code" {
			c["outputs"], c["execution_count"] = []any{}, nil
		}
	}
	if raw, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// choose picks an entry of one of JupyterLab's menus with the mouse.
func choose(menu, entry string) chromedp.Action {
	return chromedp.Tasks{
		press(`//*[contains(@class,"lm-MenuBar-itemLabel") and normalize-space()="` + menu + `"]`),
		press(`//*[contains(@class,"lm-Menu-itemLabel") and normalize-space()="` + entry + `"]`),
	}
}

// press moves the mouse onto what an XPath finds and clicks. (chromedp.Click does
// not move it, and a menu takes what the mouse was last over.)
func press(xpath string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var nodes []*cdp.Node
		if err := chromedp.Nodes(xpath, &nodes, chromedp.BySearch, chromedp.NodeVisible).Do(ctx); err != nil {
			return err
		}
		box, err := dom.GetBoxModel().WithNodeID(nodes[0].NodeID).Do(ctx)
		if err != nil {
			return err
		}
		x, y := (box.Content[0]+box.Content[4])/2, (box.Content[1]+box.Content[5])/2
		for _, kind := range []input.MouseType{input.MouseMoved, input.MousePressed, input.MouseReleased} {
			if err := chromedp.MouseEvent(kind, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// awaitRun waits until every cell has run, saving meanwhile as a careful person
// does, and returns the notebook as saved.
func awaitRun(ctx context.Context, t *testing.T, shots album, notebook string) *document {
	t.Helper()
	var idle bool
	deadline := time.Now().Add(5 * time.Minute)
	for time.Now().Before(deadline) {
		shots.do(ctx, "wait for the cells",
			chromedp.Sleep(time.Second),
			choose("File", "Save Notebook"),
			chromedp.Evaluate(`document.querySelector(".jp-NotebookPanel .jp-Notebook-ExecutionIndicator")?.dataset.status === "idle"`, &idle))
		doc, err := readNotebook(notebook)
		if err != nil {
			continue // it is being written
		}
		cells := doc.codeCells()
		done := idle && len(cells) > 0
		for _, c := range cells {
			done = done && c.Count != nil
		}
		if done {
			return doc
		}
	}
	shots.do(ctx, "look", shots.take("failed"))
	t.Fatal("the notebook did not run to its end in 5 minutes")
	return nil
}

// urlWriter keeps what a program prints and finds the address in it.
type urlWriter struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *urlWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *urlWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *urlWriter) await(t *testing.T, limit time.Duration) string {
	t.Helper()
	for start := time.Now(); time.Since(start) < limit; time.Sleep(100 * time.Millisecond) {
		for line := range strings.Lines(w.String()) {
			if url, ok := strings.CutPrefix(line, "Open "); ok {
				return strings.TrimSpace(url)
			}
		}
	}
	t.Fatal(fmt.Sprintf("no address within %v; it said\n%s", limit, w))
	return ""
}

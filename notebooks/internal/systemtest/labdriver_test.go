package systemtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ngebm/notebooks/internal/browsertest"
	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/notebooktest"
)

// labInBrowser is JupyterLab as a visitor has it: served by the program from a clone whose path
// has a space, with one browser and one folder of runs.
type labInBrowser struct {
	*served
	browser context.Context
	runs    string
}

// startLab starts both. In the folder of runs are those that the notebooks were executed with,
// if they were.
func startLab(t *testing.T) *labInBrowser {
	t.Helper()
	browsertest.FindBrowser(t)
	ready(t)
	root := wholeClone(t)
	forgetTabs(t, root)
	s := &labInBrowser{runs: filepath.Join(t.TempDir(), "runs")}
	copyRuns(t, s.runs, executedRuns())
	began := time.Now()
	s.served = serve(t, nil, root, "NGEBM_RUNS="+s.runs)
	t.Logf("the address came after %v", time.Since(began).Round(100*time.Millisecond))
	s.browser = browsertest.Browse(t, 30*time.Minute)
	leaveUnsaved(s.browser)
	return s
}

// session is one notebook in the browser.
type session struct {
	browsertest.Album
	ctx      context.Context
	notebook string // its path
}

// openCleared opens a notebook without its outputs, as a fresh clone has it but for these.
func (s *labInBrowser) openCleared(t *testing.T, notebook string) *session {
	return s.open(t, notebook, clearOutputs)
}

// openAsStored opens a notebook with the outputs that it is stored with.
func (s *labInBrowser) openAsStored(t *testing.T, notebook string) *session {
	return s.open(t, notebook, func(*testing.T, string) {})
}

// open opens a notebook, once it is prepared, and waits for it and its kernel. In the end both
// are closed.
func (s *labInBrowser) open(t *testing.T, notebook string, prepare func(t *testing.T, path string)) *session {
	t.Helper()
	root := wholeClone(t)
	path := filepath.Join(root, "notebooks", notebook)
	prepare(t, path)
	t.Cleanup(func() { s.endKernels(t) })
	l := openWindow(t, s.browser, path)
	address := *s.address
	address.Path = strings.Replace(address.Path, lab.StartNotebook, notebook, 1)
	l.open(address.String())
	return l
}

// endKernels ends what the notebook that was closed has left running, and forgets its tab.
func (s *labInBrowser) endKernels(t *testing.T) {
	t.Helper()
	var open []struct{ ID string }
	if err := json.Unmarshal(s.ask(t, http.MethodGet, "/api/sessions", nil), &open); err != nil {
		t.Fatal(err)
	}
	for _, one := range open {
		s.ask(t, http.MethodDelete, "/api/sessions/"+one.ID, nil)
	}
	s.ask(t, http.MethodPut, "/lab/api/workspaces/default", []byte(`{"data": {}, "metadata": {"id": "default"}}`))
}

// openWindow has the window for the notebook at path, which is closed with the test.
func openWindow(t *testing.T, browser context.Context, path string) *session {
	t.Helper()
	l := &session{Album: browsertest.NewAlbum(t), ctx: browser, notebook: path}
	t.Cleanup(func() { l.act("close the notebook", chromedp.Navigate("about:blank")) })
	return l
}

// leaveUnsaved lets the window go on from a notebook that is not saved.
func leaveUnsaved(browser context.Context) {
	chromedp.ListenTarget(browser, func(event any) {
		if _, asks := event.(*page.EventJavascriptDialogOpening); asks {
			go func() { _ = chromedp.Run(browser, page.HandleJavaScriptDialog(true)) }()
		}
	})
}

// open opens an address of JupyterLab and waits for the notebook and its kernel. (GoNB
// does not say that it is idle before its first cell has run.)
func (l *session) open(url string) {
	l.Do(l.ctx, "open JupyterLab", chromedp.Navigate(url))
	l.Do(l.ctx, "see the notebook and its Go kernel",
		chromedp.WaitVisible(`.jp-NotebookPanel .jp-CodeCell`),
		chromedp.PollFunction(`() => document.querySelector(".jp-NotebookPanel .jp-Toolbar-kernelName")?.textContent.includes("Go (gonb)")`,
			nil, chromedp.WithPollingTimeout(2*time.Minute)))
}

// act does what a person does; see [album.do].
func (l *session) act(what string, actions ...chromedp.Action) {
	l.T.Helper()
	l.Do(l.ctx, what, actions...)
}

// runAll runs all cells by the menu.
func (l *session) runAll() {
	l.T.Helper()
	l.startCells(func() { l.act("run all cells by the menu", choose("Run", "Run All Cells")) })
}

// startCells does what runs cells until one runs. JupyterLab loses what is chosen in the moment
// in which it attaches a kernel that has just started: a person sees that nothing runs, and
// chooses again.
func (l *session) startCells(choose func()) {
	l.T.Helper()
	before := l.ran()
	for range 3 {
		choose()
		for began := time.Now(); time.Since(began) < 10*time.Second; {
			l.act("see cells run", chromedp.Sleep(200*time.Millisecond))
			if now := l.ran(); now > before {
				return
			}
		}
	}
	l.act("look", l.Take("failed"))
	l.T.Fatalf("no cell runs; the window shows\n%s", l.seen())
}

// ran is the number of the cell that ran last, of those that JupyterLab has drawn, and a million more
// for each that runs or waits for its turn. (It draws cells as they come into sight, so that their list
// alone says nothing.)
func (l *session) ran() int {
	l.T.Helper()
	var last int
	l.act("look at the prompts", chromedp.Evaluate(`(() => {
		const prompts = [...document.querySelectorAll(".jp-NotebookPanel .jp-CodeCell .jp-InputArea-prompt")].map(p => p.textContent);
		return 1e6 * prompts.filter(p => p.includes("*")).length + Math.max(0, ...prompts.map(p => Number(/[0-9]+/.exec(p)?.[0] ?? 0)));
	})()`, &last))
	return last
}

// seen is what a person would read in the window of a test that failed: the state of the kernel,
// dialogs, prompts, and the outputs that are drawn.
func (l *session) seen() string {
	var text string
	err := chromedp.Run(l.ctx, chromedp.Evaluate(`(() => {
		const texts = which => [...document.querySelectorAll(which)].map(e => e.textContent.trim()).join(" | ");
		return "kernel: " + document.querySelector(".jp-NotebookPanel .jp-Notebook-ExecutionIndicator")?.dataset.status +
			"\ndialogs: " + texts(".jp-Dialog-content, .Toastify__toast") +
			"\nprompts: " + texts(".jp-NotebookPanel .jp-CodeCell .jp-InputArea-prompt") +
			"\noutputs: " + texts(".jp-NotebookPanel .jp-OutputArea-output").slice(0, 2000);
	})()`, &text))
	if err != nil {
		return "nothing that can be read: " + err.Error()
	}
	return text
}

// await waits until an expression in JavaScript is true.
func (l *session) await(what, expression string) {
	l.T.Helper()
	limited, cancel := context.WithTimeout(l.ctx, 4*time.Minute)
	defer cancel()
	err := chromedp.Run(limited, chromedp.PollFunction("() => "+expression, nil, chromedp.WithPollingTimeout(0), chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		last := chromedp.Run(l.ctx, l.Take("failed"))
		l.T.Fatalf("%s: %v (screenshot: %v); the window shows\n%s", what, err, last, l.seen())
	}
}

// awaitDone waits until every cell has run and checks that none failed.
func (l *session) awaitDone() *notebook.Document {
	l.T.Helper()
	doc := awaitRun(l.ctx, l.T, l.Album, l.notebook)
	for i, c := range doc.CodeCells() {
		if reason := notebook.Failure(i+1, c.Outputs); reason != "" {
			l.T.Errorf("cell %d (%s): %s", i+1, c.FirstLine(), reason)
		}
	}
	return doc
}

// replaceLine puts a line of code in place of the first that holds a text, with the
// mouse and the keyboard, and runs its cell.
func (l *session) replaceLine(holds, line string) {
	l.T.Helper()
	at := `(//*[contains(@class,"cm-line")][contains(normalize-space(),"` + holds + `")])[1]`
	l.act("edit "+holds,
		chromedp.ScrollIntoView(at, chromedp.BySearch),
		press(at),
		chromedp.KeyEvent(kb.Home),
		chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(input.ModifierShift)),
		chromedp.KeyEvent(line),
		chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierShift)))
}

// runCell runs the first cell with a line that holds a text: a click on it, Shift+Enter.
func (l *session) runCell(holds string) {
	l.T.Helper()
	at := `(//*[contains(@class,"cm-line")][contains(normalize-space(),'` + holds + `')])[1]`
	l.act("run "+holds,
		chromedp.ScrollIntoView(at, chromedp.BySearch), chromedp.Sleep(300*time.Millisecond), press(at),
		chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierShift)))
}

// shiftEnter runs so many cells from the first one on.
func (l *session) shiftEnter(cells int) {
	l.T.Helper()
	const first = `(//*[contains(@class,"jp-Notebook")]//*[contains(@class,"jp-RenderedMarkdown")])[1]`
	l.startCells(func() {
		l.act("select the first cell", chromedp.Evaluate(`document.querySelector(".jp-WindowedPanel-outer").scrollTop = 0`, nil), press(first))
		for range cells {
			l.act("press Shift+Enter", chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierShift)), chromedp.Sleep(300*time.Millisecond))
		}
	})
}

// interrupt presses the ■ of the toolbar.
func (l *session) interrupt() {
	l.T.Helper()
	l.act("interrupt the kernel", press(`//*[@data-command="notebook:interrupt-kernel"]`))
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
func awaitRun(ctx context.Context, t *testing.T, shots browsertest.Album, path string) *notebook.Document {
	t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for time.Now().Before(deadline) {
		var idle, changed bool
		shots.Do(ctx, "wait for the cells",
			chromedp.Sleep(time.Second),
			chromedp.Evaluate(`document.querySelector(".jp-NotebookPanel .jp-Notebook-ExecutionIndicator")?.dataset.status === "idle"`, &idle),
			choose("File", "Save Notebook"))
		for wait := 0; idle && wait < 50; wait++ { // until what is in the file is what the cells left
			shots.Do(ctx, "wait for the file", chromedp.Sleep(100*time.Millisecond), chromedp.Evaluate(`document.querySelector(".lm-TabBar-tab.jp-mod-dirty") !== null`, &changed))
			if !changed {
				break
			}
		}
		doc, err := notebook.Read(path)
		if err != nil {
			continue // it is being written
		}
		cells := doc.CodeCells()
		done := idle && !changed && len(cells) > 0
		for _, c := range cells {
			done = done && c.Count != nil
		}
		if done {
			return doc
		}
	}
	shots.Do(ctx, "look", shots.Take("failed"))
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

// clearOutputs takes a notebook back to before it ran.
func clearOutputs(t *testing.T, path string) {
	t.Helper()
	notebooktest.Change(t, path, func(doc map[string]any) {
		for _, c := range doc["cells"].([]any) {
			if c := c.(map[string]any); c["cell_type"] == "code" {
				c["outputs"], c["execution_count"] = []any{}, nil
			}
		}
	})
}

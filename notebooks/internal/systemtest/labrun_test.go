package systemtest

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/notebook"
)

// A visitor's way: see the first notebook with its kernel, run all of it from the menu,
// see figures and no error, change a weight and see another figure, save.
func testStartHere(t *testing.T, s *labInBrowser) {
	l := s.openCleared(t, lab.StartNotebook)
	var popups int
	l.act("look",
		l.Take("lab-1-open"),
		chromedp.Evaluate(`document.querySelectorAll(".jp-Dialog, .Toastify__toast").length`, &popups))
	l.runAll()
	if popups > 0 {
		t.Errorf("%d windows popped up at the start", popups)
	}
	doc := l.awaitDone()
	before := figures(doc)
	if len(before) == 0 {
		t.Errorf("the notebook has no figure")
	}
	var shown int
	l.act("see a figure",
		chromedp.ScrollIntoView(`.jp-NotebookPanel .jp-RenderedImage img`),
		chromedp.PollFunction(`() => [...document.querySelectorAll(".jp-RenderedImage img")].filter(i => i.naturalWidth > 0 && i.getBoundingClientRect().height > 0).length`, &shown),
		chromedp.Sleep(time.Second), // for the scrolling to settle
		l.Take("lab-2-figure"))
	if shown == 0 {
		t.Errorf("no figure shows")
	}

	const weights = "%% --alpha=1 --beta=.1 --gamma=1"
	l.replaceLine("%% --alpha=1 --beta=.1 --gamma=.1", weights)
	after := l.awaitCell(weights, 1+lastCount(doc))
	l.act("look", chromedp.Sleep(time.Second), l.Take("lab-3-gamma"))
	if len(after) == 0 || after[0] == before[0] {
		t.Error("γ was changed, but not the figure")
	}
}

// figures are the PNGs that cells have shown, in order.
func figures(doc *notebook.Document) []string {
	var all []string
	for _, c := range doc.CodeCells() {
		for _, o := range c.Outputs {
			if png := o.Content("image/png"); png != "" {
				all = append(all, png)
			}
		}
	}
	return all
}

// lastCount is the number of the cell that ran last.
func lastCount(doc *notebook.Document) int {
	last := 0
	for _, c := range doc.CodeCells() {
		if c.Count != nil {
			last = max(last, *c.Count)
		}
	}
	return last
}

// awaitCell waits until the cell that begins with a line has run as number count, and
// returns its figures.
func (l *session) awaitCell(first string, count int) []string {
	l.T.Helper()
	doc := l.awaitDone()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline) && lastCount(doc) < count; {
		doc = l.awaitDone()
	}
	for _, c := range doc.CodeCells() {
		if c.FirstLine() == first && c.Count != nil && *c.Count == count {
			return figures(&notebook.Document{Cells: []notebook.Cell{c}})
		}
	}
	l.T.Fatalf("no cell that begins with %q ran as number %d", first, count)
	return nil
}

// 09 as a person plays with it.
func testExplorer(t *testing.T, s *labInBrowser) {
	l := s.openCleared(t, "09_live_explorer.ipynb")
	l.shiftEnter(5) // to the cell with the panel, which stays in sight
	p := l.panel()
	if got := p.value("gamma"); got != "0.1" {
		t.Errorf("γ starts at %s", got)
	}

	p.slide("epochs", 6)
	p.slide("gamma", 6)
	l.act("one stop on, by a key", chromedp.Sleep(300*time.Millisecond), chromedp.KeyEvent(kb.ArrowRight))
	if gamma, epochs := p.value("gamma"), p.value("epochs"); gamma != "1" || epochs != "640" {
		t.Fatalf("turned to γ=%s, %s epochs", gamma, epochs)
	}
	p.press("train")
	p.await("Learning α=1 β=0.1 γ=1, noise 0.1, 640 epochs: at epoch")
	first := p.picture("")
	second := p.picture(first)
	l.act("look", l.Take("lab-7-learning"))
	p.slide("gamma", 3) // while it learns, which it does not change
	third := p.picture(second)
	p.await("Learning α=1 β=0.1 γ=1,")
	p.press("stop")
	p.await("Stopped at epoch")
	l.act("look", l.Take("lab-8-stopped"))
	if first == "" || third == "" {
		t.Error("no pictures")
	}

	p.slide("epochs", 2)
	p.slide("noise", 2)
	p.press("train") // anew, with what the sliders show now
	p.await("✓ α=1 β=0.1 γ=0.01, noise 0.2, 40 epochs: accuracy")
	l.act("look", l.Take("lab-9-learned"))

	p.slide("epochs", 6)
	p.press("train")
	p.await("Learning α=1 β=0.1 γ=0.01, noise 0.2, 640 epochs: at epoch")
	l.interrupt()
	p.await("Interrupted.")
	l.replaceLine("%% --noise=.3", "%% --noise=.3 --epochs=80") // as it was; and the cell runs
	doc := l.awaitDone()
	l.act("look", l.Take("lab-10-interrupted"))
	saved := p.saved()
	if n := len(figures(doc)); n != 1 { // the next cell's
		t.Errorf("after the interrupt there are %d figures", n)
	}
	if !regexp.MustCompile(`Interrupted\. Run the cell again to explore more\.</div><img`).MatchString(saved) {
		t.Error("no word of the interrupt, with the picture drawn last, in what was saved")
	}
	if strings.Contains(saved, "<script") || strings.Contains(saved, "<fieldset") {
		t.Error("a script or the panel is saved with the notebook")
	}

	l.replaceLine("%% --alpha=1", "%% --alpha=1 --beta=0 --gamma=0 --epochs=33")
	p = l.panel() // on the connection of the cell before
	if got := p.value("epochs"); got != "33" {
		t.Errorf("epochs starts at %s", got)
	}
	p.press("finish")
	l.awaitDone()
	if saved := p.saved(); !strings.Contains(saved, "Nothing was trained.") {
		t.Error("Finish without a training: not a word of it")
	}
}

// panel is the explorer's, in the window.
type panel struct{ *session }

// panel waits for it to be alive.
func (l *session) panel() panel {
	l.T.Helper()
	l.await("see a panel that is alive", `document.querySelector("fieldset:not([disabled]) button[name=train]") !== null`)
	return panel{l}
}

// click clicks on what an XPath finds, once it is in sight.
func (p panel) click(what, xpath string) {
	p.T.Helper()
	p.act(what, chromedp.ScrollIntoView(xpath, chromedp.BySearch), chromedp.Sleep(300*time.Millisecond), press(xpath))
}

func (p panel) press(button string) {
	p.T.Helper()
	p.click("press "+button, `//fieldset//button[@name="`+button+`"]`)
}

// slide puts a slider to one of its stops, counted from 0, with the mouse.
func (p panel) slide(name string, stop int) {
	p.T.Helper()
	at := `fieldset input[name=` + name + `]`
	var x, y float64
	p.act("find "+name, chromedp.ScrollIntoView(at), chromedp.Sleep(300*time.Millisecond),
		chromedp.Evaluate(fmt.Sprintf(`(s => { // the thumb's middle goes from half its width to as much before the end
			const box = s.getBoundingClientRect(), thumb = 16;
			return box.left + thumb/2 + (box.width-thumb) * %d/s.max;
		})(document.querySelector(%q))`, stop, at), &x),
		chromedp.Evaluate(fmt.Sprintf(`(box => (box.top+box.bottom)/2)(document.querySelector(%q).getBoundingClientRect())`, at), &y))
	p.act("slide "+name, chromedp.MouseClickXY(x, y))
}

// value is what is written beside a slider.
func (p panel) value(name string) (text string) {
	p.T.Helper()
	p.act("read "+name, chromedp.Evaluate(`document.querySelector("fieldset input[name=`+name+`]").nextElementSibling.textContent`, &text))
	return text
}

// await waits until the line above the picture begins with a text.
func (p panel) await(text string) {
	p.T.Helper()
	p.session.await("see "+text, fmt.Sprintf(`[...document.querySelectorAll("[role=status]")].some(s => s.textContent.startsWith(%q))`, text))
}

// picture waits for a picture other than the one before.
func (p panel) picture(before string) (source string) {
	p.T.Helper()
	const now = `[...document.querySelectorAll(".jp-RenderedHTMLCommon img")].map(i => i.src).join()`
	p.session.await("see another picture", fmt.Sprintf(`(s => s !== "" && s !== %q)(%s)`, before, now))
	p.act("look", chromedp.Evaluate(now, &source))
	return source
}

// saved is the notebook's file.
func (p panel) saved() string {
	raw, err := os.ReadFile(p.notebook)
	if err != nil {
		p.T.Fatal(err)
	}
	return string(bytes.ReplaceAll(raw, []byte(`\u003c`), []byte("<")))
}

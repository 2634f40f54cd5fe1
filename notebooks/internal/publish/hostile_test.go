package publish

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/browsertest"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/setup"
)

// covers are what only a style sheet keeps in its cell: larger than the room that it takes.
var covers = []string{
	`<div style="display:flex;align-items:center;justify-content:center;height:0;opacity:.999"><div style="width:400vw;height:400vh;flex-shrink:0;background:white">FAKE</div></div>`,
	`<div style="direction:rtl;height:0"><div style="width:400vw;height:400vh;background:white">FAKE</div></div>`,
	`<div style="height:900px"><div style="display:flex;justify-content:center"><div style="width:400vw;height:400vh;flex-shrink:0;background:white">FAKE</div></div></div>`,
	`$\smash{\llap{\rule[-100em]{100em}{300em}}}$ $\smash{\rlap{\rule[-100em]{100em}{300em}}}$`,
	`$\mmlToken{mi}[href="javascript:alert(1)",style="position:fixed",class="skip",id="x1"]{L}$ $\mmlToken{mglyph}[src="https://x.example/a.png"]{}$`,
	`$\bbox[background:red;transform:scale(300)]{y}$ $\smash{\mmlToken{mtext}[mathsize="300em",mathbackground="red"]{L}}$`,
}

// whatIsCovered lists headings and the page's own links and buttons that something else is in front of.
const whatIsCovered = `[...document.querySelectorAll(".home, #theme, .contents a, main h2, footer a")].filter(e => {
	e.scrollIntoView({ block: "center", behavior: "instant" });
	const box = e.getBoundingClientRect(), hit = document.elementFromPoint(box.left + 20, box.top + box.height / 2);
	return !hit || !e.contains(hit) && !hit.contains(e);
}).map(e => e.className + ": " + e.textContent.trim())`

// A page of a hostile notebook, opened in a browser, runs nothing, asks for nothing but
// its own files, and offers nothing to its policy to stop; what the policy is there for it
// does stop.
func TestHostilePageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it starts a browser")
	}
	tools := pageTools(t)
	var cells []map[string]any
	for _, h := range hostile {
		cells = append(cells, notebooktest.Output(map[string]any{"text/html": h.html}), notebooktest.Markdown("text\n\n"+h.html+"\n\n"+h.html+" in a line"))
	}
	for _, svg := range notebooktest.HostileSVGs {
		cells = append(cells, notebooktest.Output(map[string]any{"image/svg+xml": svg.In}))
	}
	cells = append(cells, notebooktest.Markdown("## Before"))
	for _, cover := range covers {
		cells = append(cells, notebooktest.Markdown(cover), notebooktest.Output(map[string]any{"text/html": cover}))
	}
	cells = append(cells, notebooktest.Markdown("## After"), notebooktest.Markdown("### In the contents "+covers[3]))
	cells = append(cells, notebooktest.Markdown(`$\href{javascript:alert(1)}{a}$ $\class{skip}{b}$ $\style{position:fixed}{c}$ $\require{html}\href{https://x}{d}$ $\frac{1}{2}$`))
	out := filepath.Join(t.TempDir(), "site")
	if err := Site(t.Context(), &setup.Workspace{Root: t.TempDir()}, tools, []source{sourceOf(t, t.TempDir(), "n", cells...), sourceOf(t, t.TempDir(), "m", notebooktest.Markdown("# M "+covers[3]))}, out, "p", display.New(os.Stdout)); err != nil {
		t.Fatal(err)
	}
	ctx := browsertest.Browse(t, 2*time.Minute)
	requests, complaints := browsertest.WatchRequests(ctx), browsertest.WatchConsole(ctx)
	dialogs := 0
	chromedp.ListenTarget(ctx, func(e any) {
		if _, ok := e.(*cdppage.EventJavascriptDialogOpening); ok {
			dialogs++
			go chromedp.Run(ctx, cdppage.HandleJavaScriptDialog(false))
		}
	})
	var formulas, links, stopped int
	var covered, onPhone, styled []string
	shots := browsertest.NewAlbum(t)
	shots.Do(ctx, "open the hostile page", network.Enable(), cdplog.Enable(),
		chromedp.Navigate(browsertest.FileURL(out, "n")), browsertest.AwaitFormulas, browsertest.ShowPictures,
		chromedp.Evaluate(`document.querySelectorAll("*").forEach(e => e.dispatchEvent(new Event("focus"))), document.querySelectorAll("mjx-container svg").length`, &formulas),
		chromedp.Evaluate(`[...document.querySelectorAll("main a[href]")].filter(a => !/^(https:.*example|mailto:|figures|#|file:)/.test(a.getAttribute("href"))).length`, &links),
		shots.Take("hostile"),
		chromedp.Evaluate(whatIsCovered, &covered),
		chromedp.Evaluate(`[...document.querySelectorAll("mjx-container a, mjx-container image, mjx-container svg :is([style]:not([style^=font-family]), [class], [href], #x1)")].map(e => e.outerHTML.slice(0, 200))`, &styled),
	)
	shots.Do(ctx, "look on a phone", chromedp.EmulateViewport(390, 800), chromedp.Evaluate(whatIsCovered, &onPhone), shots.Take("hostile-phone"), chromedp.EmulateViewport(1400, 1000))
	if len(covered) > 0 || len(onPhone) > 0 {
		t.Errorf("what the page has around cells is covered: %q, on a phone %q", covered, onPhone)
	}
	if len(styled) > 0 {
		t.Errorf("formulas have links, pictures, styles or classes: %q", styled)
	}
	if dialogs > 0 || formulas < 5 || links > 0 {
		t.Errorf("%d dialogs, %d formulas, %d links that are not the page's", dialogs, formulas, links)
	}
	for _, url := range requests() {
		if !strings.HasPrefix(url, browsertest.FileURL(out, "")[:len(browsertest.FileURL(out, ""))-len("/.html")]) && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asked for %s", url)
		}
	}
	for _, said := range complaints() {
		t.Errorf("the console says %s", said)
	}
	for _, name := range []string{"n.svg"} {
		if notebooktest.Exists(filepath.Join(out, name)) {
			t.Errorf("%s is there", name)
		}
	}
	svgs, err := filepath.Glob(filepath.Join(out, "figures", "*.svg"))
	if err != nil || len(svgs) != len(notebooktest.HostileSVGs) {
		t.Errorf("%d SVGs (%v)", len(svgs), err)
	}
	for _, svg := range svgs { // as the link of a figure opens it
		var name string
		shots.Do(ctx, "open "+filepath.Base(svg), chromedp.Navigate("file://"+svg), chromedp.Evaluate(`document.documentElement.tagName`, &name))
		if name != "svg" || dialogs > 0 {
			t.Errorf("%s shows %s, %d dialogs", svg, name, dialogs)
		}
	}
	shots.Do(ctx, "try what the policy forbids", chromedp.Navigate(browsertest.FileURL(out, "n")),
		chromedp.Evaluate(`new Promise(done => {
			let stopped = 0;
			document.addEventListener("securitypolicyviolation", () => stopped++);
			document.body.insertAdjacentHTML("beforeend", "<img src='https://x.example/a.png' onerror='alert(1)'><iframe src='data:text/html,a'></iframe><a id=run href='javascript:alert(1)'>a</a><object data='a'></object>");
			const script = document.createElement("script");
			script.textContent = "alert(1)";
			document.body.append(script);
			document.getElementById("run").click();
			setTimeout(() => done(stopped), 1000);
		})`, &stopped, browsertest.AwaitPromise))
	if stopped < 5 || dialogs > 0 {
		t.Errorf("the policy stopped %d of 6, and %d dialogs opened", stopped, dialogs)
	}
}

// Pages say that outputs may be of other code than is shown, where that can be told, and
// that it is not known, where it cannot.
func TestPagesTellOldOutputs(t *testing.T) {
	doc := func(code, ran string) *notebook.Document {
		s := sourceOf(t, t.TempDir(), "n", notebooktest.Markdown("# T\n\nx"), map[string]any{"cell_type": "code", "source": code, "outputs": []any{}, "execution_count": 1})
		d := s.doc
		d.Metadata.Ran.Code = ran
		return d
	}
	of := doc("a", "").CodeHash()
	for _, test := range []struct {
		doc        *notebook.Document
		warning    string
		provenance string
	}{
		{doc("a", of), "", shownAsStored},
		{doc("b", of), changedSince, shownAsStored},
		{doc("a", ""), "", shownAsStored + neverRanHere},
	} {
		if s := storedSource("n.ipynb", "n", test.doc); s.warning != test.warning || s.provenance != test.provenance {
			t.Errorf("%q, %q", s.warning, s.provenance)
		}
	}
	tools := pageTools(t)
	out := filepath.Join(t.TempDir(), "site")
	s := storedSource(filepath.Join(t.TempDir(), "n.ipynb"), "n", doc("b", of))
	if err := Site(t.Context(), &setup.Workspace{Root: t.TempDir()}, tools, []source{s}, out, "p", display.New(os.Stdout)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(out, "n.html"))
	if err != nil || !strings.Contains(string(raw), `<p class="warning" role="note">`+template.HTMLEscapeString(changedSince)) {
		t.Errorf("the page does not say so (%v)", err)
	}
}

// What hostile notebooks name as pictures ends publish with the notebook and the cell in
// one line, at once, with nothing written.
func TestHostilePictures(t *testing.T) {
	tools := pageTools(t)
	var sources []source
	var says []string
	folder := t.TempDir()
	notebooktest.Pipe(t, filepath.Join(folder, "pipe.png"))
	for text, why := range map[string]string{
		"![p](secret_key)":                   "is no file whose name ends in",
		"![p](../../../../etc/passwd)":       "is no file whose name ends in",
		"![p](/proc/self/environ)":           "is no file whose name ends in",
		"![p](~/.bashrc)":                    "is no file whose name ends in",
		"![p](/etc/x.png)":                   "absolute path",
		"![p](%2e%2e/x.png)":                 "path escapes from parent",
		"![p](pipe.png)":                     "is no file",
		"![p](none.png)":                     "is not there",
		"![p](//evil.example/x.png)":         "is elsewhere",
		"![p](https://evil.example/x.png)":   "is elsewhere",
		"![p](file:///etc/x.png)":            "is elsewhere",
		"<img src='ht\ntps://evil.example'>": "",
		"![p](data:image/png;base64,AAAA)":   "it is no PNG",
		"![p](data:image/png;base64,A*A)":    "is not base64",
		"![p](data:text/html,a)":             "is no PNG, JPEG, GIF or SVG",
		"![p](attachment:none.png)":          "missing attachment",
		"<img src='attachment:none.png'>":    "is not among the cell's attachments",
	} {
		says = append(says, why)
		sources = append(sources, sourceOf(t, folder, fmt.Sprintf("n%d", len(sources)), notebooktest.Markdown("# T\n\n"+text)))
	}
	_, err := makePages(t.Context(), tools, sources)
	if err == nil {
		t.Fatal("there are pages")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(sources) {
		t.Fatalf("%d notebooks, %d lines\n%v", len(sources), len(lines), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, fmt.Sprintf(`n%d.ipynb: the text "# T": `, i)) || !strings.Contains(line, says[i]) {
			t.Errorf("it says\n%s\nnot %q", line, says[i])
		}
	}
	site := filepath.Join(t.TempDir(), "site")
	path := notebooktest.WriteStored(t, folder, "n", "![p](pipe.png)")
	err = publishStored(t.Context(), &setup.Workspace{Root: t.TempDir()}, tools, Options{Out: site, paths: []string{path}}, display.New(io.Discard))
	if err == nil || notebooktest.Exists(site) || !strings.HasPrefix(err.Error(), "nothing is published:\nn.ipynb: ") {
		t.Errorf("%v, there is a site: %t", err, notebooktest.Exists(site))
	}
}

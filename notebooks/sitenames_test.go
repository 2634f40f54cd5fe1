package main

import (
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// storedNotebook writes a notebook that has run, of Markdown, and one picture that it shows.
func storedNotebook(t *testing.T, folder, name, text string) string {
	t.Helper()
	s := sourceOf(t, folder, name, markdownCell("# "+name+"\n\nText. "+text),
		map[string]any{"cell_type": "code", "source": "f()", "execution_count": 1, "outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": "x"}}})
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path, s.doc.raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return s.path
}

// Notebooks of any names have pages that are found, keep their figures whatever else is
// published into the site later, and lead to each other.
func TestSiteOfAnyNames(t *testing.T) {
	ready(t)
	folder, site := filepath.Join(t.TempDir(), "some notebooks"), filepath.Join(t.TempDir(), "site")
	picture := filepath.Join(folder, "a picture.png")
	names := []string{"run-1", "run-2", "run", "index", "gallery", "a#b", "50% why?", `say "hi"`, "Größe", "e\u0301te\u0301"}
	var paths []string
	for _, name := range names {
		paths = append(paths, storedNotebook(t, folder, name, "![p](a%20picture.png) ![q](<a picture.png>) [next](Gr%C3%B6%C3%9Fe.ipynb#Text) [back](50%25%20why%3F.ipynb) [none](other.ipynb) [away](/etc/passwd)"))
	}
	paths = append(paths, storedNotebook(t, filepath.Join(folder, "sub"), "run", "![p](../a%20picture.png) [up](../run.ipynb)"))
	if err := os.WriteFile(picture, encoded(t, ".png"), 0o644); err != nil {
		t.Fatal(err)
	}
	printed, _, err := runProgram(t, "..", append([]string{"publish", "-html-only", "-o", site}, paths...)...)
	if err == nil || !strings.Contains(printed, `run.ipynb: the text "# run": the picture "../a picture.png": path escapes from parent`) {
		t.Fatalf("a picture out of the notebook's folder: %v\n%s", err, printed)
	}
	if exists(site) {
		t.Error("there is a site")
	}
	if err := copyFile(picture, filepath.Join(folder, "sub", "p.png")); err != nil {
		t.Fatal(err)
	}
	paths[len(paths)-1] = storedNotebook(t, filepath.Join(folder, "sub"), "run", "![p](p.png) [up](../run.ipynb)")
	for range 2 { // the second time over the first
		if printed, _, err := runProgram(t, "..", append([]string{"publish", "-html-only", "-o", site}, paths...)...); err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
	}
	if printed, _, err := runProgram(t, "..", "publish", "-html-only", "-o", site, paths[2]); err != nil { // run, alone
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
			if !exists(filepath.Join(site, "figures", page+figure)) {
				t.Errorf("%s%s is not there", page, figure)
			}
		}
	}
	ctx := browse(t, time.Minute)
	complaints := watchConsole(ctx)
	for _, page := range pages {
		var broken, pictures int
		newAlbum(t).do(ctx, "open "+page, cdplog.Enable(), chromedp.Navigate(fileURL(site, page)), showPictures,
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

// A page of a hostile notebook, opened in a browser, runs nothing, asks for nothing but
// its own files, and offers nothing to its policy to stop; what the policy is there for it
// does stop.
func TestHostilePageInBrowser(t *testing.T) {
	b := ready(t)
	var cells []map[string]any
	for _, h := range hostile {
		cells = append(cells, outputCell(map[string]any{"text/html": h.html}), markdownCell("text\n\n"+h.html+"\n\n"+h.html+" in a line"))
	}
	for _, svg := range hostileSVGs {
		cells = append(cells, outputCell(map[string]any{"image/svg+xml": svg.in}))
	}
	cells = append(cells, markdownCell(`$\href{javascript:alert(1)}{a}$ $\class{skip}{b}$ $\style{position:fixed}{c}$ $\require{html}\href{https://x}{d}$ $\frac{1}{2}$`))
	out := filepath.Join(t.TempDir(), "site")
	if err := writeSite(t.Context(), &place{root: t.TempDir()}, b.tools, []source{sourceOf(t, t.TempDir(), "n", cells...)}, out, "p", newDisplay(os.Stdout)); err != nil {
		t.Fatal(err)
	}
	ctx := browse(t, 2*time.Minute)
	requests, complaints := watchRequests(ctx), watchConsole(ctx)
	dialogs := 0
	chromedp.ListenTarget(ctx, func(e any) {
		if _, ok := e.(*cdppage.EventJavascriptDialogOpening); ok {
			dialogs++
			go chromedp.Run(ctx, cdppage.HandleJavaScriptDialog(false))
		}
	})
	var formulas, links, stopped int
	shots := newAlbum(t)
	shots.do(ctx, "open the hostile page", network.Enable(), cdplog.Enable(),
		chromedp.Navigate(fileURL(out, "n")), awaitFormulas, showPictures,
		chromedp.Evaluate(`document.querySelectorAll("*").forEach(e => e.dispatchEvent(new Event("focus"))), document.querySelectorAll("mjx-container svg").length`, &formulas),
		chromedp.Evaluate(`[...document.querySelectorAll("main a[href]")].filter(a => !/^(https:.*example|mailto:|figures|#|file:)/.test(a.getAttribute("href"))).length`, &links),
		shots.take("hostile"),
	)
	if dialogs > 0 || formulas < 5 || links > 0 {
		t.Errorf("%d dialogs, %d formulas, %d links that are not the page's", dialogs, formulas, links)
	}
	for _, url := range requests() {
		if !strings.HasPrefix(url, fileURL(out, "")[:len(fileURL(out, ""))-len("/.html")]) && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asked for %s", url)
		}
	}
	for _, said := range complaints() {
		t.Errorf("the console says %s", said)
	}
	for _, name := range []string{"n.svg"} {
		if exists(filepath.Join(out, name)) {
			t.Errorf("%s is there", name)
		}
	}
	svgs, err := filepath.Glob(filepath.Join(out, "figures", "*.svg"))
	if err != nil || len(svgs) != len(hostileSVGs) {
		t.Errorf("%d SVGs (%v)", len(svgs), err)
	}
	for _, svg := range svgs { // as the link of a figure opens it
		var name string
		shots.do(ctx, "open "+filepath.Base(svg), chromedp.Navigate("file://"+svg), chromedp.Evaluate(`document.documentElement.tagName`, &name))
		if name != "svg" || dialogs > 0 {
			t.Errorf("%s shows %s, %d dialogs", svg, name, dialogs)
		}
	}
	shots.do(ctx, "try what the policy forbids", chromedp.Navigate(fileURL(out, "n")),
		chromedp.Evaluate(`new Promise(done => {
			let stopped = 0;
			document.addEventListener("securitypolicyviolation", () => stopped++);
			document.body.insertAdjacentHTML("beforeend", "<img src='https://x.example/a.png' onerror='alert(1)'><iframe src='data:text/html,a'></iframe><a id=run href='javascript:alert(1)'>a</a><object data='a'></object>");
			const script = document.createElement("script");
			script.textContent = "alert(1)";
			document.body.append(script);
			document.getElementById("run").click();
			setTimeout(() => done(stopped), 1000);
		})`, &stopped, awaitPromise))
	if stopped < 5 || dialogs > 0 {
		t.Errorf("the policy stopped %d of 6, and %d dialogs opened", stopped, dialogs)
	}
}

// Pages say that outputs may be of other code than is shown, where that can be told, and
// that it is not known, where it cannot.
func TestPagesTellOldOutputs(t *testing.T) {
	doc := func(code, ran string) *document {
		s := sourceOf(t, t.TempDir(), "n", markdownCell("# T\n\nx"), map[string]any{"cell_type": "code", "source": code, "outputs": []any{}, "execution_count": 1})
		d := s.doc
		d.Metadata.Ran.Code = ran
		return d
	}
	of := doc("a", "").codeHash()
	for _, test := range []struct {
		doc        *document
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
	b := ready(t)
	out := filepath.Join(t.TempDir(), "site")
	s := storedSource(filepath.Join(t.TempDir(), "n.ipynb"), "n", doc("b", of))
	if err := writeSite(t.Context(), &place{root: t.TempDir()}, b.tools, []source{s}, out, "p", newDisplay(os.Stdout)); err != nil {
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
	b := ready(t)
	var sources []source
	var says []string
	folder := t.TempDir()
	makePipe(t, filepath.Join(folder, "pipe.png"))
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
		sources = append(sources, sourceOf(t, folder, fmt.Sprintf("n%d", len(sources)), markdownCell("# T\n\n"+text)))
	}
	_, err := makePages(t.Context(), b.tools, sources)
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
	path := storedNotebook(t, folder, "n", "![p](pipe.png)")
	if printed, _, err := runProgram(t, "..", "publish", "-html-only", "-o", site, path); err == nil || exists(site) || !strings.Contains(printed, "nothing is published:\nn.ipynb: ") {
		t.Errorf("%v, there is a site: %t\n%s", err, exists(site), printed)
	}
}

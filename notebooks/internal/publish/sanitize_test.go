package publish

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/setup"
)

// hostile is HTML that an outsider's notebook may hold, in Markdown or in an output, and
// what the page has of it.
var hostile = []struct{ name, html, want string }{
	{"a script", `<script>alert(1)</script>`, ``},
	{"a script, open", `<script>alert(1)`, ``},
	{"a script, nested", `<scr<script>ipt>alert(1)</script>`, `ipt&gt;alert(1)`},
	{"JSON with an end of script", `<script type="application/json">{"a":"</script><b onfocus=alert(1)>c</b>"}</script>`, `<b>c</b>"}`},
	{"events", `<p onclick="alert(1)" ONLOAD=alert(1) onx>a</p>`, `<p>a</p>`},
	{"a link that runs", `<a href="javascript:alert(1)">a</a>`, `a`},
	{"a link that runs, hidden", `<a href=" java&#10;script&colon;alert(1)">a</a>`, `a`},
	{"a link to data", `<a href="data:text/html,<script>alert(1)</script>">a</a>`, `a`},
	{"a link to a file", `<a href="file:///etc/passwd">a</a> <a href="/etc/passwd">b</a> <a href="../x">c</a>`, `a b c`},
	{"links", `<a href="https://example.org/?a=1&amp;b">a</a> <a href="mailto:a@b.org">b</a>`, `<a href="https://example.org/?a=1&amp;b">a</a> <a href="mailto:a@b.org">b</a>`},
	{"frames and forms", `<iframe src="https://x"></iframe><object data="x"></object><embed src="x"><form action="https://x"><input name=a><button>b</button></form>`, `b`},
	{"the page's head", `<base href="https://x"><meta http-equiv="refresh" content="0;url=https://x"><link rel=stylesheet href=https://x><title>t</title><style>*{display:none}</style>a`, `a`},
	{"what fetches", `<video src="x" poster="y"></video><audio src=x></audio><p background="x">a</p><table background="x"><tr><td>b</td></tr></table>`,
		`<p>a</p><div class="scroll"><table><tbody><tr><td>b</td></tr></tbody></table></div>`},
	{"SVG and MathML", `<svg onload=alert(1)><a xlink:href="javascript:alert(1)"></a></svg><math><mtext></mtext><style><b onfocus=alert(1)></b></style></math>a`, `a`},
	{"what parsers differ on", `<noscript><p title="</noscript><b onfocus=alert(1)>c</b>"></noscript>a`, ``},
	{"a template", `<template><script>alert(1)</script></template><xmp><script></xmp><plaintext>a`, ``},
	{"comments", `<!--[if IE]><script>alert(1)</script><![endif]--><!-- a -->a`, `a`},
	{"styles that cover", `<div style="position:fixed;top:0;left:0;z-index:9;width:100%;margin-top:-900px;color:red">a</div>`, `<div style="width:100%;color:red;">a</div>`},
	{"styles that load", `<p style="background:url(https://x);background-image:url(x);color:red">a</p>`, `<p style="color:red;">a</p>`},
	{"styles, escaped", `<p style="background:u\72l(https://x);colo&#114;:&#114;ed;width:expression(alert(1))">a</p>`, `<p style="color:red;">a</p>`},
	{"classes and ids of the page", `<p class="skip zoom" id="theme">a</p><dialog id="zoomed" open>b</dialog>`, "<p>a</p>\nb"},
	{"ends of the page's elements", `</div></div></div></main>a`, `a`},
	{"what steers terminals", "a\x1b]0;t\x07\u009bb", `ab`},
	{"a table", `<table border="1"><thead><tr><th colspan="2">a</th></tr></thead><tbody><tr><td style="text-align:right">1</td><td>2</td></tr></tbody></table>`,
		`<div class="scroll"><table border="1"><thead><tr><th colspan="2">a</th></tr></thead><tbody><tr><td style="text-align:right;">1</td><td>2</td></tr></tbody></table></div>`},
	{"progress", `<div style="font-family:sans-serif;font-size:13px;line-height:1.5"><progress style="width:100%" aria-label="train" value="3" max="10"></progress></div>`,
		`<div style="font-family:sans-serif;font-size:13px;line-height:1.5;"><progress aria-label="train" max="10" style="width:100%;" value="3"></progress></div>`},
	{"formulas", `$a &lt; b_1$ and <em>c</em> &amp; <code>d</code>`, `$a &lt; b_1$ and <em>c</em> &amp; <code>d</code>`},
}

// between is what is between two marks in a text, trimmed.
func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return strings.TrimSpace(text)
}

func TestHostileHTML(t *testing.T) {
	tools := pageTools(t)
	var cells []map[string]any
	for i, h := range hostile {
		// Marks of text around it show that it ends nothing of the page.
		cells = append(cells, notebooktest.Output(map[string]any{"text/html": fmt.Sprintf("<p>begin %d</p>%s", i, h.html)}), notebooktest.Markdown(fmt.Sprintf("end %d", i)))
	}
	pages, err := makePages(t.Context(), tools, []source{sourceOf(t, t.TempDir(), "n", cells...)})
	if err != nil {
		t.Fatal(err)
	}
	body := string(pages[0].Body)
	for i, h := range hostile {
		part := between(body, fmt.Sprintf("<p>begin %d</p>", i), fmt.Sprintf("<p>end %d</p>", i))
		got := strings.TrimSpace(strings.Split(part, "</div>\n</div>\n</div>\n</div>\n</div>")[0])
		if h.want == "" && !strings.ContainsAny(got, "<=") || got == h.want {
			continue
		}
		t.Errorf("%s: %s\nbecomes\n%s\nnot\n%s", h.name, h.html, got, h.want)
	}
	for _, word := range []string{"<script", "javascript:", "onerror=", "onclick", "onload", "<iframe", "<style", "https://x", "\x1b", "\u009b"} {
		if strings.Contains(strings.ToLower(body), word) {
			t.Errorf("the page holds %q", word)
		}
	}
	if len(pages[0].LeftOut) < 10 {
		t.Errorf("left out: %q", pages[0].LeftOut)
	}
}

// The same HTML in Markdown, in all kinds of outputs and in a notebook's details comes to
// nothing either.
func TestHostileNotebook(t *testing.T) {
	tools := pageTools(t)
	cells := []map[string]any{
		notebooktest.Markdown("# T<script>alert(1)</script>\n\n**What you will see.** Sum <img src=x onerror=alert(1)>."),
		notebooktest.Markdown("## <b onclick=alert(1)>Head</b> [l](javascript:alert(1)) <a title='><img src=y onerror=alert(1)>'>x</a>\n\n| a |\n|---|\n| <script>alert(1)</script> |"),
		{"cell_type": "raw", "source": "<script>alert(1)</script>", "metadata": map[string]any{"raw_mimetype": "text/html"}},
		{"cell_type": "code", "source": "<script>alert(1)</script>", "execution_count": 1, "metadata": map[string]any{"tags": []any{`"><script>alert(1)</script>`}}, "outputs": []any{
			map[string]any{"output_type": "stream", "name": "stdout", "text": "<script>alert(1)</script>\x1b]0;t\x07\x1b[31mred\x1b[0m"},
			map[string]any{"output_type": "error", "ename": "<script>", "evalue": "<script>", "traceback": []any{"\x1b[31m<script>alert(1)</script>"}},
			map[string]any{"output_type": "display_data", "data": map[string]any{"image/png": base64.StdEncoding.EncodeToString(notebooktest.Image(t, ".png"))},
				"metadata": map[string]any{"image/png": map[string]any{"width": "1 onerror=alert(1)", "height": `"><script>alert(1)</script>`, "alt": `"><script>alert(1)</script>`}}},
		}},
		notebooktest.Output(map[string]any{"application/javascript": "alert(1)", "text/plain": "plain"}),
		notebooktest.Output(map[string]any{"text/x-\nPublished elsewhere\u202e" + strings.Repeat("x", 1000): "x"}),
		notebooktest.Output(map[string]any{"application/vnd.jupyter.widget-view+json": map[string]any{"model_id": "</script><script>alert(1)</script>"}}),
		notebooktest.Output(map[string]any{"text/markdown": "<script>alert(1)</script>[a](javascript:alert(1))"}),
		notebooktest.Output(map[string]any{"text/latex": `$\href{javascript:alert(1)}{x}$<script>alert(1)</script>`}),
		notebooktest.Output(map[string]any{"image/svg+xml": notebooktest.SVGRoot + "<script>alert(1)</script><rect/></svg>"}),
	}
	s := sourceOf(t, t.TempDir(), "n", cells...)
	if _, err := makePages(t.Context(), tools, []source{s}); err == nil || !strings.Contains(err.Error(), `the picture "x" is no file`) {
		t.Errorf("a picture in a sentence that is no picture: %v", err)
	}
	cells[0] = notebooktest.Markdown("# T<script>alert(1)</script>\n\n**What you will see.** Sum <script>alert(1)</script>.")
	s = sourceOf(t, t.TempDir(), "n", cells...)
	out := filepath.Join(t.TempDir(), "site")
	var said bytes.Buffer
	if err := Site(t.Context(), &setup.Workspace{Root: t.TempDir()}, tools, []source{s}, out, "p", display.New(&said)); err != nil {
		t.Fatal(err)
	}
	if lines := said.String(); strings.Contains(lines, "\nPublished elsewhere") || !strings.Contains(lines, `text/x-\nPublished elsewhere\u202e`) || len(lines) > 2000 {
		t.Errorf("it says\n%s", lines)
	}
	for _, name := range []string{"n.html", "index.html"} {
		raw, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		page := strings.ToLower(string(raw))
		for _, word := range []string{"<script>", "alert(1)</script", "href=\"javascript", "onerror=", "<img src=y", "\x1b"} {
			if strings.Contains(strings.ReplaceAll(page, "&lt;script&gt;alert(1)&lt;/script", ""), word) {
				t.Errorf("%s holds %q", name, word)
			}
		}
		if !strings.Contains(page, `<meta http-equiv="content-security-policy" content="default-src 'none'; script-src 'self';`) {
			t.Errorf("%s has no policy", name)
		}
	}
	svg, err := os.ReadFile(filepath.Join(out, "figures", "n-2.svg"))
	if err != nil || string(svg) != notebooktest.SVGRoot+"<rect></rect></svg>" {
		t.Errorf("the SVG is %s (%v)", svg, err)
	}
}

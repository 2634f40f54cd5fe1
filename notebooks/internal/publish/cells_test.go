package publish

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
	"ngebm/plots/table"
)

// A table of package table is on its page whole, in a box that scrolls, and set-up cells are
// folded: not those with a type, which is to be read, nor those with outputs.
func TestTablesAndSetup(t *testing.T) {
	tools := pageTools(t)
	tbl := table.New("means of <3> seeds", "", "accuracy")
	tbl.Add("a & b", .5)
	html, err := tbl.HTML()
	if err != nil {
		t.Fatal(err)
	}
	code := func(source string, outputs ...any) map[string]any {
		return map[string]any{"cell_type": "code", "source": source, "execution_count": 1, "metadata": map[string]any{}, "outputs": append([]any{}, outputs...)}
	}
	pages, err := makePages(t.Context(), tools, []source{sourceOf(t, t.TempDir(), "n",
		notebooktest.Markdown("# T\n\nx"), notebooktest.Output(map[string]any{"text/html": html}),
		code("import \"fmt\"\n\nvar a = 1"), code("type net struct{}"), code("%%\nf()", map[string]any{"output_type": "stream", "name": "stdout", "text": "x"}))})
	if err != nil {
		t.Fatal(err)
	}
	body := string(pages[0].Body)
	for part, want := range map[string]int{
		`<div class="scroll"`: 1, "means of &lt;3&gt; seeds": 2, `scope="col"`: 1, `<th scope="row"`: 1, "a &amp; b": 2, "Copy as CSV or LaTeX": 1,
		`<details class="setup"><summary>Set-up: 3 lines of code</summary>`: 1, "Set-up:": 1,
	} {
		if got := strings.Count(body, part); got != want {
			t.Errorf("%d of %s, want %d", got, part, want)
		}
	}
	if len(pages[0].LeftOut) > 0 {
		t.Errorf("left out: %v", pages[0].LeftOut)
	}
}

// A formula stays on one line with the parenthesis before it and the punctuation after it.
func TestFormulasKeepTogether(t *testing.T) {
	for text, want := range map[string]string{
		"of ($x$, y)": `of <span class="together">($x$,</span> y)`,
		"of ($x$ y)":  `of <span class="together">($x$</span> y)`,
		"of $x$.":     `of <span class="together">$x$.</span>`,
		"of $x$ y":    "of $x$ y",
		"($x) y":      "($x) y",
	} {
		pages, err := makePages(t.Context(), pageTools(t), []source{sourceOf(t, t.TempDir(), "n", notebooktest.Markdown("# T\n\n"+text))})
		if err != nil {
			t.Fatal(err)
		}
		if body := string(pages[0].Body); !strings.Contains(body, "<p>"+want+"</p>") {
			t.Errorf("%q: not %q in\n%s", text, want, body)
		}
	}
}

// MathJax is for pages with formulas, however they are written; marks in code are none.
func TestHasFormulas(t *testing.T) {
	var sources []source
	texts := map[string]bool{
		"of $x$": true, `\begin{align}x\end{align}`: true, `of \\(x\\)`: true, `\\[x\\]`: true,
		"of x": false, "of `$x$`": false, "    echo $HOME": false,
	}
	order := slices.Sorted(maps.Keys(texts))
	for i, text := range order {
		sources = append(sources, sourceOf(t, t.TempDir(), fmt.Sprint("n", i), notebooktest.Markdown("# T\n\n"+text)))
	}
	pages, err := makePages(t.Context(), pageTools(t), sources)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range order {
		if pages[i].Formulas != texts[text] {
			t.Errorf("%q has formulas: %v in\n%s", text, pages[i].Formulas, pages[i].Body)
		}
	}
}

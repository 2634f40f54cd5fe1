package table

import (
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
)

// Text returns the table in columns that a font with letters of one width aligns, the caption
// in a line above it.
func (t *Table) Text() (string, error) {
	if t.err != nil {
		return "", t.err
	}
	lines := append([][]string{t.columns}, t.rows...)
	widths, numeric := make([]int, len(t.columns)), t.numeric()
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	var b strings.Builder
	if t.caption != "" {
		fmt.Fprintln(&b, t.caption)
	}
	for _, line := range lines {
		var padded strings.Builder
		for i, cell := range line {
			space := strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell))
			if numeric[i] {
				cell = space + cell
			} else {
				cell += space
			}
			if i > 0 {
				padded.WriteString("  ")
			}
			padded.WriteString(cell)
		}
		fmt.Fprintln(&b, strings.TrimRight(padded.String(), " "))
	}
	return b.String(), nil
}

// CSV returns the table without its caption (RFC 4180, but with line breaks of Unix).
func (t *Table) CSV() (string, error) { return t.csv(), t.err }

func (t *Table) csv() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.WriteAll(append([][]string{t.columns}, t.rows...)) // a strings.Builder does not fail
	return b.String()
}

// LaTeX returns a tabular of package booktabs, the caption in a comment above it.
func (t *Table) LaTeX() (string, error) { return t.latex(), t.err }

func (t *Table) latex() string {
	var b strings.Builder
	if t.caption != "" {
		fmt.Fprintf(&b, "%% %s\n", t.caption)
	}
	b.WriteString(`\begin{tabular}{`)
	for _, n := range t.numeric() {
		b.WriteString(side(n)[:1])
	}
	b.WriteString("}\n\\toprule\n")
	line := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(latexText.Replace(cell))
		}
		b.WriteString(" \\\\\n")
	}
	line(t.columns)
	b.WriteString("\\midrule\n")
	for _, row := range t.rows {
		line(row)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	return b.String()
}

// latexText escapes what means something in LaTeX, and writes the signs of our tables that
// pdfTeX's fonts do not have.
var latexText = strings.NewReplacer(
	`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `_`, `\_`, `%`, `\%`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `[`, `{[}`, `]`, `{]}`, `<`, `$<$`, `>`, `$>$`, `|`, `$|$`,
	"α", `$\alpha$`, "β", `$\beta$`, "γ", `$\gamma$`, "ε", `$\varepsilon$`, "η", `$\eta$`, "λ", `$\lambda$`, "μ", `$\mu$`, "σ", `$\sigma$`,
	"±", `$\pm$`, "−", `$-$`, "×", `$\times$`, "∞", `$\infty$`, "∂", `$\partial$`, "‖", `$\Vert$`, "≤", `$\le$`, "≥", `$\ge$`, "→", `$\to$`,
	"²", `$^2$`, "…", `\ldots{}`, "–", "--",
)

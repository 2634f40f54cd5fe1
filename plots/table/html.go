package table

import (
	"fmt"
	"html"
	"strings"
)

// Styles of the HTML. They are inline, since a published page and JupyterLab keep no style
// sheet of an output, and colors are those around the table, whether light or dark. The
// header stays in sight while the rows scroll, the names of rows while the columns do.
const (
	boxStyle     = "overflow:auto;max-height:80vh"
	tableStyle   = "border-collapse:collapse;margin:0;table-layout:auto;font-variant-numeric:tabular-nums"
	ground       = "background:var(--jp-layout-color0,Canvas)"
	captionStyle = "display:inline-block;position:sticky;left:0;max-width:90vw"
	headStyle    = "position:sticky;top:0;z-index:1;vertical-align:bottom;" + ground
	rowStyle     = "position:sticky;left:0;min-width:7em;text-align:left;font-weight:normal;" + ground
)

// HTML returns the table as an element of HTML without script: a table with a caption, the
// scopes of its headers, and, folded below it, the same as CSV and LaTeX, each of which is
// selected by one click.
func (t *Table) HTML() (string, error) {
	if t.err != nil {
		return "", t.err
	}
	numeric := t.numeric()
	var b strings.Builder
	fmt.Fprintf(&b, `<div style="%s"><table style="%s">`, boxStyle, tableStyle)
	if t.caption != "" {
		fmt.Fprintf(&b, `<caption style="caption-side:top;text-align:left"><span style="%s">%s</span></caption>`, captionStyle, html.EscapeString(t.caption))
	}
	b.WriteString("\n<thead><tr>")
	for i, name := range t.columns {
		if i == 0 && name == "" { // a header without words is none
			fmt.Fprintf(&b, `<td style="%s;left:0"></td>`, headStyle)
			continue
		}
		fmt.Fprintf(&b, `<th scope="col" style="%s;text-align:%s">%s</th>`, headStyle, side(numeric[i]), html.EscapeString(name))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range t.rows {
		fmt.Fprintf(&b, `<tr><th scope="row" style="%s">%s</th>`, rowStyle, html.EscapeString(row[0]))
		for i, cell := range row[1:] {
			space := "" // sentences wrap
			if numeric[i+1] {
				space = ";white-space:nowrap"
			}
			fmt.Fprintf(&b, `<td style="text-align:%s%s">%s</td>`, side(numeric[i+1]), space, html.EscapeString(cell))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table></div>\n")
	return b.String() + t.copies(), nil
}

// copies is the folded part, to be copied.
func (t *Table) copies() string {
	pre := func(name, content string) string {
		// HTML drops a line break right after <pre>, so that one is written.
		return fmt.Sprintf("<p>%s</p><pre style=\"user-select:all\">\n%s</pre>", name, html.EscapeString(content))
	}
	return `<details><summary>Copy as CSV or LaTeX</summary>` + pre("CSV", t.csv()) + pre("LaTeX (booktabs)", t.latex()) + "</details>"
}

func side(numeric bool) string {
	if numeric {
		return "right"
	}
	return "left"
}

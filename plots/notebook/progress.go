package notebook

import (
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui"

	"ngebm/data/progress"
	"ngebm/plots"
)

// Reporter returns what shows progress best: [Live] in a notebook; elsewhere, on out,
// a bar if that is a terminal, else a line every so often.
func Reporter(out *os.File) progress.Reporter {
	if gonbui.IsNotebook {
		return Live()
	}
	return progress.ForTerminal(out)
}

// Live returns a Reporter for a notebook. It has one output in the cell that runs: a bar with
// speed and time left, a table of the terms and small charts of how they went, renewed at most
// twice a second. A finished task leaves one line there, as does a notice; many lines are
// folded. A notebook that is executed without a browser keeps just these.
func Live() progress.Reporter {
	return &live{send: gonbui.UpdateHTML, sync: gonbui.Sync, id: "progress-" + gonbui.UniqueId()}
}

// How much of a task's Elapsed goes by between two updates.
const (
	textEvery  = 500 * time.Millisecond
	chartEvery = 2 * time.Second
	chartShare = 30 // drawing may take up 1/chartShare of the time
)

// live throttles by the reports' own clock, as package progress does.
type live struct {
	send func(id, html string) // replaces the output of that name
	sync func()                // waits until what was sent is shown

	id    string
	lines []string // that stay, as HTML
	outer *task    // encloses the others; nil without one
	inner *task    // at work; nil between tasks
}

// task is what is shown of one.
type task struct {
	last      progress.Report
	nextText  time.Duration
	nextChart time.Duration
	curves    []*curve
	events    []float64 // units done where something happened
	chart     string    // an img element, or empty
}

// Report implements [progress.Reporter].
func (l *live) Report(r progress.Report) {
	switch {
	case r.Unit == "" && r.Finished:
		l.notice(r)
	case r.Encloses:
		l.endInner()
		if l.outer != nil && l.outer.last.Task != r.Task {
			l.leave(l.outer.line()) // it ended without a Finished report
			l.outer = nil
		}
		l.show(&l.outer, r)
	default:
		if l.inner != nil && l.inner.last.Task != r.Task {
			l.endInner() // so did this one
		}
		l.show(&l.inner, r)
	}
}

// show enters a report of the task in a slot, which is nil before the first and after the last.
func (l *live) show(slot **task, r progress.Report) {
	if *slot == nil {
		*slot = &task{}
	}
	t := *slot
	due := r.Elapsed >= t.nextText || r.Part != t.last.Part
	t.last = r
	t.record()
	switch {
	case r.Finished:
		*slot = nil
		l.leave(t.line())
		l.render()
		l.sync() // what has not reached GoNB when the cell ends is lost
	case due:
		if r.Elapsed >= t.nextChart {
			began := time.Now()
			t.chart = chart(t.curves, t.events, r.Unit)
			t.nextChart = r.Elapsed + max(chartEvery, chartShare*time.Since(began))
		}
		t.nextText = r.Elapsed + textEvery
		l.render()
	}
}

// notice leaves a line about an event in the task at hand (a report that is finished but
// counts nothing), and marks it in the charts to come, unless it is quiet.
func (l *live) notice(r progress.Report) {
	line := html.EscapeString(r.Task)
	if !r.Quiet {
		line = "⚠ " + line
		if l.inner != nil {
			l.inner.events = append(l.inner.events, float64(l.inner.last.Done))
			l.inner.nextChart = 0
		}
	}
	l.leave(line)
	l.render()
	l.sync()
}

// endInner ends the task at hand, which had no Finished report. One that has all units done
// still gets that, after the task that comes now, such as the last evaluation of a training.
func (l *live) endInner() {
	if l.inner == nil {
		return
	}
	if r := l.inner.last; r.Total <= 0 || r.Done < r.Total {
		l.leave(l.inner.line())
	}
	l.inner = nil
}

// leave adds a line that stays, once.
func (l *live) leave(line string) {
	if line != "" && !slices.Contains(l.lines, line) {
		l.lines = append(l.lines, line)
	}
}

// More than maxLines are folded, and of those at most maxFolded are kept.
const (
	maxLines  = 4
	maxFolded = 500
)

// render sends the lines and the tasks at work.
func (l *live) render() {
	var b strings.Builder
	fmt.Fprintf(&b, `<div style="%s;max-width:%dpx">`, fontCSS, outputWidth)
	n := len(l.lines)
	if n > maxLines {
		warnings := 0
		for _, line := range l.lines {
			if strings.HasPrefix(line, "⚠") {
				warnings++
			}
		}
		fmt.Fprintf(&b, `<details><summary>%d lines`, n)
		if warnings > 0 {
			fmt.Fprintf(&b, `, %d ⚠`, warnings)
		}
		fmt.Fprintf(&b, `; the last: %s</summary>`, l.lines[n-1])
	}
	for _, line := range l.lines[max(0, n-maxFolded):] {
		fmt.Fprintf(&b, `<div>%s</div>`, line)
	}
	if n > maxLines {
		b.WriteString(`</details>`)
	}
	for _, t := range []*task{l.outer, l.inner} {
		if t != nil {
			b.WriteString(t.picture())
		}
	}
	b.WriteString(`</div>`)
	l.send(l.id, b.String())
}

// record keeps the terms for the charts.
func (t *task) record() {
	for _, term := range t.last.Terms {
		i := slices.IndexFunc(t.curves, func(c *curve) bool { return c.name == term.Name })
		if i < 0 {
			i = len(t.curves)
			t.curves = append(t.curves, &curve{name: term.Name, stride: 1})
		}
		t.curves[i].add(float64(t.last.Done), term.Value)
	}
}

// line is what a task leaves: nothing where it only said what was happening.
func (t *task) line() string {
	line := html.EscapeString(t.last.String())
	switch {
	case t.last.Unit == "":
		return ""
	case t.last.Finished && (t.last.Total <= 0 || t.last.Done >= t.last.Total):
		return "✓ " + line
	}
	return line
}

// outputWidth is the width of a notebook's output in a browser's pixels, that of figures.
const outputWidth = 768

const fontCSS = "font-family:sans-serif;font-size:13px;line-height:1.5"

// picture is the display of a task at work. All styles are inline, as a notebook
// takes away any other, and no color is set, as its background may be dark.
func (t *task) picture() string {
	r := t.last
	var b strings.Builder
	fmt.Fprintf(&b, `<div><b>%s</b></div>`, html.EscapeString(r.Title()))
	if r.Unit != "" {
		value := "" // an indeterminate bar
		if f, ok := r.Fraction(); ok {
			value = fmt.Sprintf(` value="%.4f"`, f)
		}
		fmt.Fprintf(&b, `<progress style="width:100%%" aria-label="%s"%s></progress>`, html.EscapeString(r.Task), value)
		state := []string{r.Amount()}
		if speed := r.Speed(); speed != "" {
			state = append(state, speed)
		}
		if eta, ok := r.ETA(); ok {
			state = append(state, progress.Duration(eta)+" left")
		}
		fmt.Fprintf(&b, `<div>%s</div>`, html.EscapeString(strings.Join(state, " · ")))
	}
	if len(r.Terms) > 0 {
		const cell = ` style="text-align:left;padding:0 16px 0 0;font-variant-numeric:tabular-nums;min-width:80px"`
		var names, values strings.Builder
		for _, term := range r.Terms {
			fmt.Fprintf(&names, `<th%s>%s</th>`, cell, html.EscapeString(term.Name))
			fmt.Fprintf(&values, `<td%s>%s</td>`, cell, html.EscapeString(term.Text()))
		}
		fmt.Fprintf(&b, `<table style="border-collapse:collapse;margin:6px 0"><tr>%s</tr><tr>%s</tr></table>`, names.String(), values.String())
	}
	b.WriteString(t.chart)
	return b.String()
}

// maxPoints is how many points of a curve are kept.
const maxPoints = 1200

// curve is how a term went so far, in a bounded number of points: when there are
// too many, every second one goes, and from then on only every second comes.
type curve struct {
	name         string
	x, y         []float64
	seen, stride int
}

// add takes the next point. One before others means that the task was rolled
// back: those after it are dropped.
func (c *curve) add(x, y float64) {
	for n := len(c.x); n > 0 && c.x[n-1] >= x; n-- {
		c.x, c.y = c.x[:n-1], c.y[:n-1]
	}
	if c.seen%c.stride == 0 {
		c.x, c.y = append(c.x, x), append(c.y, y)
	}
	c.seen++
	if len(c.x) < maxPoints {
		return
	}
	for i := range len(c.x) / 2 {
		c.x[i], c.y[i] = c.x[2*i], c.y[2*i]
	}
	c.x, c.y = c.x[:len(c.x)/2], c.y[:len(c.y)/2]
	c.stride *= 2
}

// chart draws the curves as an img element; empty while there is nothing to draw.
func chart(curves []*curve, events []float64, unit string) string {
	var terms []plots.Term
	for _, c := range curves {
		terms = append(terms, plots.Term{Name: c.name, X: c.x, Y: c.y})
	}
	f, err := plots.Terms(unit, events, terms...)
	if err != nil {
		return "" // no term has two points yet
	}
	img, err := HTML(f, 2*screenDPI)
	if err != nil {
		return "" // a missing chart is no reason to stop training
	}
	return img
}

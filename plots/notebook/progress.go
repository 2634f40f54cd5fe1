package notebook

import (
	"fmt"
	"html"
	"os"
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

// Live returns a Reporter for a notebook: in the output of the cell that runs, a
// bar with speed and time left, a table of the terms and small charts of how
// they went, renewed at most twice a second. A finished task leaves one line. A
// notebook that is executed without a browser keeps just that.
func Live() progress.Reporter {
	return &live{
		send:  gonbui.UpdateHTML,
		sync:  gonbui.Sync,
		newID: func() string { return "progress-" + gonbui.UniqueId() },
	}
}

// How much of a task's Elapsed goes by between two updates.
const (
	textEvery  = 500 * time.Millisecond
	chartEvery = 2 * time.Second
	chartShare = 30 // drawing may take up 1/chartShare of the time
)

// live throttles by the reports' own clock, as package progress does.
type live struct {
	send  func(id, html string) // replaces the output of that name
	sync  func()                // waits until what was sent is shown
	newID func() string

	id        string // the output of the task at hand; empty between tasks
	last      progress.Report
	shown     bool // last has been sent
	nextText  time.Duration
	nextChart time.Duration
	curves    []*curve
	events    []float64 // units done where something happened in the task
	chart     string    // an img element, or empty
}

// Report implements [progress.Reporter].
func (l *live) Report(r progress.Report) {
	if r.Unit == "" && r.Finished {
		if r.Quiet {
			l.leave(l.newID(), html.EscapeString(r.Task))
		} else {
			l.happened(r.Task)
		}
		return
	}
	if l.id != "" && r.Task != l.last.Task {
		l.end() // the task before ended without a Finished report
	}
	if l.id == "" {
		*l = live{send: l.send, sync: l.sync, newID: l.newID, id: l.newID()}
	}
	l.last, l.shown = r, false
	l.record(r)
	switch {
	case r.Finished:
		l.end()
	case r.Elapsed >= l.nextText:
		if r.Elapsed >= l.nextChart {
			began := time.Now()
			l.chart = chart(l.curves, l.events, r.Unit)
			l.nextChart = r.Elapsed + max(chartEvery, chartShare*time.Since(began))
		}
		l.send(l.id, l.picture())
		l.shown = true
		l.nextText = r.Elapsed + textEvery
	}
}

// happened leaves a line that stays, about an event in the task at hand (a report that
// is finished but counts nothing), and marks it in the charts to come.
func (l *live) happened(what string) {
	l.leave(l.newID(), "⚠ "+html.EscapeString(what))
	if l.id != "" {
		l.events = append(l.events, float64(l.last.Done))
		l.nextChart = 0
	}
}

// record keeps the terms for the charts.
func (l *live) record(r progress.Report) {
	for _, term := range r.Terms {
		i := 0
		for i < len(l.curves) && l.curves[i].name != term.Name {
			i++
		}
		if i == len(l.curves) {
			l.curves = append(l.curves, &curve{name: term.Name, stride: 1})
		}
		l.curves[i].add(float64(r.Done), term.Value)
	}
}

// end leaves one line in place of the task's display, and nothing where it only
// said what was happening.
func (l *live) end() {
	line := l.last.String()
	switch {
	case l.last.Unit == "":
		line = ""
	case l.last.Finished && (l.last.Total <= 0 || l.last.Done >= l.last.Total):
		line = "✓ " + line
	}
	l.leave(l.id, html.EscapeString(line))
	l.id = ""
}

// leave leaves a line that stays, also where the cell ends right after it: what has not
// reached GoNB then is lost.
func (l *live) leave(id, line string) {
	l.send(id, `<div style="`+fontCSS+`">`+line+`</div>`)
	l.sync()
}

// outputWidth is the width of a notebook's output in a browser's pixels, that of figures.
const outputWidth = 768

const fontCSS = "font-family:sans-serif;font-size:13px;line-height:1.5"

// picture is the display of a task at work. All styles are inline, as a notebook
// takes away any other, and no color is set, as its background may be dark.
func (l *live) picture() string {
	r := l.last
	var b strings.Builder
	fmt.Fprintf(&b, `<div style="%s;max-width:%dpx">`, fontCSS, outputWidth)
	fmt.Fprintf(&b, `<div><b>%s</b></div>`, html.EscapeString(r.Task))
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
	b.WriteString(l.chart)
	b.WriteString(`</div>`)
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

package plots

import (
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// event is something that happened in a run, as a figure shows it.
type event struct {
	at   float64 // epoch, or step where epochs are not known
	text string  // with the run's name and the step
}

// eventsOf lists what happened in the runs, one after the other.
func eventsOf(runs []Run) []event {
	var all []event
	for _, r := range runs {
		for _, e := range r.History.Events {
			text := e.What
			if step := fmt.Sprintf("step %d", e.Step); !strings.Contains(text, step) {
				text = step + ": " + text
			}
			if len(runs) > 1 && r.Name != "" {
				text = r.Name + ": " + text
			}
			all = append(all, event{epoch(r.History, e.Step), text})
		}
	}
	return all
}

// stopNotes says which runs ended before their time, and why, where no event does.
func stopNotes(runs []Run) []string {
	var notes []string
	for _, r := range runs {
		h := r.History
		if n := len(h.Events); h.Stopped != "" && (n == 0 || !strings.Contains(h.Events[n-1].What, h.Stopped)) {
			notes = append(notes, strings.TrimPrefix(r.Name+" stopped: ", " ")+h.Stopped)
		}
	}
	return notes
}

// waitNote says which share of the time runs waited for batches, and is empty where
// no cost is known.
func waitNote(runs []Run) string {
	var parts []string
	for _, r := range runs {
		if r.Cost.Seconds > 0 && finite(r.Cost.Seconds) && finite(r.Cost.DataWait) {
			part := fmt.Sprintf("%.2g %% of %.3g s", 100*r.Cost.DataWait/r.Cost.Seconds, r.Cost.Seconds)
			if len(runs) > 1 {
				part = strings.TrimSpace(r.Name + " " + part)
			}
			parts = append(parts, part)
		}
	}
	if parts == nil {
		return ""
	}
	return "Waiting for data: " + strings.Join(parts, ", ") + "."
}

// note is a line of text below a history.
type note struct {
	text  string
	style text.Style
	color color.Color
}

// historyNotes are the lines below a history in a width: events with their numbers,
// runs that stopped, and the wait for data.
func historyNotes(runs []Run, events []event, width vg.Length) []note {
	style := textStyle(labelSize, false)
	var notes []note
	add := func(s string, like text.Style, c color.Color) {
		for _, line := range wrap(s, width, like.Width) {
			notes = append(notes, note{line, like, c})
		}
	}
	for i, e := range events {
		add(fmt.Sprintf("%d: %s", i+1, e.text), style, alarm)
	}
	for _, s := range stopNotes(runs) {
		add(s, style, alarm)
	}
	add(waitNote(runs), textStyle(tickSize, false), ink)
	return notes
}

// eventLines draws a dashed line at each event, with its number at the top, beside
// the numbers of others that are there.
type eventLines []event

// Plot implements [plot.Plotter].
func (events eventLines) Plot(c draw.Canvas, p *plot.Plot) {
	trX, _ := p.Transforms(&c)
	style := textStyle(tickSize, true)
	style.Color = alarm
	line := draw.LineStyle{Color: alarm, Width: thinWidth, Dashes: []vg.Length{3, 2}}
	var taken []vg.Length // the left edges of the numbers so far
	for i, e := range events {
		x := trX(e.at)
		if x < c.Min.X || x > c.Max.X {
			continue
		}
		c.StrokeLine2(line, x, c.Min.Y, x, c.Max.Y)
		number := strconv.Itoa(i + 1)
		width := style.Width(number) + 3
		left := min(x+2, c.Max.X-width)
		for slices.ContainsFunc(taken, func(other vg.Length) bool { return left < other+width && other < left+width }) {
			left -= width // to the left, as the line of a set-back is
		}
		taken = append(taken, left)
		c.FillText(style, vg.Point{X: left, Y: c.Max.Y - tickSize*1.2}, number)
	}
}

package plots

import (
	"cmp"
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

// event is an event of a run, as a figure shows it.
type event struct {
	at   float64 // epoch, or step where epochs are not known
	text string  // with the run's name and the step

	before int // while they are put in order, the index of the same run's event before
}

// eventsOf lists the events of the runs by place, from left to right. A
// rollback is left of the event that it followed, whose number its text gives.
func eventsOf(runs []Run) []event {
	var all []event
	for _, r := range runs {
		before := -1 // the run's event before, in all
		for _, e := range r.History.Events {
			text := e.What
			if step := fmt.Sprintf("step %d", e.Step); !strings.Contains(text, step) {
				text = step + ": " + text
			}
			if len(runs) > 1 && r.Name != "" {
				text = r.Name + ": " + text
			}
			all = append(all, event{epoch(r.History, e.Step), text, before})
			before = len(all) - 1
		}
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(all[i].at, all[j].at) })
	sorted := make([]event, len(all))
	for number, i := range order {
		sorted[number] = all[i]
		if later := slices.Index(order, all[i].before); later > number {
			sorted[number].text += fmt.Sprintf(" (after %d)", later+1)
		}
	}
	return sorted
}

// stopNotes describes which runs ended early, and why, where no event does.
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

// accuracyNote writes the accuracy of runs that were evaluated once, at the end.
func accuracyNote(runs []Run) string {
	var parts []string
	for _, r := range runs {
		for _, e := range r.History.Evaluations {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %.3f (%s)", r.Name, e.Accuracy, e.Split)))
		}
	}
	if parts == nil {
		return ""
	}
	return "Accuracy: " + strings.Join(parts, ", ") + "."
}

// timeNote writes how long training took, and which part of it was spent waiting for
// batches if that is a twentieth or more. It is empty where no cost is known.
func timeNote(runs []Run) string {
	var parts []string
	for _, r := range runs {
		if r.Cost.Seconds > 0 && finite(r.Cost.Seconds) && finite(r.Cost.DataWait) {
			part := fmt.Sprintf("%.3g s", r.Cost.Seconds)
			if len(runs) > 1 {
				part = strings.TrimSpace(r.Name + " " + part)
			}
			if share := r.Cost.DataWait / r.Cost.Seconds; share >= .05 {
				part += fmt.Sprintf(" (%.0f %% of it waiting for data)", 100*share)
			}
			parts = append(parts, part)
		}
	}
	if parts == nil {
		return ""
	}
	return "Time to train: " + strings.Join(parts, ", ") + "."
}

// note is a line of text below a history.
type note struct {
	text  string
	style text.Style
	color color.Color
}

// historyNotes are the lines below a history in a width: events with their numbers,
// runs that stopped, accuracies that have no panel, and the time.
func historyNotes(runs []Run, events []event, width vg.Length) []note {
	style := textStyle(labelSize, false)
	var notes []note
	add := func(s string, like text.Style, c color.Color) {
		for _, line := range wrap(s, width, like.Width) {
			notes = append(notes, note{line, like, c})
		}
	}
	for i, e := range events {
		add(fmt.Sprintf("%d: %s", i+1, e.text), style, errorColor)
	}
	for _, s := range stopNotes(runs) {
		add(s, style, errorColor)
	}
	if evaluatedOnce(runs) {
		add(accuracyNote(runs), textStyle(tickSize, false), foreground)
	}
	add(timeNote(runs), textStyle(tickSize, false), foreground)
	return notes
}

// eventLines draws a dashed line at each event, with its number at the top, next to
// the numbers of others at that place.
type eventLines []event

// Plot implements [plot.Plotter].
func (events eventLines) Plot(c draw.Canvas, p *plot.Plot) {
	trX, _ := p.Transforms(&c)
	style := textStyle(tickSize, true)
	style.Color = errorColor
	line := draw.LineStyle{Color: errorColor, Width: thinWidth, Dashes: []vg.Length{3, 2}}
	var taken []vg.Length                       // the left edges of the numbers so far
	for i, e := range slices.Backward(events) { // so that a later number stays to the right
		x := trX(e.at)
		if x < c.Min.X || x > c.Max.X {
			continue
		}
		c.StrokeLine2(line, x, c.Min.Y, x, c.Max.Y)
		number := strconv.Itoa(i + 1)
		width := style.Width(number) + 3
		left := min(x+2, c.Max.X-width)
		for slices.ContainsFunc(taken, func(other vg.Length) bool { return left < other+width && other < left+width }) {
			left -= width
		}
		taken = append(taken, left)
		c.FillText(style, vg.Point{X: left, Y: c.Max.Y - tickSize*1.2}, number)
	}
}

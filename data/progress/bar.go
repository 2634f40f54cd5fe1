package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ngebm/data/plain"
)

// redraw is the part of a task's Elapsed between two drawings of its bar.
const redraw = 100 * time.Millisecond

// Bar returns a Reporter for a terminal: each task gets its name on a line and
// a bar below it, with units done, speed, time left and terms, cut to the
// terminal's width (to 100 columns where w is not a terminal).
func Bar(w io.Writer) Reporter { return &bar{w: w} }

// ForTerminal returns a Reporter for w: a bar if it is a terminal, otherwise a line every ten seconds,
// because a bar would fill a log with carriage returns.
func ForTerminal(w *os.File) Reporter {
	if term.IsTerminal(int(w.Fd())) {
		return Bar(w)
	}
	return Lines(w, 10*time.Second)
}

// bar draws with schollz/progressbar, and writes speed and time left itself:
// that library counts from zero, which is wrong for a run that was resumed.
type bar struct {
	w    io.Writer
	last Report
	next time.Duration            // Elapsed from which the next picture is due
	line *progressbar.ProgressBar // nil between tasks
}

// Report implements [Reporter].
func (b *bar) Report(r Report) {
	if b.line != nil && r.Title() != b.last.Title() {
		b.end()
	}
	if b.line == nil && (r.Unit != "" || r.Title() != b.last.Title()) {
		fmt.Fprintln(b.w, plain.Text(r.Title()))
	}
	if r.Unit == "" { // a notice
		b.last = r
		return
	}
	fresh := b.line == nil || r.Total != b.last.Total
	if fresh {
		if b.line != nil {
			b.line.Clear()
		}
		b.line = b.newLine(r.Total)
	}
	b.last = r
	if fresh || r.Finished || r.Elapsed >= b.next {
		b.draw()
		b.next = r.Elapsed + redraw
	}
	if r.Finished {
		b.end()
	}
}

// newLine returns an empty bar for a total, 0 where that is not known.
func (b *bar) newLine(total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionSetWidth(barColumns),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowTotalBytes(false),
		progressbar.OptionSetSpinnerChangeInterval(0), // else it draws from a goroutine that never ends
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: " ", BarStart: "|", BarEnd: "|"}),
	)
}

const (
	barColumns  = 20
	sideColumns = barColumns + 12 // percentage, ends, spaces, and one column free so that no terminal wraps
)

// draw paints the latest report. The text goes first: a full bar accepts no more text.
func (b *bar) draw() {
	b.line.Describe(cut(plain.Text(b.last.state()), b.columns()-sideColumns))
	done := b.last.Done
	if b.last.Total > 0 {
		done = min(done, b.last.Total)
	}
	b.line.Set64(done)
}

// end keeps the bar as drawn and starts a new line.
func (b *bar) end() {
	b.draw()
	fmt.Fprintln(b.w)
	b.line, b.next = nil, 0
}

// columns is the width that may be drawn on.
func (b *bar) columns() int {
	if f, ok := b.w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 100
}

// cut shortens a text to at most n columns, with an ellipsis.
func cut(text string, n int) string {
	if uniseg.StringWidth(text) <= n {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && uniseg.StringWidth(string(runes)) > n-1 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

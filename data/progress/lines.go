package progress

import (
	"fmt"
	"io"
	"time"
)

// Lines returns a Reporter for a log: one line to w per interval of a task's Elapsed, and one for each
// task's last report. A report without unit is a notice and is written immediately.
func Lines(w io.Writer, every time.Duration) Reporter {
	return &lines{w: w, every: every}
}

// lines throttles by the reports' own clock, so what it writes depends on the
// reports alone.
type lines struct {
	w     io.Writer
	every time.Duration
	last  Report        // the latest report of the task at hand
	shown bool          // last has been written
	next  time.Duration // Elapsed from which the next line is due
}

// Report implements [Reporter].
func (l *lines) Report(r Report) {
	if r.Title() != l.last.Title() {
		l.flush() // the task before ended without a Finished report
		l.next = l.every
	} else if r.Unit == "" {
		return // the same notice again
	}
	l.last, l.shown = r, false
	if r.Finished || r.Unit == "" || r.Elapsed >= l.next {
		l.flush()
		l.next = r.Elapsed + l.every
	}
	if r.Finished {
		l.last, l.shown = Report{}, true // the same task may run again
		l.next = l.every
	}
}

// flush writes the latest report unless it was written. A log that cannot be written must not stop the
// work, so errors are ignored.
func (l *lines) flush() {
	if l.shown || l.last.String() == "" {
		return
	}
	fmt.Fprintln(l.w, l.last.String())
	l.shown = true
}

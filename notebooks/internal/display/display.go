// Package display shows one piece of work at a time: in a terminal as a line that is kept up
// to date, elsewhere as lines of a log.
package display

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"ngebm/data/plain"
	"ngebm/notebooks/internal/printable"
)

// Display shows one piece of work at a time: what it is, how long it has taken
// and what it is waiting for. A terminal gets one line that is kept up to date;
// anything else (a log, a pipe) gets a line at the end, and before it, where the
// work takes longer than a moment, one at its start and one every heartbeat.
type Display struct {
	out       io.Writer
	terminal  bool
	heartbeat time.Duration
	ETA       func() string // what is still to come after the task and in all; may be nil

	mu     sync.Mutex
	task   string
	detail string // the last line that the work itself printed
	start  time.Time
	stop   chan struct{}
	ended  chan struct{}
}

// New shows work on out, a terminal or not.
func New(out io.Writer) *Display {
	d := &Display{out: out, heartbeat: 10 * time.Second}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		d.terminal = true
		d.heartbeat = 200 * time.Millisecond
	}
	return d
}

// Say prints a separate line.
func (d *Display) Say(format string, args ...any) {
	fmt.Fprintln(d.out, printable.Plain(fmt.Sprintf(format, args...)))
}

// Begin starts showing a task. It ends with done.
func (d *Display) Begin(task string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.task, d.detail, d.start = task, "", time.Now()
	d.stop, d.ended = make(chan struct{}), make(chan struct{})
	go d.keepUp(d.stop, d.ended)
}

func (d *Display) keepUp(stop, ended chan struct{}) {
	defer close(ended)
	next := time.NewTimer(min(d.heartbeat, time.Second))
	defer next.Stop()
	for {
		select {
		case <-stop:
			return
		case <-next.C:
			d.mu.Lock()
			detail := d.detail
			if d.ETA != nil {
				detail = strings.TrimSpace(d.ETA() + "  " + detail)
			}
			line := strings.TrimSpace(fmt.Sprintf("%s … %s  %s", d.task, elapsed(d.start), detail))
			d.mu.Unlock()
			if d.terminal {
				fmt.Fprint(d.out, "\r"+fit(plain.Text(line), d.out)+"\x1b[K")
			} else {
				d.Say("%s", line)
			}
			next.Reset(d.heartbeat)
		}
	}
}

// Done ends the task with its outcome ("ready", "failed").
func (d *Display) Done(outcome string) {
	close(d.stop)
	<-d.ended
	if d.terminal {
		fmt.Fprint(d.out, "\r\x1b[K")
	}
	d.Say("%s: %s in %s", d.task, outcome, elapsed(d.start))
}

// Write takes what the work prints: its last line is shown as what is being
// waited for.
func (d *Display) Write(p []byte) (int, error) {
	lines := bytes.Split(bytes.TrimSpace(p), []byte("\n"))
	if last := strings.TrimSpace(string(lines[len(lines)-1])); last != "" {
		d.mu.Lock()
		d.detail = printable.Shorten(last)
		d.mu.Unlock()
	}
	return len(p), nil
}

// elapsed gives the time since start as a person would say it: 0.4s, 12s, 3m20s.
func elapsed(start time.Time) time.Duration {
	t := time.Since(start)
	if t < 10*time.Second {
		return t.Round(100 * time.Millisecond)
	}
	return t.Round(time.Second)
}

// fit cuts a line to the width of the terminal, so that it never wraps.
func fit(line string, out io.Writer) string {
	width := 80
	if f, ok := out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			width = w
		}
	}
	if runes := []rune(line); len(runes) >= width {
		return string(runes[:width-1])
	}
	return line
}

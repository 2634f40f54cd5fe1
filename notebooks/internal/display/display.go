// Package display shows work that is going on: in a terminal as a line that is kept up to
// date, elsewhere as lines of a log.
package display

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
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
// Concurrent work has several displays, which share the line.
type Display struct {
	screen *screen

	task   string
	detail string // the last line that the work itself printed
	start  time.Time
	stop   chan struct{}
	ended  chan struct{}
}

// screen is what the displays of concurrent work share.
type screen struct {
	terminal  bool
	heartbeat time.Duration

	mu     sync.Mutex // for what follows, and for the tasks of its displays
	out    io.Writer
	ahead  func() string // what is still to come in all; may be nil
	active []*Display    // with a task
}

// New shows work on out, a terminal or not.
func New(out io.Writer) *Display {
	s := &screen{out: out, heartbeat: 10 * time.Second}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.terminal = true
		s.heartbeat = 200 * time.Millisecond
	}
	return &Display{screen: s}
}

// Another returns a display for concurrent work.
func (d *Display) Another() *Display { return &Display{screen: d.screen} }

// Ahead has displays say with each task what is still to come in all; nil ends that.
func (d *Display) Ahead(say func() string) {
	d.screen.mu.Lock()
	defer d.screen.mu.Unlock()
	d.screen.ahead = say
}

// Say prints a separate line.
func (d *Display) Say(format string, args ...any) {
	d.screen.mu.Lock()
	defer d.screen.mu.Unlock()
	d.screen.say(fmt.Sprintf(format, args...))
}

// say prints a line in place of the one that is kept up to date.
func (s *screen) say(line string) {
	if s.terminal {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	fmt.Fprintln(s.out, printable.Plain(line))
}

// Begin starts showing a task. It ends with done.
func (d *Display) Begin(task string) {
	d.screen.mu.Lock()
	defer d.screen.mu.Unlock()
	d.task, d.detail, d.start = task, "", time.Now()
	d.stop, d.ended = make(chan struct{}), make(chan struct{})
	d.screen.active = append(d.screen.active, d)
	go d.keepUp(d.stop, d.ended)
}

func (d *Display) keepUp(stop, ended chan struct{}) {
	defer close(ended)
	next := time.NewTimer(min(d.screen.heartbeat, time.Second))
	defer next.Stop()
	for {
		select {
		case <-stop:
			return
		case <-next.C:
			d.screen.update(d)
			next.Reset(d.screen.heartbeat)
		}
	}
}

// update shows how far the work is: on a terminal all of it, else what one display shows.
func (s *screen) update(one *Display) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ahead := ""
	if s.ahead != nil {
		ahead = s.ahead()
	}
	if !s.terminal {
		s.say(one.line(ahead))
		return
	}
	line := s.active[0].line(ahead)
	if len(s.active) > 1 {
		line = ahead
		for _, d := range s.active {
			line += "  " + d.line("")
		}
	}
	fmt.Fprint(s.out, "\r"+fit(plain.Text(strings.TrimSpace(line)), s.out)+"\x1b[K")
}

func (d *Display) line(ahead string) string {
	detail := strings.TrimSpace(ahead + "  " + d.detail)
	return strings.TrimSpace(fmt.Sprintf("%s … %s  %s", d.task, elapsed(d.start), detail))
}

// Done ends the task with its outcome ("ready", "failed").
func (d *Display) Done(outcome string) {
	close(d.stop)
	<-d.ended
	d.screen.mu.Lock()
	defer d.screen.mu.Unlock()
	d.screen.active = slices.DeleteFunc(d.screen.active, func(one *Display) bool { return one == d })
	d.screen.say(fmt.Sprintf("%s: %s in %s", d.task, outcome, elapsed(d.start)))
}

// Write takes what the work prints: its last line is shown as what is being
// waited for.
func (d *Display) Write(p []byte) (int, error) {
	lines := bytes.Split(bytes.TrimSpace(p), []byte("\n"))
	if last := strings.TrimSpace(string(lines[len(lines)-1])); last != "" {
		d.screen.mu.Lock()
		d.detail = printable.Shorten(last)
		d.screen.mu.Unlock()
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

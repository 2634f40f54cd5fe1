// Package progress is the interface through which long work reports its progress: a bar in a terminal,
// lines in a log, a live figure in a notebook.
package progress

import "time"

// Term is a named number to watch, such as one term of the loss.
type Term struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Report is the state of a task at one moment.
type Report struct {
	Task  string // name of the task, "train moons-ngebm-1f2e3d4c" or "download cifar-10-binary.tar.gz"
	Done  int64  // units done so far
	Total int64  // total units; 0 if unknown
	Unit  string // "steps", "images", "bytes"
	// Start is the value of Done when this process started: above 0 after a resume, so that speed and ETA count only this process's work.
	Start   int64
	Elapsed time.Duration // since this process started the task
	// Preparing describes what happens before the first unit, such as "compiling"; Prepared is
	// the part of Elapsed until that unit was done. Until the task ends, speed and ETA count
	// from there. Empty and 0 if nothing has to be prepared.
	Preparing string
	Prepared  time.Duration
	Terms     []Term // current values, in a fixed order
	// Finished is set in a task's last report, whether it reached Total or not.
	Finished bool
	// Quiet marks a report without unit about something ordinary.
	Quiet bool
	// Encloses marks a task of which others are parts: they are reported between its reports.
	// Part names the one that comes next, such as "jem, seed 2".
	Encloses bool
	Part     string
}

// Title is the task with its part: "sweep digits, next: jem, seed 2".
func (r Report) Title() string {
	if r.Part == "" {
		return r.Task
	}
	return r.Task + ", next: " + r.Part
}

// ETA is the expected remaining time at the average speed so far, and false while it is unknown.
func (r Report) ETA() (time.Duration, bool) {
	done, took := r.work()
	if r.Total <= 0 || done <= 0 || took <= 0 {
		return 0, false
	}
	return time.Duration(float64(took) / float64(done) * float64(r.Total-r.Done)), true
}

// work is the units that this process did and the time that they took. Until the task has finished it
// excludes the preparation and the first unit.
func (r Report) work() (done int64, took time.Duration) {
	done, took = r.Done-r.Start, r.Elapsed
	if r.Prepared > 0 && !r.Finished {
		done, took = done-1, took-r.Prepared
	}
	return done, took
}

// Reporter shows reports. Work calls it as often as it likes, from one goroutine at a time; a Reporter
// throttles its output and must not block.
type Reporter interface {
	Report(Report)
}

// Discard ignores all reports.
type Discard struct{}

// Report implements [Reporter].
func (Discard) Report(Report) {}

// Examples returns a function that reports how many of a number of examples are done, once
// the task has taken more than a second: less is not worth a line.
func Examples(r Reporter, task string, total int) func(done int) {
	began := time.Now()
	return func(done int) {
		if elapsed := time.Since(began); elapsed > time.Second {
			r.Report(Report{
				Task: task, Unit: "examples", Done: int64(done), Total: int64(total),
				Elapsed: elapsed, Finished: done == total,
			})
		}
	}
}

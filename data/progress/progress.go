// Package progress is the one small interface through which long work says how
// far it is: a bar in a terminal, lines in a log, a live figure in a notebook.
package progress

import "time"

// Term is a named figure worth watching, such as one term of the loss.
type Term struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Report is the state of one task at one moment.
type Report struct {
	Task  string // what is being done, "train moons-ngebm-1f2e3d4c" or "download cifar-10-binary.tar.gz"
	Done  int64  // units done so far
	Total int64  // units in all; 0 where that is not known
	Unit  string // "steps", "images", "bytes"
	// Start is the value of Done when this process took the task up: above
	// zero after a resume, so that speed and ETA count only this process's work.
	Start   int64
	Elapsed time.Duration // since this process took the task up
	// Preparing says what happens before the first unit, such as "compiling", and
	// Prepared is what of Elapsed had passed when that unit was done: until the end,
	// speed and ETA count from there. Empty and 0 where nothing has to be prepared.
	Preparing string
	Prepared  time.Duration
	Terms     []Term // figures of the moment, in a fixed order
	// Finished is set in a task's last report, whether it reached Total or not.
	Finished bool
	// Quiet marks a report without unit that reports nothing out of the ordinary.
	Quiet bool
}

// ETA is the expected time to the end at the average speed so far, and false
// while that is unknown.
func (r Report) ETA() (time.Duration, bool) {
	done, took := r.work()
	if r.Total <= 0 || done <= 0 || took <= 0 {
		return 0, false
	}
	return time.Duration(float64(took) / float64(done) * float64(r.Total-r.Done)), true
}

// work is the units that this process did and the time that they took: all of it
// once the task has finished, before that without what was prepared and its unit.
func (r Report) work() (done int64, took time.Duration) {
	done, took = r.Done-r.Start, r.Elapsed
	if r.Prepared > 0 && !r.Finished {
		done, took = done-1, took-r.Prepared
	}
	return done, took
}

// Reporter shows reports. Work calls it as often as it likes, from one
// goroutine at a time; a Reporter throttles what it shows and must not block.
type Reporter interface {
	Report(Report)
}

// Discard shows nothing.
type Discard struct{}

// Report implements [Reporter].
func (Discard) Report(Report) {}

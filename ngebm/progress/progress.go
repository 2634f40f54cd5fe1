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
	Terms   []Term        // figures of the moment, in a fixed order
	// Finished is set in a task's last report, whether it reached Total or not.
	Finished bool
}

// ETA is the expected time to the end at the average speed so far, and false
// while that cannot be told.
func (r Report) ETA() (time.Duration, bool) {
	done := r.Done - r.Start
	if r.Total <= 0 || done <= 0 || r.Elapsed <= 0 {
		return 0, false
	}
	return time.Duration(float64(r.Elapsed) / float64(done) * float64(r.Total-r.Done)), true
}

// Reporter shows reports. Work calls it as often as it likes, from one
// goroutine at a time; a Reporter throttles what it shows and must not block.
type Reporter interface {
	Report(Report)
}

// Silent shows nothing.
type Silent struct{}

// Report implements [Reporter].
func (Silent) Report(Report) {}

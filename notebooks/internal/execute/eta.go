package execute

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"ngebm/data/progress"
)

// ETA says how long the notebooks that are still to run will take: as long as they
// took the last time, at the speed at which those before them went now.
type ETA struct {
	mu      sync.Mutex
	jobs    int // notebooks at once
	runs    []ExpectedRun
	planned time.Duration // expected and taken by those that have run
	taken   time.Duration
}

// ExpectedRun is a notebook's.
type ExpectedRun struct {
	Took  time.Duration // the last time, 0 if it never ran here
	Alone bool          // no other runs while it does

	begun time.Time // zero before that
	ended bool
}

// unknown is what a notebook is expected to take that never ran here.
const unknown = time.Minute

// NewETA expects notebooks that begin in this order, up to jobs at a time.
func NewETA(jobs int, runs []ExpectedRun) *ETA {
	f := &ETA{jobs: max(1, min(jobs, len(runs))), runs: slices.Clone(runs)}
	for i := range f.runs {
		if f.runs[i].Took <= 0 {
			f.runs[i].Took = unknown
		}
	}
	return f
}

// Begin and End enclose the run of notebook i.
func (f *ETA) Begin(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs[i].begun = time.Now()
}

// End returns how long notebook i took.
func (f *ETA) End(i int) (took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	run := &f.runs[i]
	took, run.ended = time.Since(run.begun), true
	f.planned += run.Took
	f.taken += took
	return took
}

// String is "(1 of 6 notebooks done, about 3 min 05 s left)", or empty when all are.
func (f *ETA) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	done := 0
	for _, run := range f.runs {
		if run.ended {
			done++
		}
	}
	if done == len(f.runs) {
		return ""
	}
	about := "longer than the last time"
	if left := f.left(time.Now()); left > 0 {
		about = fmt.Sprintf("about %s left", progress.Duration(left))
	}
	return fmt.Sprintf("(%d of %d notebooks done, %s)", done, len(f.runs), about)
}

// left is the time to the end: each notebook that is to run begins where one ends first. One
// that has taken longer than expected is about to end, and slows those after it.
func (f *ETA) left(now time.Time) time.Duration {
	planned, taken := f.planned, f.taken
	for _, run := range f.runs {
		if running := now.Sub(run.begun); !run.begun.IsZero() && !run.ended && running > run.Took {
			planned, taken = planned+run.Took, taken+running
		}
	}
	speed := 1.
	if planned > 0 {
		speed = float64(taken) / float64(planned)
	}
	lanes := make([]time.Duration, f.jobs)
	for _, run := range f.runs {
		if run.ended {
			continue
		}
		left := time.Duration(speed * float64(run.Took))
		if !run.begun.IsZero() {
			left = max(0, left-now.Sub(run.begun))
		}
		slices.Sort(lanes)
		if run.Alone {
			all := lanes[len(lanes)-1] + left
			for i := range lanes {
				lanes[i] = all
			}
			continue
		}
		lanes[0] += left
	}
	return slices.Max(lanes)
}

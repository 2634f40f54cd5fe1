package execute

import (
	"fmt"
	"sync"
	"time"

	"ngebm/data/progress"
)

// ETA says how long the notebooks that are still to run will take: as long as they
// took the last time, at the speed at which those before them went now.
type ETA struct {
	mu       sync.Mutex
	expected []time.Duration // of each notebook
	at       int             // the one that runs
	begun    time.Time
	planned  time.Duration // expected and taken by those that have run
	taken    time.Duration
}

// unknown is what a notebook is expected to take that never ran here.
const unknown = time.Minute

func (f *ETA) Add(expected time.Duration) {
	if expected <= 0 {
		expected = unknown
	}
	f.expected = append(f.expected, expected)
}

// Begin and end enclose the run of each notebook.
func (f *ETA) Begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = time.Now()
}

func (f *ETA) End() (took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned += f.expected[f.at]
	took = time.Since(f.begun)
	f.taken += took
	f.at++
	return took
}

// String is "notebook 2 of 6, about 3 min 05 s left in all".
func (f *ETA) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at >= len(f.expected) {
		return ""
	}
	left, overdue := f.left(time.Since(f.begun))
	about := fmt.Sprintf("about %s left in all", progress.Duration(left))
	switch last := f.at+1 == len(f.expected); {
	case overdue && last:
		about = "longer than the last time"
	case overdue:
		about = fmt.Sprintf("longer than the last time, about %s left after it", progress.Duration(left))
	}
	return fmt.Sprintf("(notebook %d of %d, %s)", f.at+1, len(f.expected), about)
}

// left is the time to the end when the notebook that runs has taken that long. Where
// that is more than expected, it is the time of those after it, at the speed seen now.
func (f *ETA) left(running time.Duration) (left time.Duration, overdue bool) {
	speed := 1.
	if f.planned > 0 {
		speed = float64(f.taken) / float64(f.planned)
	}
	scale := func(d time.Duration) time.Duration { return time.Duration(speed * float64(d)) }
	if left = scale(f.expected[f.at]) - running; left < 0 {
		left, overdue = 0, true
		speed = float64(f.taken+running) / float64(f.planned+f.expected[f.at])
	}
	for _, later := range f.expected[f.at+1:] {
		left += scale(later)
	}
	return left, overdue
}

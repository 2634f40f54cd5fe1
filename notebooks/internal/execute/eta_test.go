package execute

import (
	"math"
	"testing"
	"time"
)

// What is left is what the notebooks took the last time, at the speed of those that have run.
func TestETA(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	f := NewETA(1, []ExpectedRun{{Took: time.Minute}, {}, {Took: 2 * time.Minute}})
	check := func(when string, want time.Duration) {
		t.Helper()
		if got := f.left(now); got.Round(time.Second) != want {
			t.Errorf("%s: %v, not %v", when, got, want)
		}
	}
	f.runs[0].begun = ago(20 * time.Second)
	check("at first", 40*time.Second+unknown+2*time.Minute)
	f.runs[0].ended, f.planned, f.taken = true, time.Minute, 2*time.Minute // a machine half as fast
	f.runs[1].begun = ago(30 * time.Second)
	check("then", 90*time.Second+4*time.Minute)
	// Two minutes and ten for the two that ran or are taken for one each: six times as long.
	f.runs[1].begun = ago(10 * time.Minute)
	check("overdue", 12*time.Minute)
	f.runs[1].ended, f.planned, f.taken = true, 2*time.Minute, 2*time.Minute
	f.runs[2].begun = now
	if got, want := f.String(), "(2 of 3 notebooks done, about 2 min 00 s left)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	f.runs[2].begun = ago(time.Hour)
	if got, want := f.String(), "(2 of 3 notebooks done, longer than the last time)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	f.End(2)
	if got := f.String(); got != "" {
		t.Errorf("at the end %q", got)
	}
}

// Several at once: each that waits begins where one ends first, one that runs alone when all
// have ended.
func TestETAOfSeveral(t *testing.T) {
	now := time.Now()
	f := NewETA(2, []ExpectedRun{{Took: 3 * time.Minute}, {Took: time.Minute}, {Took: time.Minute}, {Took: 2 * time.Minute}, {Took: 5 * time.Minute, Alone: true}})
	f.runs[0].begun, f.runs[1].begun = now, now
	if got, want := f.left(now), 9*time.Minute; got != want { // 3 beside 1+1+2, and 5
		t.Errorf("%v, not %v", got, want)
	}
	if got, want := NewETA(math.MaxInt, f.runs[:3]).left(now), 3*time.Minute; got != want { // more jobs than there are notebooks
		t.Errorf("all at once: %v, not %v", got, want)
	}
}

package execute

import (
	"testing"
	"time"
)

// What is left is what the notebooks took the last time, at the speed of those that have run.
func TestForecast(t *testing.T) {
	f := &ETA{}
	for _, last := range []time.Duration{time.Minute, 0, 2 * time.Minute} {
		f.Add(last)
	}
	if got, _ := f.left(20 * time.Second); got != 40*time.Second+unknown+2*time.Minute {
		t.Errorf("at first %v", got)
	}
	f.at, f.planned, f.taken = 1, time.Minute, 2*time.Minute // a machine half as fast
	if got, _ := f.left(30 * time.Second); got != 90*time.Second+4*time.Minute {
		t.Errorf("then %v", got)
	}
	// Two minutes and ten for the two that ran or are taken for one each: six times as long.
	if got, overdue := f.left(10 * time.Minute); got != 12*time.Minute || !overdue {
		t.Errorf("overdue %v, %v", got, overdue)
	}
	f.at = 2
	if got, overdue := f.left(10 * time.Minute); got != 0 || !overdue {
		t.Errorf("overdue at the end %v, %v", got, overdue)
	}
	f.Begin()
	if got, want := f.String(), "(notebook 3 of 3, about 4 min 00 s left in all)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	f.begun = f.begun.Add(-time.Hour)
	if got, want := f.String(), "(notebook 3 of 3, longer than the last time)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	f.End()
	if got := f.String(); got != "" {
		t.Errorf("at the end %q", got)
	}
}

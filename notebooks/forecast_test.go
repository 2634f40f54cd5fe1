package main

import (
	"testing"
	"time"
)

func TestToldTime(t *testing.T) {
	for said, want := range map[string]time.Duration{
		"About a minute on a laptop with two cores, seconds when you run it again.": time.Minute,
		"About a minute and a half on a laptop, half of that after 03.":             90 * time.Second,
		"Two minutes.":         2 * time.Minute,
		"About half a minute.": 30 * time.Second,
		"20 seconds.":          20 * time.Second,
		"Not long.":            0,
	} {
		doc := &document{Cells: []cell{{Kind: "markdown", Source: text("# T\n\n" + timeLead + " " + said)}}}
		if got := toldTime(doc); got != want {
			t.Errorf("%q: %v, not %v", said, got, want)
		}
	}
}

// What is left is what the notebooks say, at the speed of those that have run.
func TestForecast(t *testing.T) {
	f := &forecast{}
	for _, said := range []time.Duration{time.Minute, 0, 2 * time.Minute} {
		f.add(said)
	}
	if got, _ := f.left(20 * time.Second); got != 40*time.Second+untold+2*time.Minute {
		t.Errorf("at first %v", got)
	}
	f.at, f.told, f.taken = 1, time.Minute, 2*time.Minute // a machine half as fast as they say
	if got, _ := f.left(30 * time.Second); got != 90*time.Second+4*time.Minute {
		t.Errorf("then %v", got)
	}
	// Two minutes and ten for the two that say or are taken for one each: six times as long.
	if got, overdue := f.left(10 * time.Minute); got != 12*time.Minute || !overdue {
		t.Errorf("overdue %v, %v", got, overdue)
	}
	f.at = 2
	if got, overdue := f.left(10 * time.Minute); got != 0 || !overdue {
		t.Errorf("overdue at the end %v, %v", got, overdue)
	}
	f.begin()
	if got, want := f.String(), "(notebook 3 of 3, about 4 min 00 s left in all)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	f.begun = f.begun.Add(-time.Hour)
	if got, want := f.String(), "(notebook 3 of 3, longer than it says)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	f.end()
	if got := f.String(); got != "" {
		t.Errorf("at the end %q", got)
	}
}

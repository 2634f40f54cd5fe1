package execute

import (
	"path/filepath"
	"testing"
	"time"
)

// The time that a notebook took is found again by its name.
func TestDurations(t *testing.T) {
	d := Durations{filepath.Join(t.TempDir(), "executed")}
	if got := d.Last("a/n.ipynb"); got != 0 {
		t.Errorf("before it ran: %v", got)
	}
	for _, took := range []time.Duration{time.Minute, 1500 * time.Millisecond} {
		if err := d.Record("a/n.ipynb", took); err != nil {
			t.Fatal(err)
		}
		if got := d.Last("b/n.ipynb"); got != took {
			t.Errorf("%v, not %v", got, took)
		}
	}
	if got := d.Last("other.ipynb"); got != 0 {
		t.Errorf("another one: %v", got)
	}
}

package ngebm

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// Who is stopped before the first step is told whether another process was waited for, and
// leaves the lock free.
func TestStoppedAtTheLock(t *testing.T) {
	r := &Run{Dir: t.TempDir()}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // the second finds the lock free
		if _, err := r.lock(ctx, func() { t.Error("it waits") }); !errors.Is(err, ErrStopped) || strings.Contains(err.Error(), "another process") {
			t.Fatalf("nobody holds the lock: %v", err)
		}
	}
	unlock, err := r.lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	if _, err := r.lock(ctx, cancel); !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), "while waiting for another process") {
		t.Errorf("another holds it: %v", err)
	}
}

package setup

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ngebm/notebooks/internal/display"
)

// What makes a folder of the cache runs once, is not seen half done, and is
// begun again after a failure or a kill.
func TestEnsure(t *testing.T) {
	d := display.New(io.Discard)
	folder := filepath.Join(t.TempDir(), "made")
	broken := errors.New("broken")
	if err := Ensure(t.Context(), folder, "a thing", d, fail(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("it is there after a failure")
	}
	if err := os.MkdirAll(filepath.Join(folder+".unfinished", "rest of a killed attempt"), 0o755); err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 4)
	count := make(chan struct{}, 4)
	for range 4 {
		go func() {
			d := display.New(io.Discard)
			made <- Ensure(t.Context(), folder, "a thing", d, once(count))
		}()
	}
	for range 4 {
		if err := <-made; err != nil {
			t.Error(err)
		}
	}
	if len(count) != 1 {
		t.Errorf("it was made %d times", len(count))
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 || entries[0].Name() != "content" {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

func fail(err error) func(context.Context, string) error {
	return func(context.Context, string) error { return err }
}

// once makes a file, slowly, and counts how often.
func once(count chan<- struct{}) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		count <- struct{}{}
		time.Sleep(200 * time.Millisecond)
		return os.WriteFile(filepath.Join(dir, "content"), nil, 0o644)
	}
}

package files

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// What someone can do to a file changes its identity, also where size and time are those
// of before.
func TestIdentity(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("this system does not tell")
	}
	for name, change := range map[string]func(path string) error{
		"written to": func(path string) error { return os.WriteFile(path, []byte("b"), 0o644) },
		"exchanged": func(path string) error {
			if err := os.WriteFile(path+".new", []byte("b"), 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"copied": func(path string) error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.WriteFile(path, content, 0o644)
		},
	} {
		path := filepath.Join(t.TempDir(), "file")
		put(t, path, "a")
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // longer than the disk's clock ticks
		if again, err := os.Stat(path); err != nil || Identity(again) != Identity(before) {
			t.Errorf("%s: untouched it is %v, %v", name, again, err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(path)
		if err != nil || Identity(after) == Identity(before) {
			t.Errorf("%s: it is %q as before, %v", name, Identity(after), err)
		}
		if !Mine(after) {
			t.Errorf("%s: it is not mine", name)
		}
	}
}

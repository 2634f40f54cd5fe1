package files

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A file that is made bit by bit goes on where it is ours; what else has its name is
// removed, and nothing that it leads to is touched.
func TestOwn(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "x.part"), filepath.Join(dir, "victim")
	put(t, victim, "precious")
	for _, c := range []struct {
		name string
		make func() error
		size int64
	}{
		{"nothing", func() error { return nil }, 0},
		{"our own", func() error { return os.WriteFile(path, []byte("abc"), 0o644) }, 3},
		{"a link", func() error { return os.Symlink(victim, path) }, 0},
		{"a link to nothing", func() error { return os.Symlink(filepath.Join(dir, "planted"), path) }, 0},
		{"a second name", func() error { return os.Link(victim, path) }, 0},
		{"a pipe", func() error { return syscall.Mkfifo(path, 0o666) }, 0},
		{"an empty folder", func() error { return os.Mkdir(path, 0o755) }, 0},
		{"another's file", func() error {
			if err := os.WriteFile(path, []byte("abc"), 0o666); err != nil {
				return err
			}
			if os.Geteuid() != 0 {
				t.Log("another's file: needs root")
				return os.Remove(path)
			}
			return os.Chown(path, 65534, 65534)
		}, 0},
	} {
		if err := c.make(); err != nil {
			t.Fatal(c.name, err)
		}
		if size, err := Own(path); err != nil || size != c.size {
			t.Errorf("%s: %d bytes, %v, want %d", c.name, size, err, c.size)
		}
		if c.size == 0 {
			if err := c.make(); err != nil {
				t.Fatal(c.name, err)
			}
		}
		file, err := OpenOwn(path, 0o644)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if info, err := file.Stat(); err != nil || info.Size() != c.size || !info.Mode().IsRegular() || !Mine(info) {
			t.Errorf("%s: opened %v, %v", c.name, info, err)
		}
		if _, err := file.WriteString("mine"); err != nil {
			t.Error(err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		if got, _ := os.ReadFile(victim); string(got) != "precious" {
			t.Fatalf("%s: the victim holds %q", c.name, got)
		}
		if _, err := os.Stat(filepath.Join(dir, "planted")); err == nil {
			t.Errorf("%s: a file was planted", c.name)
		}
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOwn(path, 0o644); err == nil || !strings.Contains(err.Error(), "in the way: remove it") {
		t.Errorf("a full folder: %v", err)
	}
}

//go:build linux

package compilecache

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newCache returns a cache in a new folder, and the path of the program "p" in it.
func newCache(t *testing.T) (c *Cache, name, path string) {
	t.Helper()
	c, err := New(t.TempDir(), "plugin")
	if err != nil {
		t.Fatal(err)
	}
	name = c.name([]byte("p"))
	return c, name, filepath.Join(c.dir, name)
}

func TestProgramIsReadAsWritten(t *testing.T) {
	c, name, path := newCache(t)
	if _, err := c.read(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder gives %v", err)
	}
	for _, program := range []string{"code", "", strings.Repeat("x", 1<<20)} { // each replaces the one before
		if err := c.write(name, []byte(program)); err != nil {
			t.Fatal(err)
		}
		got, err := c.read(name)
		if err != nil || string(got) != program {
			t.Errorf("%d bytes are read as %d, %v", len(program), len(got), err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := c.write(name, make([]byte, maxProgram)); err == nil {
		t.Error("a program beyond the limit is written")
	}
	if entries, err := os.ReadDir(c.dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// A name stands for a program and for all that its code depends on.
func TestNames(t *testing.T) {
	names := map[string]string{}
	add := func(what, name string) {
		if len(name) != 64 {
			t.Errorf("%s: %q", what, name)
		}
		for other, n := range names {
			if n == name {
				t.Errorf("%s has the name of %s", what, other)
			}
		}
		names[what] = name
	}
	dir := t.TempDir()
	named := func(parts []string, dependsOn ...string) string {
		c, err := New(dir, dependsOn...)
		if err != nil {
			t.Fatal(err)
		}
		var b [][]byte
		for _, p := range parts {
			b = append(b, []byte(p))
		}
		return c.name(b...)
	}
	program := []string{"mlir", "module", "options"}
	t.Setenv("XLA_FLAGS", "")
	add("a program", named(program, "plugin", "1 device"))
	if again := named(program, "plugin", "1 device"); again != names["a program"] {
		t.Error("the name is another the second time")
	}
	add("another program", named([]string{"mlir", "Module", "options"}, "plugin", "1 device"))
	add("parts that are cut elsewhere", named([]string{"mlir", "moduleo", "ptions"}, "plugin", "1 device"))
	add("another plugin", named(program, "Plugin", "1 device"))
	add("two devices", named(program, "plugin", "2 devices"))
	t.Setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
	add("a flag", named(program, "plugin", "1 device"))
	file := filepath.Join(dir, "flags")
	t.Setenv("XLA_FLAGS", file)
	for _, flags := range []string{"", "--xla_backend_optimization_level=0", "--xla_backend_optimization_level=1"} {
		if err := os.WriteFile(file, []byte(flags), 0o600); err != nil {
			t.Fatal(err)
		}
		add("a file with "+flags, named(program, "plugin", "1 device"))
	}
	t.Setenv("NPROC", "1")
	add("another number of cores", named(program, "plugin", "1 device"))
}

// What others could have written, and what is not as it was written, is not read; the next
// write puts things right.
func TestDamagedOrForeignFilesAreNotRead(t *testing.T) {
	content := func(change func(b []byte) []byte) func(path string) error {
		return func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, change(b), 0o600)
		}
	}
	moved := func(link func(old, path string) error) func(path string) error {
		return func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), link(path+".real", path))
		}
	}
	for what, damage := range map[string]func(path string) error{
		"the last bit":           content(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		"a bit of the checksum":  content(func(b []byte) []byte { b[len(magic)] ^= 1; return b }),
		"another format":         content(func(b []byte) []byte { b[len(magic)-2] = '2'; return b }),
		"a byte less":            content(func(b []byte) []byte { return b[:len(b)-1] }),
		"only the beginning":     content(func(b []byte) []byte { return b[:len(magic)+3] }),
		"no content":             content(func(b []byte) []byte { return nil }),
		"a byte more":            content(func(b []byte) []byte { return append(b, 0) }),
		"a program of that size": content(func(b []byte) []byte { return bytes.Repeat([]byte{0x90}, len(b)) }),
		"too many bytes":         func(path string) error { return os.Truncate(path, maxProgram+1) },
		"a group may write":      func(path string) error { return os.Chmod(path, 0o620) },
		"everyone may write":     func(path string) error { return os.Chmod(path, 0o602) },
		"a link":                 moved(os.Symlink),
		"another user's file": func(path string) error {
			if os.Geteuid() != 0 {
				return os.Remove(path) // only root can give a file away
			}
			return os.Chown(path, 65534, 65534)
		},
		"another program's file": func(path string) error {
			return os.WriteFile(path, seal(strings.Repeat("0", 64), []byte("code")), 0o600)
		},
	} {
		t.Run(what, func(t *testing.T) {
			c, name, path := newCache(t)
			if err := c.write(name, []byte("code")); err != nil {
				t.Fatal(err)
			}
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if got, err := c.read(name); err == nil {
				t.Fatalf("%q is read", got)
			}
			if err := c.write(name, []byte("code")); err != nil {
				t.Fatal(err)
			}
			if got, err := c.read(name); err != nil || string(got) != "code" {
				t.Errorf("after it is written again: %q, %v", got, err)
			}
		})
	}
	for what, in := range map[string]func(path string) error{
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(what, func(t *testing.T) {
			c, name, path := newCache(t)
			if err := in(path); err != nil {
				t.Fatal(err)
			}
			if _, err := c.read(name); err == nil {
				t.Error("it is read")
			}
			if err := c.write(name, []byte("code")); err == nil {
				t.Error("it is replaced")
			}
		})
	}
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	c, _, _ := newCache(t)
	hour := func(n int) time.Time { return time.Now().Add(time.Duration(n-100) * time.Hour) }
	put := func(file string, used int) {
		t.Helper()
		path := filepath.Join(c.dir, file)
		if err := errors.Join(os.WriteFile(path, make([]byte, 100), 0o600), os.Chtimes(path, hour(used), hour(used))); err != nil {
			t.Fatal(err)
		}
	}
	digit := func(n int) string { return strings.Repeat(fmt.Sprintf("%x", n), 64) }
	for n := range 8 {
		put(digit(n), n)
	}
	put("."+digit(8)+"1234567890123", 0)                // a killed writer's
	for n, name := range []string{"notes", "A", ".b"} { // not this package's
		put(name, -n)
	}
	if err := prune(c.dir, 900); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(c.dir); len(left) != 12 {
		t.Errorf("within the limit %d files are left, want all 12", len(left))
	}
	if err := prune(c.dir, 800); err != nil { // to 600
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		left = append(left, e.Name()[:1])
	}
	if got := strings.Join(left, ""); got != ".234567An" {
		t.Errorf("%s are left, want those used last and the three others", got)
	}

	// Reading a program is use of it.
	name := c.name([]byte("q"))
	if err := c.write(name, []byte("code")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.dir, name)
	if err := os.Chtimes(path, hour(0), hour(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.read(name); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("it was used at %v, %v", info.ModTime(), err)
	}
}

func FuzzUnseal(f *testing.F) {
	name := strings.Repeat("a", 64)
	f.Add([]byte(nil))
	f.Add([]byte(magic))
	f.Add(seal(name, []byte("code")))
	f.Fuzz(func(t *testing.T, content []byte) {
		program, err := unseal(name, content)
		if err == nil && !bytes.Equal(content, seal(name, program)) {
			t.Errorf("%q is read as %q", content, program)
		}
	})
}

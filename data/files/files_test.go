//go:build unix

package files

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// odd makes things in a folder that are not regular files, by what the error calls them.
func odd(t *testing.T, dir string) map[string]string {
	t.Helper()
	put(t, filepath.Join(dir, "target"), "secret")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "target", "away": "/etc/hosts", "zero": "/dev/zero", "dangling": "none"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return map[string]string{
		"pipe": "a named pipe", "link": "a symbolic link", "away": "a symbolic link", "zero": "a symbolic link",
		"dangling": "a symbolic link", "folder": "a folder", "socket": "a socket",
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// within fails the test if f takes longer than a second.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan bool)
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second):
		t.Fatalf("%s: not done after a second", what)
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	for name, called := range odd(t, dir) {
		path := filepath.Join(dir, name)
		within(t, name, func() {
			for _, read := range []func(string, int64) ([]byte, error){ReadFile, inOpened} {
				if b, err := read(path, 1<<20); err == nil || !strings.Contains(err.Error(), called) || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: read %q, %v; want an error that calls it %s", name, b, err, called)
				}
			}
		})
	}
	for _, name := range []string{"/dev/zero", "/dev/tty"} {
		for _, read := range []func(string, int64) ([]byte, error){ReadFile, ReadLinked} {
			if _, err := read(name, 1<<20); err == nil || !strings.Contains(err.Error(), "a device") && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func inOpened(path string, most int64) ([]byte, error) {
	f, err := OpenFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadFile(filepath.Base(path), most)
}

func TestAFileThatTheUserNamedMayBeALink(t *testing.T) {
	dir := t.TempDir()
	odd(t, dir)
	if b, err := ReadLinked(filepath.Join(dir, "link"), 100); err != nil || string(b) != "secret" {
		t.Errorf("%q, %v", b, err)
	}
	for name, called := range map[string]string{"zero": "a device", "pipe": "a named pipe", "dangling": "no such file", "folder": "a folder"} {
		within(t, name, func() {
			if b, err := ReadLinked(filepath.Join(dir, name), 100); err == nil || !strings.Contains(err.Error(), called) {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		})
	}
}

func TestASizeIsComparedBeforeMemoryIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse")
	put(t, path, "")
	if err := os.Truncate(path, 40<<30); err != nil {
		t.Skip("this disk has no sparse files:", err)
	}
	for _, read := range []func(string, int64) ([]byte, error){ReadFile, ReadLinked, inOpened} {
		if _, err := read(path, 1<<20); err == nil || !strings.Contains(err.Error(), "42949672960 bytes, more than the limit of 1048576") {
			t.Errorf("%v", err)
		}
	}
	put(t, path, "12345")
	if b, err := ReadFile(path, 5); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := ReadFile(path, 4); err == nil {
		t.Error("a file of 5 bytes was read where 4 are allowed")
	}
}

func TestAFolderIsNotOpenedThroughALink(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := errors.Join(os.Mkdir(home, 0o755), os.Symlink("home", filepath.Join(dir, "run"))); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"run", "run/", "run/."} {
		if f, err := OpenFolder(dir + "/" + path); err == nil || !strings.Contains(err.Error(), "a symbolic link") {
			t.Errorf("%s: %v, %v", path, f, err)
		}
	}
	f, err := OpenFolder(home)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// Even one that is put there later.
	if err := os.Symlink("/etc", filepath.Join(home, "etc")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"etc/hosts", "../target", "/etc/hosts"} {
		if b, err := f.ReadFile(name, 1<<20); err == nil {
			t.Errorf("%s: read %q", name, b)
		}
		if err := f.WriteFile(name+"-new", nil, 0o644); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestAnErrorIsOneLineWithoutControlCharacters(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a\nngebm: all is well\x1b[2J")
	_, missing := ReadFile(name, 1)
	_, linked := ReadLinked(name, 1)
	_, folder := OpenFolder(name)
	_, created := Create(filepath.Join(name, "x"), 0o644)
	_, locked := Lock(context.Background(), filepath.Join(name, "x"), func() {})
	for _, err := range []error{missing, linked, folder, created, locked} {
		if !errors.Is(err, fs.ErrNotExist) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q", err)
		}
	}
}

func TestALockIsTakenByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(context.Background(), path, func() { t.Error("it waits for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := TryLock(path); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	waited := 0
	if _, err := Lock(ctx, path, func() { waited++; stop() }); !errors.Is(err, context.Canceled) || waited != 1 {
		t.Errorf("%v after waiting was called %d times", err, waited)
	}
	unlock()
	unlock, ok, err := TryLock(path)
	if !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	unlock()
}

func TestALockIsARegularFile(t *testing.T) {
	dir := t.TempDir()
	for name, called := range odd(t, dir) {
		within(t, name, func() {
			if _, err := Lock(context.Background(), filepath.Join(dir, name), func() {}); err == nil || !strings.Contains(err.Error(), called) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	if _, err := os.Lstat(filepath.Join(dir, "none")); err == nil {
		t.Error("the target of a link was created")
	}
}

func TestALockMayBeTakenByAllWhoShareItsFolder(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o002))
	path := filepath.Join(t.TempDir(), "lock")
	unlock, _, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o664 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

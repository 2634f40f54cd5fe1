//go:build unix

package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func TestAFileIsPrivateUntilItHasItsName(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	path := filepath.Join(dir, "weights")
	p, err := Create(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Discard()
	if _, err := io.WriteString(p, "values"); err != nil {
		t.Fatal(err)
	}
	there := names(t, dir)
	if len(there) != 1 || !isTemporary(there[0], "weights") || len(names(t, temp)) != 0 {
		t.Fatalf("while it is written: %q in its folder, %q in $TMPDIR", there, names(t, temp))
	}
	if info, err := os.Stat(filepath.Join(dir, there[0])); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("while it is written: %v, %v", info.Mode(), err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "values" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v, %q", b, err, names(t, dir))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestADiscardedFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	put(t, path, "old")
	p, err := Create(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	p.Discard()
	p.Discard()
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v, %q", b, err, names(t, dir))
	}
}

func TestALinkIsReplacedAndNotWrittenThrough(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "report"), filepath.Join(dir, "victim")
	put(t, victim, "precious")
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(victim)
	if info, e := os.Lstat(path); err != nil || e != nil || string(b) != "precious" || !info.Mode().IsRegular() {
		t.Errorf("the victim holds %q, %v, %v", b, err, info)
	}
}

// What looks like a leftover and is not: other names, folders, links.
func TestOnlyWhatAKilledWriterOfTheNameLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	stay := []string{".bashrc", ".report", ".report2025", ".report123456789012345678x", ".report2-5", "report7", ".reports12", ".gitignore", ".re.ort1"}
	for _, name := range append(stay, ".report123456789012345678", ".report000000012345") {
		put(t, filepath.Join(dir, name), "x")
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, ".report1111111111111"), 0o755), os.Symlink(".bashrc", filepath.Join(dir, ".report2222222222222"))); err != nil {
		t.Fatal(err)
	}
	living, err := Create(filepath.Join(dir, "report"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer living.Discard()
	if err := WriteFile(filepath.Join(dir, "report"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, name := range names(t, dir) {
		there[name] = true
	}
	for _, name := range append(stay, ".report1111111111111", ".report2222222222222", "report") {
		if !there[name] {
			t.Errorf("%s is gone", name)
		}
	}
	if there[".report123456789012345678"] || there[".report000000012345"] {
		t.Error("what killed writers left is still there")
	}
	if err := living.Commit(); err != nil {
		t.Errorf("a writer that lives: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "report")); err != nil || len(b) != 0 {
		t.Errorf("%q, %v", b, err)
	}
}

func TestManyWritersOfOneName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 20 {
				if err := WriteFile(path, fmt.Appendf(nil, "%d", i), 0o644); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if there := names(t, filepath.Dir(path)); len(there) != 1 {
		t.Errorf("%q", there)
	}
}

// Another user who has the lock of a temporary file does not make its writer wait.
func TestALockedTemporaryFileIsGivenUp(t *testing.T) {
	f, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, locked := range map[string]bool{"locked": true, "free": false} {
		p := &Pending{folder: f, name: name}
		if p.file, err = renameio.NewPendingFile(name, renameio.WithRoot(f.root)); err != nil {
			t.Fatal(err)
		}
		other := flock.New(p.file.Name())
		if locked {
			if ok, err := other.TryLock(); !ok {
				t.Fatal(err)
			}
		}
		made, err := p.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		claimed := make(chan error)
		go func() { claimed <- p.claim(made) }()
		select {
		case err := <-claimed:
			if (err == errSwept) != locked || !locked && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it waits for the other's lock", name)
			_ = other.Close()
			<-claimed
		}
		_ = other.Close()
		p.drop()
	}
}

func TestWritersKilledInTheMiddle(t *testing.T) {
	const folder = "NGEBM_TEST_WRITE_IN"
	if dir := os.Getenv(folder); dir != "" {
		p, err := Create(filepath.Join(dir, "checkpoint"), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(os.Stdout, "begun")
		for {
			_, _ = p.Write(make([]byte, 1<<10))
			time.Sleep(time.Millisecond)
		}
	}
	dir := t.TempDir()
	for range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWritersKilledInTheMiddle$")
		cmd.Env = append(os.Environ(), folder+"="+dir, "TMPDIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		if there := names(t, dir); len(there) != 1 || !isTemporary(there[0], "checkpoint") {
			t.Fatalf("a killed writer left %q", there)
		}
	}
	if err := WriteFile(filepath.Join(dir, "checkpoint"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if there := names(t, dir); len(there) != 1 {
		t.Errorf("the next writer left %q", there)
	}
}

func TestKeepGivesASecondName(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "last"), "1")
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, content := range []string{"2", "3"} {
		f.Keep("last", "previous")
		if err := f.WriteFile("last", []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	last, _ := f.ReadFile("last", 9)
	previous, _ := f.ReadFile("previous", 9)
	if string(last) != "3" || string(previous) != "2" || len(names(t, dir)) != 2 {
		t.Errorf("%q, %q, %q", last, previous, names(t, dir))
	}
}

func TestSweepUnderALockAsksNobody(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".last1111111111111", ".best2222222222222", ".other3333333333333", ".netrc"} {
		put(t, filepath.Join(dir, name), "")
	}
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Sweep("last", "best")
	if there := names(t, dir); len(there) != 2 {
		t.Errorf("%q", there)
	}
}

// A device, a pipe or a folder is not replaced, nor is a link to one, such as /dev/stdout.
func TestOnlyFilesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Mkdir(filepath.Join(dir, "folder"), 0o755), os.Symlink("pipe", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "folder", "link"} {
		if err := WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if there := names(t, dir); len(there) != 3 {
		t.Errorf("there are %q", there)
	}
}

func TestIsSystems(t *testing.T) {
	for path, want := range map[string]bool{
		"/dev/stdout": true, "/proc/self/fd/1": true, "/dev/fd/": true, "/dev/shm/r.json": false, "/dev/shm/": false,
		"/devices/a": false, "/home/ada/dev/a": false,
	} {
		if got := isSystems(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

// A link of the system's stays, and what it leads to is left alone: here, as /dev/stdout, it leads to an
// open file.
func TestSystemLinksAreNotReplaced(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	open, err := os.Create(filepath.Join(dir, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	descriptor := fmt.Sprintf("/proc/self/fd/%d", open.Fd())
	if info, err := os.Stat(descriptor); err != nil || !info.Mode().IsRegular() {
		t.Fatalf("%v, %v", info, err)
	}
	up := strings.Repeat("../", strings.Count(dir, "/"))
	for name, target := range map[string]string{"absolute": descriptor, "relative": up + descriptor[1:], "device": "/dev/null", "nothing": "/dev/no-such-device"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/proc/self/fd", filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"absolute": "is a link of the system's", "relative": "is a link of the system's", "nothing": "is a link of the system's", "device": "is a device",
		"folder/" + filepath.Base(descriptor): "is a link of the system's",
	} {
		path := filepath.Join(dir, name)
		err := WriteFile(path, []byte("x"), 0o644)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

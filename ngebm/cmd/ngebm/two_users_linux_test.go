package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// users runs the program as users of a machine who share a folder of runs.
type users struct {
	t         *testing.T
	bin, runs string
}

const (
	ada = 64001 // user ids that no account has
	bob = 64002
)

// newUsers makes a folder of runs that everybody may write to, as /tmp is.
func newUsers(t *testing.T) *users {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can act as two users")
	}
	dir, err := os.MkdirTemp("", "two-users")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	u := &users{t, filepath.Join(dir, "ngebm"), filepath.Join(dir, "runs")}
	program, err := os.ReadFile(build(t))
	if err == nil {
		err = os.WriteFile(u.bin, program, 0o755)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, u.runs: 0o777 | os.ModeSticky, u.home(ada): 0o700, u.home(bob): 0o700} {
		if err == nil {
			if err = os.MkdirAll(path, 0o700); err == nil {
				err = os.Chmod(path, mode)
			}
		}
	}
	for _, uid := range []int{ada, bob} {
		if err == nil {
			err = os.Chown(u.home(uid), uid, uid)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *users) home(uid int) string { return filepath.Join(filepath.Dir(u.bin), fmt.Sprint(uid)) }

// train starts a training as a user.
func (u *users) train(uid int, log *bytes.Buffer, more ...string) *exec.Cmd {
	u.t.Helper()
	cmd := exec.Command(u.bin, append([]string{"train", "-preset", "digits-few", "-model", "mlp-16", "-device", "go", "-runs", u.runs}, more...)...)
	cmd.Dir, cmd.Env = u.home(uid), []string{"HOME=" + u.home(uid), "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	return cmd
}

// ends waits for a command, which must not hang.
func (u *users) ends(cmd *exec.Cmd, log *bytes.Buffer) (output string, err error) {
	u.t.Helper()
	timer := time.AfterFunc(time.Minute, func() {
		u.t.Error("it hangs")
		_ = cmd.Process.Kill()
	})
	defer timer.Stop()
	err = cmd.Wait()
	return log.String(), err
}

// folder is the only run's folder.
func (u *users) folder() string {
	u.t.Helper()
	found, err := filepath.Glob(filepath.Join(u.runs, "*"))
	if err != nil || len(found) != 1 {
		u.t.Fatalf("%q, %v", found, err)
	}
	return found[0]
}

// content is the names, owners and checksums of a folder's files.
func (u *users) content(dir string) string {
	u.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		u.t.Fatal(err)
	}
	var all strings.Builder
	for _, entry := range entries {
		b, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			u.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %x\n", entry.Name(), sha256.Sum256(b))
	}
	return all.String()
}

// A run that one user has trained is loaded by the other, who changes nothing in it.
func TestTwoUsersShareAFinishedRun(t *testing.T) {
	u := newUsers(t)
	var log bytes.Buffer
	if out, err := u.ends(u.train(ada, &log, "-set", "epochs=2"), &log); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before := u.content(u.folder())
	var again bytes.Buffer
	if out, err := u.ends(u.train(bob, &again, "-set", "epochs=2"), &again); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if after := u.content(u.folder()); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// One user's unfinished run is neither changed nor waited for in silence by the other.
func TestTwoUsersAndAnUnfinishedRun(t *testing.T) {
	u := newUsers(t)
	var log bytes.Buffer
	cmd := u.train(ada, &log, "-set", "epochs=100000", "-save-every", "1ns")
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(u.runs, "*", "previous.ngebm")); len(found) > 0 {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("no checkpoint after a minute\n%s", &log)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // killed
	before := u.content(u.folder())
	var other bytes.Buffer
	out, err := u.ends(u.train(bob, &other, "-set", "epochs=100000"), &other)
	if err == nil || !strings.Contains(out, "permission denied") || !strings.Contains(out, "-runs") {
		t.Errorf("%v\n%s", err, out)
	}
	if after := u.content(u.folder()); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}

	// Who may read a lock may hold it. Its owner is told, and can stop waiting.
	lock := flock.New(filepath.Join(u.folder(), "lock"))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer lock.Close()
	var waiting lines
	held := exec.Command(u.bin, "train", "-preset", "digits-few", "-model", "mlp-16", "-device", "go", "-runs", u.runs, "-set", "epochs=100000")
	held.Stderr = &waiting
	held.Dir, held.Env = u.home(ada), []string{"HOME=" + u.home(ada)}
	held.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ada, Gid: ada}}
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); !waiting.say("wait for another process"); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("it does not say that it waits")
		}
	}
	asked := time.Now()
	if err := held.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := held.Wait(); err == nil || time.Since(asked) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(asked))
	}
}

// What one user prepares where the other will train leads nowhere.
func TestTwoUsersAndPreparedFolders(t *testing.T) {
	u := newUsers(t)
	var log bytes.Buffer
	if out, err := u.ends(u.train(ada, &log, "-set", "epochs=2"), &log); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir, letter := u.folder(), filepath.Join(u.home(ada), ".letter")
	if err := os.WriteFile(letter, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(letter, ada, ada); err != nil {
		t.Fatal(err)
	}
	for name, prepare := range map[string]func() error{
		"a link to a home": func() error { return os.Symlink(u.home(ada), dir) },
		"a lock that is a pipe": func() error {
			return in(dir, func() error { return syscall.Mkfifo(filepath.Join(dir, "lock"), 0o666) })
		},
		"a lock that is a link": func() error { return in(dir, func() error { return os.Symlink(letter, filepath.Join(dir, "lock")) }) },
		"a checkpoint that is a pipe": func() error {
			return in(dir, func() error { return syscall.Mkfifo(filepath.Join(dir, "checkpoint.ngebm"), 0o666) })
		},
	} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		out, err := u.ends(u.train(ada, &log, "-set", "epochs=2"), &log)
		if err == nil || !strings.Contains(out, "symbolic link") && !strings.Contains(out, "named pipe") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		b, err := os.ReadFile(letter)
		entries, e := os.ReadDir(u.home(ada))
		if err != nil || e != nil || string(b) != "dear" || len(entries) != 1 {
			t.Errorf("%s: the home holds %v, the letter %q", name, entries, b)
		}
	}
}

// in makes a folder that everybody may write to and does something there.
func in(dir string, do func() error) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		return err
	}
	return do()
}

// lines is what a program has printed so far.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) say(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), what)
}

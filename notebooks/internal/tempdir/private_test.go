package tempdir

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ngebm/data/files"
	"ngebm/notebooks/internal/notebooktest"
)

// aged makes a folder with a lock of that age, as a program that was killed leaves one.
func aged(t *testing.T, dir string, age time.Duration) string {
	t.Helper()
	lock := filepath.Join(dir, tempLock)
	for _, err := range []error{os.MkdirAll(dir, 0o700), os.WriteFile(lock, nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	makeOld(t, lock, age)
	return dir
}

func makeOld(t *testing.T, path string, age time.Duration) {
	t.Helper()
	then := time.Now().Add(-age)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

// A temporary folder that a killed program left is removed by the next one; not one that
// is held, is young, or is for another purpose.
func TestTempFolder(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	parent := filepath.Join(cache, "ngebm", "tmp")
	left, held := aged(t, filepath.Join(parent, "run-1"), time.Hour), aged(t, filepath.Join(parent, "run-2"), time.Hour)
	young, other := aged(t, filepath.Join(parent, "run-3"), 0), aged(t, filepath.Join(parent, "lab-4"), time.Hour)
	unlock, ok, err := files.TryLock(filepath.Join(held, tempLock))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer unlock()
	if err := os.Chmod(parent, 0o777); err != nil {
		t.Fatal(err)
	}
	dir, release, err := Folder("run")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{left: false, held: true, young: true, other: true, dir: true} {
		if notebooktest.Exists(path) != want {
			t.Errorf("%s exists: %v, want %v", filepath.Base(path), !want, want)
		}
	}
	for _, path := range []string{parent, dir} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v (%v)", path, info.Mode(), err)
		}
	}
	makeOld(t, filepath.Join(dir, tempLock), time.Hour)
	removeIfLeft(dir)
	if !notebooktest.Exists(dir) {
		t.Error("a folder in use was removed")
	}
	release()
	if notebooktest.Exists(dir) {
		t.Error("the folder is there after its release")
	}
}

// A cache folder that has no place is named, with what helps.
func TestTempFolderWithoutCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "cache")
	if _, err := os.UserCacheDir(); err == nil {
		t.Skip("SKIPPED: this system's cache folder has no variable")
	}
	if _, _, err := Folder("run"); err == nil || !strings.Contains(err.Error(), "set XDG_CACHE_HOME to an absolute path") {
		t.Errorf("%v", err)
	}
}

// What stands for a left folder and is none, or has no lock that is a file, is neither
// waited for, nor followed, nor removed.
func TestTempFolderLeavesWhatIsNotOurs(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	parent := filepath.Join(cache, "ngebm", "tmp")
	precious, planted := aged(t, filepath.Join(cache, "precious"), time.Hour), filepath.Join(cache, "planted")
	for name, make := range map[string]func(lock string) error{
		"run-fifo":    func(lock string) error { return syscall.Mkfifo(lock, 0o666) },
		"run-link":    func(lock string) error { return os.Symlink(planted, lock) },
		"run-folder":  func(lock string) error { return os.Mkdir(lock, 0o777) },
		"run-no-lock": func(string) error { return nil },
	} {
		dir := filepath.Join(parent, name)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := make(filepath.Join(dir, tempLock)); err != nil {
			t.Fatal(err)
		}
		_ = exec.Command("touch", "-h", "-d", "2 hours ago", filepath.Join(dir, tempLock)).Run()
	}
	if err := os.Symlink(precious, filepath.Join(parent, "run-away")); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, release, err := Folder("run")
	if err != nil {
		t.Fatal(err)
	}
	release()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if notebooktest.Exists(planted) || !notebooktest.Exists(precious) {
		t.Errorf("planted: %v, precious: %v", notebooktest.Exists(planted), notebooktest.Exists(precious))
	}
}

// Another user of the machine can hang nobody, nor make files as somebody else, by what
// he puts into the system's folder of temporary files or into a shared cache folder.
func TestTempFolderWithAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can become another user")
	}
	shared := sharedFolder(t)
	t.Setenv("TMPDIR", shared)
	t.Setenv("XDG_CACHE_HOME", shared)
	planted := filepath.Join(shared, "planted")
	asNobody(t, `cd "$1" && mkdir -m 777 ngebm-run-x ngebm-run-y && mkfifo -m 666 ngebm-run-x/.lock && ln -s "$1/planted" ngebm-run-y/.lock &&
		touch -h -d '2 hours ago' ngebm-run-x/.lock ngebm-run-y/.lock && mkdir -m 777 ngebm ngebm/tmp && cp -a ngebm-run-x ngebm/tmp/run-x && cp -a ngebm-run-y ngebm/tmp/run-y`, shared)
	if _, _, err := Folder("run"); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("a cache folder of another user's: %v", err)
	}
	if err := CheckOwn(filepath.Join(shared, "ngebm")); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("programs of another user's: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	_, release, err := Folder("run")
	if err != nil {
		t.Fatal(err)
	}
	release()
	if notebooktest.Exists(planted) {
		t.Error("a file was made through the other user's link")
	}
}

// sharedFolder makes a folder like the system's one of temporary files.
func sharedFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, open := range []error{os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777|os.ModeSticky)} {
		if open != nil {
			t.Fatal(open)
		}
	}
	return dir
}

// A folder of programs that everyone can write in is not used; one that its group can is.
func TestOwnCache(t *testing.T) {
	for mode, ok := range map[os.FileMode]bool{0o755: true, 0o775: true, 0o700: true, 0o777: false, 0o777 | os.ModeSticky: false} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := CheckOwn(dir); (err == nil) != ok {
			t.Errorf("%v: %v", mode, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if err := CheckOwn(link); err != nil {
		t.Errorf("a link of one's own to a larger disk: %v", err)
	}
}

// What has the name of a private file is replaced, not written through.
func TestCreatePrivate(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "log"), filepath.Join(dir, "target")
	for _, err := range []error{os.WriteFile(target, []byte("kept"), 0o644), os.Symlink(target, path)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if kept, _ := os.ReadFile(target); err != nil || info.Mode().Perm() != 0o600 || string(kept) != "kept" {
		t.Errorf("%v %v, and the target holds %q", info.Mode(), err, kept)
	}
}

// asNobody runs a script as a user who owns nothing.
func asNobody(t *testing.T, script string, args ...string) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as nobody: %v\n%s", err, out)
	}
}

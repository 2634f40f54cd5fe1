package fetch

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Two users share a data folder, one that everyone may write to and one like /tmp: what
// the first leaves, by chance or to do harm, keeps the second from nothing.
func TestTwoUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be two users")
	}
	public, err := os.MkdirTemp("", "ngebm-users") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(public) })
	program := filepath.Join(public, "program")
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(program, content, 0o755), os.Chmod(public, 0o755)); err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	get := func(uid uint32, folder, url string) (string, error) {
		cmd := exec.Command(program)
		cmd.Dir = public
		cmd.Env = []string{"NGEBM_TEST_FETCH=" + folder, "NGEBM_TEST_URL=" + url}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	const first, second = 65533, 65534
	for name, mode := range map[string]os.FileMode{"open": 0o777, "sticky": 0o777 | os.ModeSticky} {
		make := func(what string) string {
			folder := filepath.Join(public, name+what)
			if err := errors.Join(os.Mkdir(folder, 0o755), os.Chmod(folder, mode)); err != nil {
				t.Fatal(err)
			}
			return folder
		}
		folder := make("shared")
		for _, c := range []struct {
			uid  uint32
			told string
		}{{first, "[download set.bin check set.bin]"}, {second, "[check set.bin]"}, {second, "[]"}, {first, "[]"}} {
			if out, err := get(c.uid, folder, s.url()); err != nil || strings.TrimSpace(out) != c.told {
				t.Errorf("%s: user %d: %v, told %s, want %s", name, c.uid, err, out, c.told)
			}
		}
		for what, leave := range map[string]func(path string) error{
			"part": func(path string) error { return os.WriteFile(path+".part", []byte("what the first one left"), 0o600) },
			"links": func(path string) error {
				return errors.Join(os.Symlink(program, path+".part"), os.Symlink(program, path+".part.from"), os.Symlink(program, path+".checked"))
			},
			"pipes": func(path string) error {
				return errors.Join(syscall.Mkfifo(path+".part", 0o666), syscall.Mkfifo(path+".part.from", 0o666), syscall.Mkfifo(path+".checked", 0o666))
			},
		} {
			folder := make(what)
			path := file().Path(folder)
			if err := leave(path); err != nil {
				t.Fatal(err)
			}
			for _, left := range names(t, folder) {
				if err := os.Lchown(filepath.Join(folder, left), first, first); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := get(second, folder, s.url()); err != nil {
				t.Errorf("%s, %s: %v, %s", name, what, err, out)
			}
			if got, err := os.ReadFile(path); !bytes.Equal(got, published) {
				t.Errorf("%s, %s: not the published file, %v", name, what, err)
			}
			if got, _ := os.ReadFile(program); !bytes.Equal(got, content) {
				t.Fatalf("%s, %s: the program was changed", name, what)
			}
		}
	}
}

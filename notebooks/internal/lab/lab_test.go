package lab

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testerror"
	"ngebm/notebooks/internal/setup"
)

// Where the system refuses the path of the socket that gopls would listen at, a person hears it.
func TestCheckCompletion(t *testing.T) {
	if err := checkCompletion("/home/ada/.cache/ngebm/tmp/lab-1234567890"); err != nil {
		t.Error(err)
	}
	for n := range 100 {
		temp := "/" + strings.Repeat("a", n)
		_, refused := net.Listen("unix", filepath.Join(temp, completionSocket))
		if refused == nil {
			t.Fatalf("%s is there", temp)
		}
		if err := checkCompletion(temp); err != nil {
			testerror.Want(t, err, temp, "set XDG_CACHE_HOME (on macOS HOME) to a folder with a shorter one")
		} else if errors.Is(refused, syscall.EINVAL) {
			t.Errorf("%d bytes: %v", n+1, refused)
		}
	}
}

// Of the files in the folder, notebooks are shown, whatever they are called.
func TestHiddenFiles(t *testing.T) {
	args := Arguments(&setup.Workspace{Notebooks: t.TempDir()}, 8888)
	for name, want := range map[string]bool{"go.mod": true, "go.sum": true, "go.work": true, "go.work.sum": true, "main.go": true, "go.ipynb": false, "go.basics.ipynb": false} {
		hidden := slices.ContainsFunc(args, func(arg string) bool {
			glob, ok := strings.CutPrefix(arg, "--ContentsManager.hide_globs=")
			matches, err := filepath.Match(glob, name)
			return ok && (matches || err != nil)
		})
		if hidden != want {
			t.Errorf("%s is hidden: %v", name, hidden)
		}
	}
}

// A port that cannot be used is named with the reason, whichever that is.
func TestChoosePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = ChoosePort(port, nil)
	testerror.Want(t, err, fmt.Sprintf("port %d cannot be used (", port), "in use", "choose another with -port")
}

package lab

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testerror"
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

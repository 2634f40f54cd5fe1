package setup

import (
	"strings"
	"testing"
)

// Outside a clone the program says where it has to be run.
func TestOutsideClone(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := FindWorkspace(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is not inside a clone of ngebm") {
		t.Errorf("%v", err)
	}
}

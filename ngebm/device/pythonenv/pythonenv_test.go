package pythonenv

import (
	"slices"
	"testing"
)

// What is for another Python goes; where packages come from stays, that they may not be installed
// outside an environment, and what is for none.
func TestOwn(t *testing.T) {
	stays := []string{"PATH=/bin", "HOME=/home/ada", "HTTPS_PROXY=http://proxy", "PIP_INDEX_URL=https://mirror", "PIP_CERT=/ca.pem", "PIP_REQUIRE_VIRTUALENV=true", "MY_PYTHON=3", "EMPTY="}
	goes := []string{"PYTHONPATH=/other", "PYTHONHOME=/other", "PYTHONINSPECT=1", "VIRTUAL_ENV=/other", "CONDA_PREFIX=/other", "PIP_TARGET=/other", "PIP_USER=1", "PIP_DRY_RUN=1"}
	environ := append(slices.Clone(stays), goes...)
	if got := Own(environ); !slices.Equal(got, stays) {
		t.Errorf("%q, want %q", got, stays)
	}
	if got := Own(environ, "HTTP"); slices.Contains(got, "HTTPS_PROXY=http://proxy") || len(got) != len(stays)-1 {
		t.Errorf("without HTTP as well: %q", got)
	}
	if !slices.Equal(environ, append(slices.Clone(stays), goes...)) {
		t.Errorf("what it was given is now %q", environ)
	}
}

// Package testpython finds the Python that tests compare with.
package testpython

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Path is the Python that $NGEBM_TEST_PYTHON names, or python3. Without one the test is skipped.
func Path(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("NGEBM_TEST_PYTHON"); named != "" {
		return named
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	return python
}

// With is [Path] for a test that needs modules, and is skipped without them.
func With(t *testing.T, modules ...string) string {
	t.Helper()
	python, list := Path(t), strings.Join(modules, ", ")
	if exec.Command(python, "-c", "import "+list).Run() != nil {
		t.Skipf("%s lacks one of %s; name a Python that has them in $NGEBM_TEST_PYTHON", python, list)
	}
	return python
}

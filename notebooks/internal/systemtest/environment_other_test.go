//go:build !linux

package systemtest

import "testing"

// readOnly makes a folder one where nobody can write.
func readOnly(t *testing.T, _ string) {
	t.Helper()
	t.Skip("SKIPPED: folders are mounted to be read only on Linux")
}

// testEnvironmentWithoutExecution runs notebooks where temporary files cannot be programs.
func testEnvironmentWithoutExecution(t *testing.T) {
	t.Skip("SKIPPED: a file system without execution is mounted on Linux")
}

// besideAnotherJupyter is a command before others that stands in for another Jupyter.
func besideAnotherJupyter(t *testing.T) []string {
	t.Helper()
	t.Log("not checked: another Jupyter is stood in for on Linux")
	return nil
}

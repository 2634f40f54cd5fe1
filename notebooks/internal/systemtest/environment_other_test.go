//go:build !linux

package systemtest

import "testing"

// readOnly is a folder's content where nobody can write.
func readOnly(t *testing.T, _ string) string {
	t.Helper()
	t.Skip("SKIPPED: folders are mounted to be read only on Linux")
	return ""
}

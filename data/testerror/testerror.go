// Package testerror checks error messages in tests, those of package data and of all that import it.
package testerror

import (
	"strings"
	"testing"
)

// Want checks that an error has one line with all the parts, without control codes.
func Want(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one that says %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") {
		t.Errorf("error of more than one line, or with a control code: %q", err)
	}
}

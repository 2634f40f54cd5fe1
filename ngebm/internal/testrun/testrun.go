// Package testrun makes of a stored run what tests need.
package testrun

import (
	"testing"

	"ngebm/data/files"
	"ngebm/ngebm/internal/ckpt"
)

// Unseal takes the seal out of a run's last checkpoint, as older programs wrote it.
func Unseal(t testing.TB, dir string) {
	t.Helper()
	folder, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	state, err := ckpt.Read(t.Context(), folder, ckpt.LastFile, func(ckpt.Header) error { return nil })
	if err == nil {
		state.Seal = ""
		err = ckpt.Write(folder, ckpt.LastFile, "", *state)
	}
	if err != nil {
		t.Fatal(err)
	}
}

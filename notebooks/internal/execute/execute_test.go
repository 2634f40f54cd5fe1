package execute

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ngebm/data/testerror"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/setup"
)

// Kernels hear where the project is, for notebooks that are elsewhere.
func TestNotebookNamesTheProject(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python")
	script := "#!/bin/sh\necho '{\"event\":\"fatal\",\"message\":\"the project is '$" + setup.ProjectVariable + "'\"}'\n"
	if err := os.WriteFile(python, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	err := Notebook(t.Context(), &setup.Workspace{Root: "/clone"}, &setup.Tools{Python: python}, "a.ipynb", "result.ipynb", Limits{Cell: time.Minute, Total: time.Minute}, display.New(io.Discard))
	testerror.Want(t, err, "the project is /clone")
}

package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/publish"
)

// The committed notebooks run from top to bottom, from an empty folder of runs,
// and become pages.
func TestCommittedNotebooksRun(t *testing.T) {
	ready(t)
	site := filepath.Join(t.TempDir(), "site")
	committed, err := filepath.Glob("*.ipynb")
	if err != nil || len(committed) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	printed, took, err := runProgramWith(t, "..", []string{"NGEBM_RUNS=" + executedRuns()}, append([]string{"publish", "-o", site}, committed...)...)
	t.Logf("publish took %v and said\n%s", took, printed)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"index"}, publish.BaseNames(committed)...) {
		if _, err := os.Stat(filepath.Join(site, name+".html")); err != nil {
			t.Error(err)
		}
	}
}

// With -short one notebook stands for all.
func TestFirstNotebookRuns(t *testing.T) {
	if !testing.Short() {
		t.Skip("SKIPPED without -short: TestCommittedNotebooksRun runs it among all")
	}
	site := filepath.Join(t.TempDir(), "site")
	printed, took, err := runProgram(t, "..", "publish", "-o", site, strings.TrimSuffix(lab.StartNotebook, ".ipynb"))
	t.Logf("publish took %v and said\n%s", took, printed)
	if err != nil {
		t.Fatal(err)
	}
}

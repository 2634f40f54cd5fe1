package systemtest

import (
	"os"
	"path/filepath"
	"testing"

	"ngebm/notebooks/internal/publish"
)

// The committed notebooks run from top to bottom, from an empty folder of runs,
// and become pages.
func TestCommittedNotebooksRun(t *testing.T) {
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

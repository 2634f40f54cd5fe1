package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/publish"
)

// The committed notebooks run, and then a person opens them.
func TestNotebooks(t *testing.T) {
	ready(t)
	t.Parallel()
	t.Run("run", testCommittedNotebooksRun)
	t.Run("in JupyterLab in a browser", testLabInBrowser)
}

// The committed notebooks run from top to bottom, from an empty folder of runs, and become
// pages. Three programs share them: much of what a notebook does keeps one core busy.
func testCommittedNotebooksRun(t *testing.T) {
	variables := []string{"NGEBM_RUNS=" + executedRuns()}
	for name, part := range thirds(committed(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := filepath.Join(t.TempDir(), "site")
			printed, took, err := runProgramWith(t, "..", variables, append([]string{"publish", "-o", site}, part...)...)
			t.Logf("publish took %v and said\n%s", took, printed)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range append([]string{"index"}, publish.BaseNames(part)...) {
				if _, err := os.Stat(filepath.Join(site, name+".html")); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// thirds divides notebooks into three parts by the numbers that their names begin with. Those
// that share runs are in one part: one would wait for the other.
func thirds(paths []string) map[string][]string {
	parts := map[string][]string{}
	for _, path := range paths {
		name := "the rest"
		switch path[:2] {
		case "02", "03", "04", "05", "10":
			name = "digits"
		case "01", "06":
			name = "JEM"
		}
		parts[name] = append(parts[name], path)
	}
	return parts
}

// With -short one notebook stands for all.
func TestFirstNotebookRuns(t *testing.T) {
	if !testing.Short() {
		t.Skip("SKIPPED without -short: TestNotebooks runs it among all")
	}
	site := filepath.Join(t.TempDir(), "site")
	printed, took, err := runProgram(t, "..", "publish", "-o", site, strings.TrimSuffix(lab.StartNotebook, ".ipynb"))
	t.Logf("publish took %v and said\n%s", took, printed)
	if err != nil {
		t.Fatal(err)
	}
}

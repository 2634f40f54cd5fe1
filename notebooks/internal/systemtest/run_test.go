package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/publish"
)

// The committed notebooks run from top to bottom, from an empty folder of runs, and become
// pages. Two programs run half of them each: much of what a notebook does keeps one core busy.
func TestCommittedNotebooksRun(t *testing.T) {
	ready(t)
	variables := []string{"NGEBM_RUNS=" + executedRuns()}
	for name, half := range halves(committed(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := filepath.Join(t.TempDir(), "site")
			printed, took, err := runProgramWith(t, "..", variables, append([]string{"publish", "-o", site}, half...)...)
			t.Logf("publish took %v and said\n%s", took, printed)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range append([]string{"index"}, publish.BaseNames(half)...) {
				if _, err := os.Stat(filepath.Join(site, name+".html")); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// halves divides notebooks into two parts that take about as long, by the numbers that their
// names begin with. Those that share runs are in one part: one would wait for the other.
func halves(paths []string) map[string][]string {
	parts := map[string][]string{}
	for _, path := range paths {
		name := "the rest"
		switch path[:2] {
		case "02", "03", "04", "05", "10":
			name = "digits"
		}
		parts[name] = append(parts[name], path)
	}
	return parts
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

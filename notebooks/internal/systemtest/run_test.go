package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/publish"
)

// The committed notebooks run, and a person opens them.
func TestNotebooks(t *testing.T) {
	ready(t)
	t.Parallel()
	opened := make(chan struct{}) // closed when those have run that are opened in JupyterLab
	t.Run("run", func(t *testing.T) { t.Parallel(); testCommittedNotebooksRun(t, opened) })
	t.Run("in JupyterLab in a browser", func(t *testing.T) {
		t.Parallel()
		select {
		case <-opened:
		case <-t.Context().Done():
		}
		testLabInBrowser(t)
	})
}

// The committed notebooks run from top to bottom, from an empty folder of runs, and become
// pages. Three lanes share them: much of what a notebook does keeps one core busy. The channel
// is closed once the first part of the first lane is done.
func testCommittedNotebooksRun(t *testing.T, first chan<- struct{}) {
	for lane, parts := range lanes(committed(t)) {
		t.Run(fmt.Sprint("lane ", lane+1), func(t *testing.T) {
			t.Parallel()
			for _, part := range parts {
				publishes := func(t *testing.T) { testPublishes(t, part) }
				t.Run(part[0], publishes)
				if lane == 0 && slices.Equal(part, parts[0]) {
					close(first)
				}
			}
		})
	}
}

// testPublishes publishes notebooks with the runs that others may have left. Its limit of a cell
// is wider than the usual one, since three lanes and other tests share the machine.
func testPublishes(t *testing.T, part []string) {
	site := filepath.Join(t.TempDir(), "site")
	printed, took, err := runProgramWith(t, "..", []string{"NGEBM_RUNS=" + executedRuns()}, append([]string{"publish", "-jobs", "1", "-timeout", "12m", "-o", site}, part...)...)
	t.Logf("publish took %v and said\n%s", took, printed)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"index"}, publish.BaseNames(part)...) {
		if _, err := os.Stat(filepath.Join(site, name+".html")); err != nil {
			t.Error(err)
		}
	}
}

// lanes divides notebooks by the numbers that their names begin with: each lane takes about as
// long as the others, and its parts one after the other. 06 loads what 01 has trained; 04, 05 and
// in part 10 what 03 has, so that they come late. The first part is what is opened in JupyterLab.
func lanes(paths []string) [3][][]string {
	var opened, then, jem, late, rest []string
	for _, path := range paths {
		switch path[:2] {
		case "00", "03", "09":
			opened = append(opened, path)
		case "05", "07":
			then = append(then, path)
		case "01", "06":
			jem = append(jem, path)
		case "04":
			late = append(late, path)
		default:
			rest = append(rest, path)
		}
	}
	return [3][][]string{{opened, then}, {jem, late}, {rest}}
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

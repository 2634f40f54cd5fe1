package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

// A second publish runs nothing; a change or -force does; -html-only never does, and
// refuses what has not run.
func TestPublishOnlyWhatChanged(t *testing.T) {
	b := ready(t)
	t.Parallel()
	root := pinsClone(t)
	const name = "changed_test"
	t.Cleanup(func() {
		left, _ := filepath.Glob(filepath.Join(b.workspace.Cache, "executed", name+"-*"))
		for _, file := range left {
			os.Remove(file)
		}
	})
	path := filepath.Join(root, "notebooks", name+".ipynb")
	site := filepath.Join(t.TempDir(), "site")
	notebooktest.Write(t, path, "# Title\n\nWords.", "%noautoget", "!date +%s%N")
	publish := func(flags ...string) (printed, page string) {
		t.Helper()
		printed, _, err := runProgramWith(t, root, []string{"NGEBM_RUNS="}, append([]string{"publish", "-o", site, name}, flags...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		raw, err := os.ReadFile(filepath.Join(site, name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		return printed, string(raw)
	}
	_, first := publish()
	printed, second := publish()
	if first != second || !strings.Contains(printed, name+".ipynb: not run again") {
		t.Errorf("the second time it said\n%s", printed)
	}
	if _, third := publish("-force", "-w"); third == first {
		t.Error("-force did not run it")
	}
	printed, stored := publish("-html-only")
	if !strings.Contains(stored, "it was not run to make the page") || strings.Contains(printed, "cell") {
		t.Errorf("-html-only said\n%s", printed)
	}
	notebooktest.Write(t, path, "# Another title\n\nWords.", "%noautoget", "!date +%s%N")
	if printed, _, err := runProgramWith(t, root, nil, "publish", "-html-only", "-o", site, name); err == nil || !strings.Contains(printed, name+".ipynb has cells that have not run; run them and store their outputs with publish -w") {
		t.Errorf("without outputs it said\n%s", printed)
	}
	if printed, _ := publish(); !strings.Contains(printed, "cell 2 of 2") {
		t.Errorf("after a change it said\n%s", printed)
	}
}

package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

// Notebooks run at once: each of two waits for a file that the other one writes. What one
// leaves running ends with it, and nothing of the other does. One that measures times runs
// when they have ended.
func TestPublishTogether(t *testing.T) {
	ready(t)
	t.Parallel()
	root, meet := pinsClone(t), t.TempDir()
	write := func(name string, cells ...string) (path string) {
		path = filepath.Join(root, "notebooks", name+".ipynb")
		notebooktest.Write(t, path, append([]string{"# " + name + "\n\nText.", "%noautoget"}, cells...)...)
		return path
	}
	// shell has paths in a file, not in the notebook, since publish refuses folders of the machine.
	shell := func(name, script string) string {
		path := filepath.Join(meet, name+".sh")
		if err := os.WriteFile(path, []byte("cd "+meet+"\n"+script), 0o600); err != nil {
			t.Fatal(err)
		}
		return "!sh \"$NGEBM_TEST_MEET/" + name + ".sh\""
	}
	write("first", shell("first", "setsid sleep 903 >/dev/null 2>&1 &\ntouch first; until [ -e second ]; do sleep .1; done"))
	write("second", shell("second", "touch second; until [ -e first ]; do sleep .1; done; until ! pgrep -f 'sleep 90[3]' >/dev/null; do sleep .1; done; sleep 1; touch ended"))
	notebooktest.Change(t, write("alone", shell("alone", "[ -e ended ]")), func(doc map[string]any) {
		doc["metadata"].(map[string]any)["ngebm"] = map[string]any{"alone": true}
	})
	printed, _, err := runProgramWith(t, root, []string{"NGEBM_TEST_MEET=" + meet},
		"publish", "-jobs", "2", "-timeout", "40s", "-o", filepath.Join(t.TempDir(), "site"), "alone", "first", "second")
	if err != nil {
		t.Errorf("%v\n%s", err, printed)
	}
	if strings.Index(printed, "alone.ipynb: cell 1") < strings.LastIndex(printed, "second.ipynb: cell") {
		t.Errorf("the notebook that runs alone did not run last:\n%s", printed)
	}
}

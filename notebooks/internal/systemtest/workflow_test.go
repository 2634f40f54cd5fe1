package systemtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Notebooks are code: the job that runs them has no right to write anywhere, and what the
// workflows use cannot be moved to other code.
func TestWorkflows(t *testing.T) {
	readsRepository(t)
	all, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(all) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	pinned := regexp.MustCompile(`uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d`)
	for _, path := range all {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			if strings.Contains(line, "uses:") && !pinned.MatchString(line) {
				t.Errorf("%s: not named by a commit and its release: %s", path, strings.TrimSpace(line))
			}
		}
		before, _, found := strings.Cut(string(raw), "\n  deploy:")
		if !found || strings.Contains(before, ": write") || !strings.Contains(before, "contents: read") {
			t.Errorf("%s: more than contents: read before the job that deploys", path)
		}
	}
}

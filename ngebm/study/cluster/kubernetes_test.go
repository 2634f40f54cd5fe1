package cluster_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The Job has a pod for each part of the runs, which have one folder of runs in common.
func TestIndexedJobHasAPodForEachPart(t *testing.T) {
	text, err := os.ReadFile("indexed-job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	one := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile("(?m)"+pattern).FindAllSubmatch(text, -1)
		if len(found) != 1 {
			t.Fatalf("%q is there %d times", pattern, len(found))
		}
		return string(found[0][1])
	}
	pods, parts := one(`^  completions: (\d+)$`), one(`-part "\$part/(\d+)" -o "results-part-\$part\.json"$`)
	if pods != parts || one(`^  parallelism: (\d+)$`) != pods {
		t.Errorf("%s pods, %s parts", pods, parts)
	}
	for pattern, want := range map[string]string{
		`^apiVersion: (.*)$`:         "batch/v1",
		`^kind: (.*)$`:               "Job",
		`^  completionMode: (.*)$`:   "Indexed",
		`^ +workingDir: (.*)$`:       one(`- \{name: runs, mountPath: (.*)\}$`),
		`^ +part=\$\(\((.*)\)\) &&$`: "JOB_COMPLETION_INDEX + 1",
		`^ +-runs (\S+) `:            "runs",
	} {
		if got := one(pattern); got != want {
			t.Errorf("%s is %q, want %q", pattern, got, want)
		}
	}
	if strings.Contains(string(text), "\t") {
		t.Error("YAML has no tabs")
	}
}

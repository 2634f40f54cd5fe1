package ngebm

import (
	"bytes"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/data/testdisk"
)

// Comments and layout do not count; everything else does.
func TestHashTokens(t *testing.T) {
	tokens := func(text string) string {
		var b bytes.Buffer
		hashTokens(&b, []byte(text))
		return b.String()
	}
	before := tokens("package a\n\n// One is 1.\nfunc One() int { return 1 }\n")
	for text, same := range map[string]bool{
		"package a; func One() int { // as ever\n\treturn 1 }": true,
		"package a\nfunc One() int { return 2 }":               false,
		"package a\nfunc One() int { return 1.0 }":             false,
		"package a\nfunc Two() int { return 1 }":               false,
	} {
		if (tokens(text) == before) != same {
			t.Errorf("%q: the same code: %v, want %v", text, !same, same)
		}
	}
}

// The source that is hashed has every package that a measurement or a predictor depends on, but
// for those that move bytes and show progress.
func TestSourceIsWhole(t *testing.T) {
	testdisk.Inputs(t, ".", "../data")
	out, err := exec.Command("go", "list", "-deps", "ngebm/ngebm/study", "ngebm/ngebm/predict").Output()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := []string{"ngebm/data/fetch", "ngebm/data/files", "ngebm/data/nearest", "ngebm/data/progress", "ngebm/data/plain"}
	for _, pkg := range strings.Fields(string(out)) {
		if !strings.HasPrefix(pkg, module+"/") || slices.Contains(elsewhere, pkg) {
			continue
		}
		fsys, dir := fs.FS(sources), strings.TrimPrefix(strings.TrimPrefix(pkg, "ngebm/ngebm"), "/")
		if below, ok := strings.CutPrefix(pkg, "ngebm/data"); ok {
			fsys, dir = data.Source(), strings.TrimPrefix(below, "/")
		}
		if files, _ := fs.Glob(fsys, strings.TrimPrefix(dir+"/*.go", "/")); len(files) == 0 {
			t.Errorf("%s is not hashed: a change of it would go unseen", pkg)
		}
	}
	if len(Source()) != 12 {
		t.Errorf("the source is %q", Source())
	}
}

func BenchmarkSource(b *testing.B) {
	for b.Loop() {
		hashSource()
	}
}

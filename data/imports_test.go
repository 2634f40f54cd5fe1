package data_test

import (
	"os/exec"
	"strings"
	"testing"

	"ngebm/data/testdisk"
)

// Imports point downward: data must not depend on the models that are trained on it.
func TestImportsNoModels(t *testing.T) {
	testdisk.Inputs(t, ".")
	out, err := exec.Command("go", "list", "-deps", "ngebm/data/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		if strings.HasPrefix(pkg, "ngebm/") && !strings.HasPrefix(pkg, "ngebm/data") {
			t.Errorf("data depends on %s", pkg)
		}
		if strings.HasPrefix(pkg, "github.com/gomlx/") {
			t.Errorf("data depends on %s", pkg)
		}
	}
}

// Packages testdisk and testerror are for tests: no other package may depend on them.
func TestHelpersAreForTests(t *testing.T) {
	testdisk.Inputs(t, "..")
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "ngebm/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if pkg, imports, _ := strings.Cut(line, " "); strings.Contains(imports, "ngebm/data/testdisk") || strings.Contains(imports, "ngebm/data/testerror") {
			t.Errorf("%s imports %s", pkg, imports)
		}
	}
}

package systemtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/nb"
)

// The code of each notebook compiles and go vet finds nothing in it, without running it:
// a change of the library that breaks a cell is seen in seconds. Set-up cells are short.
func TestCellsVet(t *testing.T) {
	paths := committed(t)
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// As the kernel has it: cells are a module of their own, in a workspace with this one.
	write("go.mod", "module cells\n\ngo 1.26.0\n")
	write("go.work", fmt.Sprintf("go 1.26.5\n\nuse (\n\t.\n\t%s\n)\n", root))
	for _, path := range paths {
		doc, err := notebook.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		cells := doc.CodeCells()
		const most = 15
		if lines := strings.Count(string(cells[0].Source), "\n") + 1; lines >= most {
			t.Errorf("%s: the set-up cell has %d lines, not less than %d: what several notebooks need is for package nb, what one section needs is for its cell", path, lines, most)
		}
		text, err := goFile(cells)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		name := "n" + strings.TrimSuffix(filepath.Base(path), ".ipynb")
		write(filepath.Join(name, "cells.go"), text)
	}
	// Cells may be short: composites without keys are for them.
	cmd := exec.Command("go", "vet", "-composites=false", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"), "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// goFile is a program of a notebook's cells: their declarations, and for each one that runs
// something a function.
func goFile(cells []notebook.Cell) (string, error) {
	var imports []string
	var declared, functions strings.Builder
	for i, c := range cells {
		head, body, runs := strings.Cut("\n"+string(c.Source), "\n%%")
		if strings.HasPrefix(strings.TrimSpace(head), "!") {
			continue // for the shell
		}
		file, err := parser.ParseFile(token.NewFileSet(), "cell", "package p\n"+head, parser.ParseComments)
		if err != nil {
			return "", fmt.Errorf("cell %d: %w", i+1, err)
		}
		text := "package p\n" + head
		for _, spec := range file.Imports {
			line := spec.Path.Value
			if spec.Name != nil {
				line = spec.Name.Name + " " + line
			}
			if !slices.Contains(imports, line) {
				imports = append(imports, line)
			}
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
				fmt.Fprintf(&declared, "\n%s\n", text[d.Pos()-1:d.End()-1])
			}
		}
		if _, statements, found := strings.Cut(body, "\n"); runs && found {
			fmt.Fprintf(&functions, "\nfunc cell%d() {\n%s\n}\n", i+1, statements)
		}
	}
	return "package main\n\nimport (\n\t" + strings.Join(imports, "\n\t") + "\n)\n" + declared.String() + functions.String() + "\nfunc main() {}\n", nil
}

// What notebooks take for granted: cross-entropy is NG-EBM without its two terms, whichever
// way a cell says so, so that they share its runs.
func TestCrossEntropyIsOneRun(t *testing.T) {
	for _, preset := range []string{"moons", "digits"} {
		plain := nb.Preset(preset, "cross-entropy", "")
		none := nb.Preset(preset, "", "beta=0,gamma=0")
		if plain.Hash("") != none.Hash("") {
			t.Errorf("%s: %v and %v", preset, plain, none)
		}
	}
}

// committed are the paths of this folder's notebooks.
func committed(t *testing.T) []string {
	t.Helper()
	readsRepository(t)
	paths, err := filepath.Glob("*.ipynb")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	return paths
}

package plots

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// drawing lists the exported functions that return a figure or an animation, and the
// names of all functions of the tests.
func drawing(t *testing.T) (figures, tests []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || f.Recv != nil:
			case strings.HasSuffix(name, "_test.go"):
				tests = append(tests, f.Name.Name)
			case f.Name.IsExported() && f.Type.Results != nil:
				star, ok := f.Type.Results.List[0].Type.(*ast.StarExpr)
				if !ok {
					continue
				}
				if of, ok := star.X.(*ast.Ident); ok && (of.Name == "Figure" || of.Name == "Animation") {
					figures = append(figures, f.Name.Name)
				}
			}
		}
	}
	return figures, tests
}

// Everything that draws has an example of its own, and rows among the degenerate inputs.
// (That it has a golden image is for the gallery's test to say, in notebooks.)
func TestEveryFigureShown(t *testing.T) {
	figures, tests := drawing(t)
	if len(figures) < 25 {
		t.Errorf("%d functions that draw are few: %v", len(figures), figures)
	}
	odd := degenerateInputs(t)
	for _, name := range figures {
		if !slices.Contains(tests, "Example"+name) {
			t.Errorf("%s has no Example%s", name, name)
		}
		if len(odd[name].rows) == 0 {
			t.Errorf("%s has no rows in degenerateInputs", name)
		}
	}
	for name := range odd {
		if !slices.Contains(figures, name) {
			t.Errorf("degenerateInputs has rows of %s, which is no function that draws", name)
		}
	}
}

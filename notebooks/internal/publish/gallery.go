package publish

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"ngebm/notebooks/internal/picture"
	"ngebm/notebooks/internal/setup"
)

// exhibit is a kind of figure in the gallery: a function of package plots that draws it, with
// the golden images of its tests.
type exhibit struct {
	Name    string // of the function
	About   string // the first sentence of its documentation
	Figures []picture.Figure
}

// gallery returns the exhibits in the folder of package plots, sorted by name. The pictures of
// an exhibit are the files in testdata whose names begin with its name in lower case with
// hyphens; those of animations are GIFs. Without the folder there are no exhibits.
func gallery(folder string) ([]exhibit, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.go"))
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
	}
	if parsed == nil {
		return nil, nil
	}
	p, err := doc.NewFromFiles(set, parsed, setup.Module+"/plots")
	if err != nil {
		return nil, err
	}
	functions := p.Funcs
	for _, t := range p.Types {
		functions = append(functions, t.Funcs...)
	}
	var all []exhibit
	for _, f := range functions {
		if !drawsFigure(f.Decl) {
			continue
		}
		e := exhibit{Name: f.Name, About: p.Synopsis(f.Doc)}
		if e.Figures, err = goldens(filepath.Join(folder, "testdata"), f.Name); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b exhibit) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// drawsFigure reports whether a function returns a figure or an animation, and an error.
func drawsFigure(f *ast.FuncDecl) bool {
	if f.Recv != nil || f.Type.Results == nil || len(f.Type.Results.List) != 2 {
		return false
	}
	star, ok := f.Type.Results.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	name, ok := star.X.(*ast.Ident)
	return ok && (name.Name == "Figure" || name.Name == "Animation")
}

// goldens returns a function's golden images.
func goldens(folder, function string) ([]picture.Figure, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(folder), hyphened(function)+"*.[gp][in][fg]"))
	if err != nil {
		return nil, err
	}
	var found []picture.Figure
	for _, file := range files {
		kind := filepath.Ext(file)
		variant := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), hyphened(function)), kind)
		if variant != "" && variant[0] != '-' {
			continue // belongs to a function with a longer name
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		config, _, err := image.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		f := picture.Figure{
			File: "figures/gallery-" + filepath.Base(file), Content: content,
			Alt:   "What " + function + " draws" + strings.ReplaceAll(strings.Replace(variant, "-", ": ", 1), "-", " "),
			Width: config.Width / 2, Height: config.Height / 2, // drawn at twice the size, for high-density screens
		}
		if kind == ".gif" {
			f.Width, f.Height = config.Width, config.Height
			f.PosterFile = strings.TrimSuffix(f.File, kind) + "-poster.png"
			if f.Poster, err = picture.Poster(content); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
		found = append(found, f)
	}
	return found, nil
}

// hyphened turns ScoreHistograms into score-histograms, and ROC into roc.
func hyphened(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(letters[i-1]) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

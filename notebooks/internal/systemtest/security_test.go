package systemtest

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The limits that SECURITY.md states are those of the code.
func TestSecurityLimits(t *testing.T) {
	readsRepository(t)
	raw, err := os.ReadFile("../.github/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| (\\d+)( [KMG]iB)? \\| `([\\w/]+)` (\\w+) \\|$").FindAllStringSubmatch(string(raw), -1)
	if want := strings.Count(string(raw), "\n| ") - 1; len(rows) != want || want < 10 {
		t.Fatalf("%d of %d rows can be read", len(rows), want)
	}
	units := map[string]uint{"": 0, " KiB": 10, " MiB": 20, " GiB": 30}
	for _, row := range rows {
		var said int64
		fmt.Sscan(row[1], &said)
		said <<= units[row[2]]
		if is, err := packageConstant(filepath.Join("..", row[3]), row[4]); err != nil || is != said {
			t.Errorf("%s.%s is %d, not %d (%v)", row[3], row[4], is, said, err)
		}
	}
}

// packageConstant is the value of a package's constant, without checking the package.
func packageConstant(dir, name string) (int64, error) {
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return 0, err
	}
	values := map[string]ast.Expr{}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			return 0, err
		}
		for _, d := range file.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				v := spec.(*ast.ValueSpec)
				for i := range v.Values {
					values[v.Names[i].Name] = v.Values[i]
				}
			}
		}
	}
	var value func(e ast.Expr) constant.Value
	value = func(e ast.Expr) constant.Value {
		switch e := e.(type) {
		case *ast.BasicLit:
			return constant.MakeFromLiteral(e.Value, e.Kind, 0)
		case *ast.ParenExpr:
			return value(e.X)
		case *ast.Ident:
			if known := values[e.Name]; known != nil {
				return value(known)
			}
		case *ast.BinaryExpr:
			x, y := value(e.X), value(e.Y)
			if n, ok := constant.Uint64Val(y); e.Op == token.SHL && ok {
				return constant.Shift(x, e.Op, uint(n))
			}
			return constant.BinaryOp(x, e.Op, y)
		}
		return constant.MakeUnknown()
	}
	n, ok := constant.Int64Val(value(ast.NewIdent(name)))
	if !ok {
		return 0, fmt.Errorf("no constant %s in %s", name, dir)
	}
	return n, nil
}

package deviation

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Every deviation of the table is met in the code and shown by a test of this library.
func TestEveryDeviationIsMetAndShownByATest(t *testing.T) {
	t.Parallel()
	names := constants(t)
	met, shown := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || filepath.Dir(path) == filepath.Join("..", "deviation") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "deviation" {
					if strings.HasSuffix(path, "_test.go") {
						shown[s.Sel.Name] = true
					} else {
						met[s.Sel.Name] = true
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range Table() {
		name := names[string(i.Code)]
		switch {
		case name == "":
			t.Errorf("%s has no constant", i.Code)
		case !met[name]:
			t.Errorf("%s is never met: take it out of the table", i.Code)
		case !shown[name]:
			t.Errorf("%s is shown by no test", i.Code)
		}
	}
}

// constants maps the codes to the names of their constants.
func constants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == 1 && len(v.Values) == 1 {
			out[strings.Trim(fmt.Sprint(v.Values[0].(*ast.BasicLit).Value), `"`)] = v.Names[0].Name
		}
		return true
	})
	return out
}

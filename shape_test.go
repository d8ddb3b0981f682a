package ipse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Limits of a function. A table, a function that only returns a literal, may be as
// long as what it lists.
const (
	maxFunctionLines = 60
	maxBranches      = 15
)

// shape is what the tests below ask of a function.
type shape struct {
	name, place     string
	lines, branches int
	table           bool
}

// TestFunctionsStayShort keeps functions to a size that is read at once.
func TestFunctionsStayShort(t *testing.T) {
	t.Parallel()
	for _, f := range functions(t) {
		if f.lines > maxFunctionLines && !f.table {
			t.Errorf("%s: %s has %d lines (at most %d)", f.place, f.name, f.lines, maxFunctionLines)
		}
	}
}

// TestFunctionsBranchLittle: no function around the engines decides more than a reader
// can keep in mind; of all functions, those that do (parsers, judges) are few.
func TestFunctionsBranchLittle(t *testing.T) {
	t.Parallel()
	all, over := 0, 0
	for _, f := range functions(t) {
		all++
		if f.branches <= maxBranches {
			continue
		}
		over++
		if strings.HasPrefix(f.place, "internal/") || strings.HasPrefix(f.place, "web/") {
			t.Errorf("%s: %s has %d branches (at most %d): use a table or steps", f.place, f.name, f.branches, maxBranches)
		}
	}
	if over*50 >= all {
		t.Errorf("%d of %d functions have more than %d branches (less than 2 %%)", over, all, maxBranches)
	}
}

// TestExportedNamesAreDocumented asks every exported name for its purpose.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			for _, id := range undocumented(d) {
				t.Errorf("%s: %s is exported and not documented", fset.Position(id.Pos()), id.Name)
			}
		}
	})
}

// undocumented returns the exported names that a declaration leaves without a word. A
// comment on a group of constants or variables speaks for all in it.
func undocumented(d ast.Decl) []*ast.Ident {
	if f, ok := d.(*ast.FuncDecl); ok {
		if f.Name.IsExported() && f.Doc == nil && (f.Recv == nil || ast.IsExported(receiver(f))) {
			return []*ast.Ident{f.Name}
		}
		return nil
	}
	var out []*ast.Ident
	group, ok := d.(*ast.GenDecl)
	if !ok || group.Doc != nil {
		return nil
	}
	for _, spec := range group.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil {
				out = append(out, s.Name)
			}
		case *ast.ValueSpec:
			for _, id := range s.Names {
				if id.IsExported() && s.Doc == nil && s.Comment == nil {
					out = append(out, id)
				}
			}
		}
	}
	return out
}

// receiver names the type that a method belongs to.
func receiver(f *ast.FuncDecl) string {
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}

// functions measures every function of the module but those of tests.
func functions(t *testing.T) []shape {
	t.Helper()
	var out []shape
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			from, to := fset.Position(f.Pos()), fset.Position(f.End())
			out = append(out, shape{name: f.Name.Name, place: from.String(), lines: to.Line - from.Line + 1, branches: branches(f), table: onlyReturns(f)})
		}
	})
	if len(out) < 1000 {
		t.Fatalf("found %d functions: the walk is broken", len(out))
	}
	return out
}

// branches counts the places where a function decides: if, for, case, && and ||.
func branches(f *ast.FuncDecl) int {
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if x.List != nil {
				n++
			}
		case *ast.CommClause:
			if x.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if x.Op == token.LAND || x.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

func onlyReturns(f *ast.FuncDecl) bool {
	if len(f.Body.List) != 1 {
		return false
	}
	_, ok := f.Body.List[0].(*ast.ReturnStmt)
	return ok
}

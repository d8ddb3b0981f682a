package ec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// secretFunctions handle scalars, nonces and shared points. Each must call nothing but
// one another, package math/bits and the built-in functions below.
func secretFunctions() []string {
	return []string{"scalarMult", "generatorMult", "mult", "lookup", "add", "double", "infinity", "mul", "mul4", "reduceOnce", "sub", "equal", "isZero", "selectElem"}
}

// TestNoBranchOrAddressDependsOnASecret reads the sources of the arithmetic of secrets:
// every condition and every index is made of constants, loop counters, lengths and the
// number of limbs; there is no division, no switch, no early end and no other call. So
// the sequence of operations and of addresses is one and the same for all scalars and
// points of a curve. (What processors make of it is for BenchmarkTiming to see.)
func TestNoBranchOrAddressDependsOnASecret(t *testing.T) {
	t.Parallel()
	set, found := token.NewFileSet(), map[string]int{}
	for _, name := range []string{"point.go", "comb.go", "field.go", "curve.go"} {
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && slices.Contains(secretFunctions(), f.Name.Name) {
				found[f.Name.Name]++
				for _, p := range secretDependences(f) {
					t.Errorf("%v: %s: %s", set.Position(p.at), f.Name.Name, p.what)
				}
			}
		}
	}
	for _, name := range secretFunctions() {
		if found[name] == 0 {
			t.Errorf("there is no function %s any more", name)
		}
	}
}

// TestTheStructuralTestCanFail: each way to depend on a secret is seen.
func TestTheStructuralTestCanFail(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"branch":        "if k[0] == 1 { c.add(r, r, r) }",
		"index":         "c.add(r, r, &table[k[i]])",
		"range value":   "for _, b := range k { c.add(r, r, &table[b]) }",
		"loop bound":    "for i := byte(0); i < k[0]; i++ { c.add(r, r, r) }",
		"range bound":   "for range k[0] { c.add(r, r, r) }",
		"slice bound":   "c.lookup(r, table[:k[0]], 0)",
		"short circuit": "ok = k[0] == 1 && f()",
		"switch":        "switch k[0] {}",
		"early end":     "for i := range k { break }",
		"return":        "for i := range k { return }",
		"division":      "x = k[0] % 3",
		"other call":    "c.doubleScalarVarTime(r, r, r, k, k)",
		"map":           "x = table[string(k)]",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f(k []byte) {\n"+body+"\n}", parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(secretDependences(file.Decls[0].(*ast.FuncDecl))) == 0 {
			t.Errorf("%s is not seen", name)
		}
	}
}

type dependence struct {
	at   token.Pos
	what string
}

// secretDependences lists what in a function may depend on a secret.
func secretDependences(f *ast.FuncDecl) []dependence {
	var out []dependence
	report := func(at token.Pos, what string) { out = append(out, dependence{at, what}) }
	public := map[string]bool{"n": true, "true": true, "false": true, "nil": true}
	check := func(e ast.Expr, what string) {
		if e != nil && !isPublic(e, public) {
			report(e.Pos(), what)
		}
	}
	depth := 0
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt:
			if a, ok := n.Init.(*ast.AssignStmt); ok {
				for i, left := range a.Lhs {
					if name, ok := left.(*ast.Ident); ok && isPublic(a.Rhs[i], public) {
						public[name.Name] = true
					}
				}
			}
			check(n.Cond, "bound of a loop")
			depth++
			ast.Inspect(n.Body, visit)
			depth--
			return false
		case *ast.RangeStmt:
			if name, ok := n.Key.(*ast.Ident); ok {
				public[name.Name] = true // a position or a counter
			}
			if isCount(n.X) {
				check(n.X, "bound of a loop")
			}
			depth++
			ast.Inspect(n.Body, visit)
			depth--
			return false
		case *ast.IfStmt:
			check(n.Cond, "condition")
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.BranchStmt, *ast.GoStmt:
			report(n.Pos(), "control flow")
		case *ast.ReturnStmt:
			if depth > 0 {
				report(n.Pos(), "end within a loop")
			}
		case *ast.IndexExpr:
			check(n.Index, "index")
		case *ast.SliceExpr:
			check(n.Low, "bound of a slice")
			check(n.High, "bound of a slice")
		case *ast.BinaryExpr:
			divides := n.Op == token.QUO || n.Op == token.REM
			if (divides || n.Op == token.LAND || n.Op == token.LOR) && !isPublic(n, public) {
				report(n.Pos(), "operator "+n.Op.String())
			}
		case *ast.CallExpr:
			if !allowedCall(n) {
				report(n.Pos(), "another call")
			}
		}
		return true
	}
	ast.Inspect(f.Body, visit)
	return out
}

// isCount tells ranges over a number from those over a sequence held in a variable,
// whose length is public.
func isCount(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident, *ast.CompositeLit, *ast.SliceExpr:
		return false
	case *ast.SelectorExpr:
		return e.Sel.Name == "n"
	}
	return true
}

// isPublic: made of constants, counters, lengths and the number of limbs alone, or
// whether the curve holds a table.
func isPublic(e ast.Expr, public map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return public[e.Name]
	case *ast.SelectorExpr:
		return e.Sel.Name == "n" || e.Sel.Name == "comb"
	case *ast.ParenExpr:
		return isPublic(e.X, public)
	case *ast.UnaryExpr:
		return isPublic(e.X, public)
	case *ast.BinaryExpr:
		return isPublic(e.X, public) && isPublic(e.Y, public)
	case *ast.CallExpr:
		name, ok := e.Fun.(*ast.Ident)
		return ok && name.Name == "len"
	}
	return false
}

// allowedCall: one another, math/bits, lengths, conversions and the table of multiples.
func allowedCall(c *ast.CallExpr) bool {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"len", "byte", "uint64"}, f.Name) || slices.Contains(secretFunctions(), f.Name)
	case *ast.SelectorExpr:
		if p, ok := f.X.(*ast.Ident); ok && p.Name == "bits" {
			return slices.Contains([]string{"Mul64", "Add64", "Sub64"}, f.Sel.Name)
		}
		return f.Sel.Name == "comb" || slices.Contains(secretFunctions(), f.Sel.Name) // comb: the table of a standard generator
	}
	return false
}

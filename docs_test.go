package ipse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThreatModelNamesRealTests keeps the pages that name proofs honest: each test or
// fuzz target must exist somewhere in the module.
func TestThreatModelNamesRealTests(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		if !strings.HasSuffix(name, "_test.go") {
			return
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				exists[f.Name.Name] = true
			}
		}
	})
	for page, least := range map[string]int{"threat-model": 30, "conformance": 60, "conformance-chip": 20, "verdict": 15} {
		name := "docs/" + page + ".md"
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
		if len(named) < least {
			t.Errorf("%s names %d tests: it must name the proof of each line", name, len(named))
		}
		for _, m := range named {
			if !exists[m[1]] {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`(e2e/[^`]+)`").FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
	}
}

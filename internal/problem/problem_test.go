package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/consent"
	"ipse/internal/fair"
	"ipse/internal/problem"
	"ipse/internal/proofing"
	"ipse/internal/vault"
)

// sentinels lists the error variables that a package declares and exports.
func sentinels(t *testing.T, pkg string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("sources of %s: %v", pkg, err)
	}
	var names []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(id.Name, "Err") {
						names = append(names, pkg+"."+id.Name)
					}
				}
			}
		}
	}
	return names
}

// tabled lists the sentinels that the table names.
func tabled(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Err") {
			names = append(names, s.X.(*ast.Ident).Name+"."+s.Sel.Name)
		}
		return true
	})
	return names
}

func TestEverySentinelOfTheServicesStandsInTheTable(t *testing.T) {
	t.Parallel()
	have := tabled(t)
	want := 0
	for _, pkg := range []string{"proofing", "account", "vault", "counter", "consent"} {
		for _, name := range sentinels(t, pkg) {
			want++
			if n := len(slices.DeleteFunc(slices.Clone(have), func(s string) bool { return s != name })); n != 1 {
				t.Errorf("%s stands in the table %d times, want once", name, n)
			}
		}
	}
	if want < 40 || want != len(have) {
		t.Errorf("%d sentinels declared, %d in the table", want, len(have))
	}
}

func TestWrappedErrorsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		code   problem.Code
		status int
		retry  int
	}{
		{fmt.Errorf("load: %w", proofing.ErrNoSession), "no_proofing", 404, 0},
		{fmt.Errorf("x: %w", fair.After(proofing.ErrBusy, 12*time.Second)), "busy", 503, 12},
		{fmt.Errorf("x: %w", fair.After(account.ErrLimited, 90*time.Second)), "rate_limited", 429, 90},
		{fmt.Errorf("%w: %w", account.ErrVault, vault.ErrKey), "invalid_request", 400, 0},
		{fmt.Errorf("%w: %w", proofing.ErrNoConsent, consent.ErrNotPermitted), "consent_required", 403, 0},
		{fmt.Errorf("create account: %w", account.ErrNoPRF), "prf_unsupported", 422, 0},
		{fmt.Errorf("add: %w", account.ErrTooManyPasskeys), "too_many_passkeys", 409, 0},
		{fmt.Errorf("store: x: %w", coded("store_unavailable")), "unavailable", 503, 0},
		{problem.New(problem.TooLarge, nil), "too_large", 413, 0},
		{&problem.Error{Code: problem.RateLimited, RetryAfter: 1500 * time.Millisecond}, "rate_limited", 429, 2},
		{coded("login_essential_missing"), "essential_missing", 422, 0},
		{fmt.Errorf("x: %w", coded("login_other_browser")), "login_unknown", 404, 0},
		{coded("a code of tomorrow"), "internal", 500, 0},
		{context.DeadlineExceeded, "unavailable", 503, 0},
		{errors.New("disk full"), "internal", 500, 0},
	} {
		p := problem.Of(c.err)
		if p.Code != c.code || p.Status != c.status || p.RetryAfter != c.retry || p.Title == "" || p.Type != "urn:ipse:problem:"+string(c.code) {
			t.Errorf("%v: %+v, want %s %d retry %d", c.err, p, c.code, c.status, c.retry)
		}
	}
}

type coded string

func (c coded) Error() string { return "coded" }
func (c coded) Code() string  { return string(c) }

func TestAProblemSaysNothingOfItsCause(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	problem.Write(w, fmt.Errorf("open /var/lib/secret: %w", fair.After(proofing.ErrBusy, time.Second)))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != problem.ContentType ||
		w.Header().Get("Retry-After") != "1" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if strings.Contains(w.Body.String(), "secret") {
		t.Errorf("the cause reached the client: %s", w.Body)
	}
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code != problem.Busy || p.Status != 503 || p.RetryAfter != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestThePagesHaveSentencesForEveryCode reads the pages' messages.
func TestThePagesHaveSentencesForEveryCode(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				codes = append(codes, strings.Trim(lit.Value, `"`))
			}
		}
		return true
	})
	if len(codes) < 25 {
		t.Fatalf("found %d codes", len(codes))
	}
	for _, language := range []string{"en", "fr"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "web", "src", "i18n", language+"-codes.ts"))
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range codes {
			for _, sentence := range []string{"what", "means", "do"} {
				if !regexp.MustCompile(`"problem\.` + code + `\.` + sentence + `": ".+"`).Match(raw) {
					t.Errorf("%s: no sentence problem.%s.%s", language, code, sentence)
				}
			}
		}
	}
}

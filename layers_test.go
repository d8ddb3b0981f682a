package ipse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors lists the packages of the module from the lowest floor to the highest.
// A package may import packages of its own module only from lower floors; two
// packages of the same floor never import each other, unless they are parts of
// one library (mrtd and its sub-packages order themselves below).
//
// A package missing here fails the test: say where it stands before writing it.
var floors = [][]string{
	{"internal/pii", "internal/fair", "internal/metrics"},
	{"internal/pii/piitest"},
	{"mrtd/tlv"},
	{"mrtd/internal/ec", "mrtd/internal/apdu", "mrtd/deviation", "mrtd/jp2", "face/internal/kernel"},
	{"mrtd/mrz", "mrtd/cms"},
	{"mrtd/lds", "mrtd/trust", "mrtd/internal/sm"},
	{"mrtd/internal/pace"},
	{"mrtd/chip"},
	{"mrtd"},
	{"mrtd/specimen", "mrtd/vpcd", "face", "internal/consent"},
	{"face/pack", "face/eval", "face/attack"},
	{"internal/account", "internal/vault", "internal/proofing", "internal/counter"},
	{"internal/account/authtest", "internal/vault/vaulttest"},
	{"internal/problem", "internal/config"},
	{"internal/store", "internal/onnx", "internal/relay", "internal/pcsc"},
	{"internal/store/storetest"},
	{"internal/idp", "internal/httpapi", "web"},
	{"internal/httpapi/apitest"},
	{"internal/idp/idptest", "internal/demo"},
	{"internal/app"},
	{"cmd/ipse"},
}

// restricted names imports that only some packages may use, and why.
var restricted = []struct {
	imports []string
	only    []string
	except  []string
	why     string
}{
	{imports: []string{"database/sql"}, only: []string{"internal/store"}, why: "SQL lives in the store alone"},
	{imports: []string{"C"}, only: []string{"internal/onnx"}, why: "cgo lives in internal/onnx alone"},
	{imports: []string{"github.com/go-webauthn/webauthn"}, only: []string{"internal/account"}, why: "one importer of the WebAuthn library"},
	{imports: []string{"github.com/yalue/onnxruntime_go"}, only: []string{"internal/onnx"}, why: "the runtime is reached through face.Inferer"},
}

// engines must stay usable without a server: no transport, no SQL, no files, no log.
var engines = []string{"mrtd", "face", "internal/tlog", "internal/consent"}

var engineForbidden = []string{"net/http", "database/sql", "os", "log/slog", "log"}

type sourceFile struct {
	pkg     string // directory relative to the module, slash separated
	name    string
	imports []string
	test    bool
}

// TestLayers parses every source file in process, whatever its build tags (a
// child `go list` would be hidden from the test cache), and checks who imports whom.
func TestLayers(t *testing.T) {
	t.Parallel()
	files := parseModule(t)
	if len(files) < 2 {
		t.Fatalf("found %d source files: the walk is broken", len(files))
	}
	floorOf := map[string]int{}
	for i, floor := range floors {
		for _, pkg := range floor {
			floorOf[pkg] = i
		}
	}
	for _, f := range files {
		if f.pkg == "." || strings.HasPrefix(f.pkg, "e2e") || strings.HasPrefix(f.pkg, "scripts") {
			continue
		}
		if _, ok := floorOf[f.pkg]; !ok {
			t.Errorf("%s: package %s has no floor in layers_test.go", f.name, f.pkg)
			continue
		}
		for _, imp := range f.imports {
			checkImport(t, f, imp, floorOf)
		}
	}
}

func checkImport(t *testing.T, f sourceFile, imp string, floorOf map[string]int) {
	t.Helper()
	for _, r := range restricted {
		if slices.ContainsFunc(r.imports, func(p string) bool { return imp == p || strings.HasPrefix(imp, p+"/") }) &&
			!within(f.pkg, r.only) && !f.test {
			t.Errorf("%s imports %q: %s", f.name, imp, r.why)
		}
	}
	if within(f.pkg, engines) && !f.test && slices.Contains(engineForbidden, imp) {
		t.Errorf("%s imports %q: an engine has no server, file or log of its own", f.name, imp)
	}
	target, ours := strings.CutPrefix(imp, "ipse/")
	if !ours || f.test {
		return
	}
	floor, known := floorOf[target]
	if known && floor >= floorOf[f.pkg] {
		t.Errorf("%s (floor %d) imports %q (floor %d): imports point downwards only", f.name, floorOf[f.pkg], imp, floor)
	}
}

// TestNoGallery keeps the promise of 1:1 in the code: no identifier of a type,
// function, field or constant names a search among faces, a gallery or a watch-list.
func TestNoGallery(t *testing.T) {
	t.Parallel()
	forbidden := []string{"gallery", "watchlist", "identifyface", "searchface", "facesearch", "facestore", "storeface",
		"templatestore", "storetemplate", "facedatabase", "facedb", "onetomany", "emotion", "ethnicity"}
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		if strings.HasSuffix(name, "layers_test.go") {
			return
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			lower := strings.ToLower(id.Name)
			for _, word := range forbidden {
				if strings.Contains(lower, word) {
					t.Errorf("%s: identifier %s: faces are compared 1:1 and nothing else", fset.Position(id.Pos()), id.Name)
				}
			}
			return true
		})
	})
}

// TestPackagesAreDocumented asks every package for a package comment.
func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		file, err := parser.ParseFile(fset, name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(filepath.ToSlash(name))
		documented[dir] = documented[dir] || file.Doc != nil
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

// TestFilesStaySmall keeps every Go source under 600 lines.
func TestFilesStaySmall(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if lines := fset.Position(file.FileEnd).Line; lines > 600 {
			t.Errorf("%s has %d lines (at most 600)", name, lines)
		}
	})
}

func within(pkg string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return pkg == r || strings.HasPrefix(pkg, r+"/") })
}

func walkGo(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base != "." && (base == "node_modules" || base == "testdata" || strings.HasPrefix(base, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			visit(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func parseModule(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	fset := token.NewFileSet()
	walkGo(t, func(name string) {
		file, err := parser.ParseFile(fset, name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		f := sourceFile{pkg: path.Dir(filepath.ToSlash(name)), name: name, test: strings.HasSuffix(name, "_test.go")}
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			f.imports = append(f.imports, p)
		}
		files = append(files, f)
	})
	return files
}

package config

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"reflect"
	"strings"
)

// source is this package's own declaration of Config: its comments are the manual.
//
//go:embed config.go
var source string

// WriteReference writes the documented reference file: every setting with its
// comment and its default, in the order of the struct. It reads back as the
// default configuration plus one example service.
func WriteReference(w io.Writer) error {
	docs, err := fieldDocs()
	if err != nil {
		return fmt.Errorf("read the settings' comments: %w", err)
	}
	var b strings.Builder
	b.WriteString("# ipse.toml: every setting with its default. `ipse config check FILE` validates a file.\n")
	cfg := reflect.ValueOf(Default())
	for i := range cfg.NumField() {
		field := cfg.Type().Field(i)
		key := field.Tag.Get("toml")
		b.WriteByte('\n')
		comment(&b, docs["Config."+field.Name])
		value := cfg.Field(i)
		if value.Kind() == reflect.Slice {
			fmt.Fprintf(&b, "#[[%s]]\n", key)
			table(&b, docs, reflect.New(field.Type.Elem()).Elem(), "#")
			continue
		}
		fmt.Fprintf(&b, "[%s]\n", key)
		table(&b, docs, value, "")
	}
	_, err = io.WriteString(w, b.String())
	return err
}

func table(b *strings.Builder, docs map[string]string, v reflect.Value, prefix string) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		comment(b, docs[v.Type().Name()+"."+field.Name])
		fmt.Fprintf(b, "%s%s = %s\n", prefix, field.Tag.Get("toml"), literal(v.Field(i)))
	}
}

func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Duration:
		return fmt.Sprintf("%q", x.String())
	case string:
		return fmt.Sprintf("%q", x)
	case []string:
		return "[]"
	default:
		return fmt.Sprint(x)
	}
}

func comment(b *strings.Builder, doc string) {
	for line := range strings.Lines(doc) {
		b.WriteString(strings.TrimRight("# "+strings.TrimSuffix(line, "\n"), " ") + "\n")
	}
}

// fieldDocs maps Type.Field to its comment.
func fieldDocs() (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	docs := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range structure.Fields.List {
			for _, name := range f.Names {
				docs[spec.Name.Name+"."+name.Name] = strings.TrimSuffix(f.Doc.Text(), "\n")
			}
		}
		return true
	})
	return docs, nil
}

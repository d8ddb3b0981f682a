package app

import (
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ipse/internal/config"
	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/trust"
)

// maxTrustFile bounds one trust source: the ICAO PKD's exports are some 100 MB.
const maxTrustFile = 512 << 20

// loadTrust reads the sources of the configuration.
func loadTrust(cfg config.Trust) (*trust.Store, []trust.Report, error) {
	policy, err := deviation.ParsePolicy(cfg.Policy)
	if err != nil {
		return nil, nil, err
	}
	opts := trust.Options{Policy: policy}
	for _, name := range cfg.Roots {
		root, err := readCertificate(name)
		if err != nil {
			return nil, nil, err
		}
		opts.Roots = append(opts.Roots, root)
	}
	opts.RequireSignedLists = len(opts.Roots) > 0
	var sources []trust.Source
	for _, name := range cfg.Sources {
		found, err := ReadTrustSource(name)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, found...)
	}
	return trust.Load(sources, opts)
}

// ReadTrustSource reads a file, or in a folder every file of a known kind, sorted.
func ReadTrustSource(name string) ([]trust.Source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("trust source: %w", err)
	}
	names := []string{name}
	if info.IsDir() {
		if names, err = trustFiles(name); err != nil {
			return nil, fmt.Errorf("trust source: %w", err)
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("trust source %s: no master list, LDIF, PEM or DER file in this folder", name)
		}
	}
	out := make([]trust.Source, 0, len(names))
	for _, file := range names {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("trust source: %w", err)
		}
		if info.Size() > maxTrustFile {
			return nil, fmt.Errorf("trust source %s: larger than %d octets", file, maxTrustFile)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("trust source: %w", err)
		}
		out = append(out, trust.Source{Name: filepath.Base(file), Data: content})
	}
	return out, nil
}

func trustFiles(dir string) ([]string, error) {
	known := []string{".ml", ".ldif", ".pem", ".der", ".cer", ".crt", ".crl", ".cert"}
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains(known, strings.ToLower(filepath.Ext(name))) {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

func readCertificate(name string) (*cms.Certificate, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("root certificate: %w", err)
	}
	if block, _ := pem.Decode(raw); block != nil {
		raw = block.Bytes
	}
	c, err := cms.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("root certificate %s: %w", name, err)
	}
	return c, nil
}

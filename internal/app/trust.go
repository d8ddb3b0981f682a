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

// LoadTrust reads the sources and roots that cfg names. Where roots are given, lists
// that none of them vouches for are refused. With explain set, a source that cannot
// be loaded is reported and left out instead of failing the whole.
func LoadTrust(cfg config.Trust, explain bool) (*trust.Store, []trust.Report, error) {
	policy, err := deviation.ParsePolicy(cfg.Policy)
	if err != nil {
		return nil, nil, err
	}
	opts := trust.Options{Policy: policy, RequireSignedLists: len(cfg.Roots) > 0, SkipBadSources: explain}
	for _, name := range cfg.Roots {
		root, err := readCertificate(name)
		if err != nil {
			return nil, nil, err
		}
		opts.Roots = append(opts.Roots, root)
	}
	var sources []trust.Source
	for _, name := range cfg.Sources {
		found, err := readTrustSource(name)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, found...)
	}
	return trust.Load(sources, opts)
}

// readTrustSource reads a file, or in a folder every file of a known kind, sorted.
func readTrustSource(name string) ([]trust.Source, error) {
	names, err := trustFilesOf(name)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("trust source %s: no master list, LDIF, PEM or DER file in this folder", name)
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

// trustFilesOf returns name itself, or for a folder its files of a known kind, sorted.
func trustFilesOf(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("trust source: %w", err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	names, err := trustFiles(name)
	if err != nil {
		return nil, fmt.Errorf("trust source: %w", err)
	}
	return names, nil
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

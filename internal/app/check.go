package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"ipse/internal/config"
)

// Checked is what CheckFiles found.
type Checked struct {
	// Authorities whose documents would be accepted.
	Authorities int
}

// CheckFiles opens every file that a valid configuration names, as a start would,
// and reports all that is wrong with them. It changes nothing.
func CheckFiles(cfg config.Config) (found Checked, err error) {
	var errs []error
	if s := cfg.Server; s.TLSCertificate != "" {
		if _, err := tls.LoadX509KeyPair(s.TLSCertificate, s.TLSKey); err != nil {
			errs = append(errs, fmt.Errorf("server.tls_certificate and server.tls_key: %w", err))
		}
	}
	lists, _, err := LoadTrust(cfg.Trust, false)
	if err != nil {
		errs = append(errs, err)
	} else {
		found.Authorities = lists.Len()
	}
	if _, err := servicesOf(cfg.Service); err != nil {
		errs = append(errs, err)
	}
	if _, err := logosOf(cfg.Service); err != nil {
		errs = append(errs, err)
	}
	if cfg.Face.Runtime != "" {
		if _, err := os.Stat(cfg.Face.Runtime); err != nil {
			errs = append(errs, fmt.Errorf("face.runtime: %w", err))
		}
	}
	return found, errors.Join(errs...)
}

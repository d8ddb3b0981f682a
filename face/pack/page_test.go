package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"testing"
)

func TestThePagesGetTheDetectorAndTheMeshUnderTheirOwnHashes(t *testing.T) {
	t.Parallel()
	networks, err := ForPages()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Manifest.Networks {
		wanted := n.Role == "detector" || n.Role == "mesh"
		f, err := networks.Open(n.SHA256 + ".onnx")
		if !wanted {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is served to pages", n.Role)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil || hex.EncodeToString(h.Sum(nil)) != n.SHA256 {
			t.Errorf("%s is not the file that its name says (%v)", n.Role, err)
		}
		if _, seeks := f.(io.Seeker); !seeks {
			t.Errorf("%s cannot be sought in", n.Role)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "manifest.json", "default/manifest.json", "../pack.go"} {
		if _, err := networks.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q opens", name)
		}
	}
}

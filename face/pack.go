package face

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
)

// Pack is a verified model pack in memory.
type Pack struct {
	Manifest Manifest
	hash     string
	files    map[string][]byte
}

// LoadPack reads the manifest and every file of it from fsys. It refuses a
// manifest that is not as docs/models.md describes, naming its line, and a file
// whose SHA-256 is not the manifest's.
func LoadPack(fsys fs.FS) (*Pack, error) {
	raw, err := fs.ReadFile(fsys, ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("face: model pack: %w", err)
	}
	manifest, err := parseManifest(raw)
	if err != nil {
		return nil, err
	}
	p := &Pack{Manifest: manifest, hash: hash(raw), files: map[string][]byte{}}
	for i, n := range manifest.Networks {
		data, err := fs.ReadFile(fsys, n.File)
		if err != nil {
			return nil, fmt.Errorf("face: model pack: %s: %w", manifest.at("networks[%d].file", i), err)
		}
		if hash(data) != n.SHA256 {
			return nil, fmt.Errorf("face: model pack: %s: %s is not the file of the manifest (its SHA-256 differs)", manifest.at("networks[%d].sha256", i), n.File)
		}
		p.files[n.File] = data
	}
	return p, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Hash identifies the pack: the SHA-256 of its manifest, in hexadecimal, which
// `sha256sum manifest.json` prints too. The manifest holds the hash of every file
// and the thresholds, so no other pack and no other rule has this hash.
func (p *Pack) Hash() string { return p.hash }

// spec builds the lane description of a network.
func (p *Pack) spec(role Role, input []int64, outputs [][]int64) (NetworkSpec, error) {
	i, err := p.Manifest.index(role)
	if err != nil {
		return NetworkSpec{}, err
	}
	n := p.Manifest.Networks[i]
	if len(n.Outputs) != len(outputs) {
		return NetworkSpec{}, fmt.Errorf("face: model pack: %s: %s: %d outputs named, %d needed", p.Manifest.at("networks[%d].outputs", i), n.File, len(n.Outputs), len(outputs))
	}
	s := NetworkSpec{
		Name: n.File, Key: n.SHA256, Model: p.files[n.File], Dequantise: n.Dequantise,
		Input: TensorSpec{Name: n.Input.Name, Shape: input, Stated: p.Manifest.at("networks[%d].input", i)},
	}
	for k, name := range n.Outputs {
		stated := p.Manifest.at("networks[%d].outputs[%d]", i, k)
		if role == RoleEmbedding {
			stated += fmt.Sprintf(" (dimensions: line %d)", p.Manifest.lines[fmt.Sprintf("networks[%d].dimensions", i)])
		}
		s.Outputs = append(s.Outputs, TensorSpec{Name: name, Shape: outputs[k], Stated: stated})
	}
	return s, nil
}

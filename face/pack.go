package face

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// ManifestFile is the name of the manifest inside a pack.
const ManifestFile = "manifest.json"

// Role says what a network of a pack is for.
type Role string

// The roles that a pack fills.
const (
	RoleDetector  Role = "detector"  // YuNet: boxes and five points
	RoleMesh      Role = "mesh"      // face mesh: 468 points with depth
	RoleIris      Role = "iris"      // eye contour and iris
	RoleEmbedding Role = "embedding" // aligned face to a vector
)

// Manifest describes a model pack: where each file comes from, what it expects
// and how often comparison errs with it.
type Manifest struct {
	Name       string            `json:"name"`
	Version    int               `json:"version"`
	Networks   []ManifestNetwork `json:"networks"`
	Comparison ComparisonFigures `json:"comparison"`
}

// ManifestNetwork describes one file of a pack.
type ManifestNetwork struct {
	Role         Role   `json:"role"`
	File         string `json:"file"`
	SHA256       string `json:"sha256"`
	Licence      string `json:"licence"`
	Source       string `json:"source"`
	SourceSHA256 string `json:"source_sha256"`
	TrainingData string `json:"training_data"`
	// Input of an embedding may be configured; the other roles' conventions are
	// those of the models named in docs/models.md.
	Input      ManifestInput `json:"input"`
	Outputs    []string      `json:"outputs"`
	Dimensions int           `json:"dimensions,omitempty"` // embedding length
	Dequantise bool          `json:"dequantise,omitempty"`
	Note       string        `json:"note,omitempty"`
}

// ManifestInput states an image tensor's convention.
type ManifestInput struct {
	Name   string  `json:"name"`
	Width  int     `json:"width"`  // pixels; 0 where any multiple of 32 goes
	Height int     `json:"height"` // pixels
	Order  string  `json:"order"`  // "RGB" or "BGR"
	Mean   float32 `json:"mean"`   // subtracted from 0..255
	Scale  float32 `json:"scale"`  // then multiplied
}

// ComparisonFigures holds the calibrated thresholds of the embedding.
type ComparisonFigures struct {
	Default    string      `json:"default"` // the FMR in force, one of Thresholds
	Thresholds []Threshold `json:"thresholds"`
	Measured   string      `json:"measured"` // on what, by whom, how many pairs
	// Live is the least cosine of a live check, whose several frames are averaged
	// and so afford a stricter threshold than one image does; 0 for the default's.
	Live float32 `json:"live,omitempty"`
	// LiveNote says why.
	LiveNote string `json:"live_note,omitempty"`
}

// Threshold is a cosine similarity and the error rates measured at it.
type Threshold struct {
	FMR    string  `json:"fmr"`    // "1:10000"
	Cosine float32 `json:"cosine"` // accept at or above
	FNMR   float32 `json:"fnmr"`   // single image against single image, fraction
}

// Pack is a verified model pack in memory.
type Pack struct {
	Manifest Manifest
	files    map[string][]byte
}

// LoadPack reads the manifest and every file of it from fsys and refuses a file
// whose SHA-256 is not the manifest's.
func LoadPack(fsys fs.FS) (*Pack, error) {
	raw, err := fs.ReadFile(fsys, ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("face: model pack: %w", err)
	}
	p := &Pack{files: map[string][]byte{}}
	if err := json.Unmarshal(raw, &p.Manifest); err != nil {
		return nil, fmt.Errorf("face: model pack: manifest: %w", err)
	}
	for _, n := range p.Manifest.Networks {
		data, err := fs.ReadFile(fsys, n.File)
		if err != nil {
			return nil, fmt.Errorf("face: model pack: %w", err)
		}
		sum := sha256.Sum256(data)
		if hex.EncodeToString(sum[:]) != n.SHA256 {
			return nil, fmt.Errorf("face: model pack: %s is not the file of the manifest (its SHA-256 differs)", n.File)
		}
		p.files[n.File] = data
	}
	return p, p.Manifest.validate()
}

func (m *Manifest) validate() error {
	for _, role := range []Role{RoleDetector, RoleMesh, RoleIris, RoleEmbedding} {
		if _, err := m.network(role); err != nil {
			return err
		}
	}
	e, err := m.network(RoleEmbedding)
	if err != nil {
		return err
	}
	if e.Input.Width != alignedSize || e.Input.Height != alignedSize || e.Dimensions < 32 || e.Dimensions > 2048 || len(e.Outputs) != 1 {
		return fmt.Errorf("face: model pack: %s: an embedding takes 112x112 and gives one vector of 32 to 2048 numbers", e.File)
	}
	if e.Input.Order != "RGB" && e.Input.Order != "BGR" {
		return fmt.Errorf("face: model pack: %s: input order %q is neither RGB nor BGR", e.File, e.Input.Order)
	}
	if _, err := m.threshold(m.Comparison.Default); err != nil {
		return err
	}
	if m.Comparison.Live < 0 || m.Comparison.Live >= 1 {
		return errors.New("face: model pack: threshold of live checks is out of range")
	}
	for _, t := range m.Comparison.Thresholds {
		if t.Cosine <= 0 || t.Cosine >= 1 {
			return fmt.Errorf("face: model pack: threshold for %s is out of range", t.FMR)
		}
	}
	return nil
}

func (m *Manifest) network(role Role) (ManifestNetwork, error) {
	i := slices.IndexFunc(m.Networks, func(n ManifestNetwork) bool { return n.Role == role })
	if i < 0 {
		return ManifestNetwork{}, fmt.Errorf("face: model pack: no network has the role %q", role)
	}
	return m.Networks[i], nil
}

func (m *Manifest) threshold(fmr string) (Threshold, error) {
	i := slices.IndexFunc(m.Comparison.Thresholds, func(t Threshold) bool { return t.FMR == fmr })
	if i < 0 {
		return Threshold{}, errors.New("face: model pack: no threshold was measured for the FMR asked for")
	}
	return m.Comparison.Thresholds[i], nil
}

// live is the threshold of a live check: never laxer than that of one image.
func (m *Manifest) live(single Threshold) Threshold {
	single.Cosine = max(single.Cosine, m.Comparison.Live)
	return single
}

// Hash identifies the pack: SHA-256 over the SHA-256 of its files in manifest
// order, in hexadecimal. Policy entries and receipts cite it.
func (p *Pack) Hash() string {
	h := sha256.New()
	for _, n := range p.Manifest.Networks {
		h.Write([]byte(n.SHA256))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// spec builds the lane description of a network.
func (p *Pack) spec(role Role, input []int64, outputs [][]int64) (NetworkSpec, error) {
	n, err := p.Manifest.network(role)
	if err != nil {
		return NetworkSpec{}, err
	}
	if len(n.Outputs) != len(outputs) {
		return NetworkSpec{}, fmt.Errorf("face: model pack: %s: %d outputs named, %d needed", n.File, len(n.Outputs), len(outputs))
	}
	s := NetworkSpec{
		Name: n.File, Key: n.SHA256, Model: p.files[n.File], Dequantise: n.Dequantise,
		Input: TensorSpec{Name: n.Input.Name, Shape: input},
	}
	for i, name := range n.Outputs {
		s.Outputs = append(s.Outputs, TensorSpec{Name: name, Shape: outputs[i]})
	}
	return s, nil
}

package face

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ManifestFile is the name of the manifest inside a pack.
const ManifestFile = "manifest.json"

// Role says what a network of a pack is for.
type Role string

// The roles that a pack fills, each once; RolePassive may be left out.
const (
	RoleDetector  Role = "detector"  // YuNet: boxes and five points
	RoleMesh      Role = "mesh"      // face mesh: 468 points with depth
	RoleIris      Role = "iris"      // eye contour and iris
	RoleEmbedding Role = "embedding" // aligned face to a vector
	RolePassive   Role = "passive"   // optional: live or not, from one frame
)

func roles() []Role { return []Role{RoleDetector, RoleMesh, RoleIris, RoleEmbedding} }

// Manifest describes a model pack: where each file comes from, what it expects
// and how often comparison errs with it.
type Manifest struct {
	Name       string            `json:"name"`
	Version    int               `json:"version"`
	Networks   []ManifestNetwork `json:"networks"`
	Comparison ComparisonFigures `json:"comparison"`

	lines map[string]int // of each member, by its path, e.g. "networks[0].input"
}

// ManifestNetwork describes one file of a pack.
type ManifestNetwork struct {
	Role         Role   `json:"role"`
	File         string `json:"file"`
	SHA256       string `json:"sha256"`
	Licence      string `json:"licence"`
	Source       string `json:"source"`
	SourceSHA256 string `json:"source_sha256"` // of the file that was converted; empty when none was
	TrainingData string `json:"training_data"`
	// Input of an embedding may be configured; the other roles' conventions are
	// those of the models named in docs/models.md, and must be stated as such.
	Input      ManifestInput `json:"input"`
	Outputs    []string      `json:"outputs"`
	Dimensions int           `json:"dimensions,omitempty"` // embedding length
	// Passive is for RolePassive alone.
	Passive    *ManifestPassive `json:"passive,omitempty"`
	Dequantise bool             `json:"dequantise,omitempty"`
	Note       string           `json:"note,omitempty"`
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
	// Continuity is what frames of one live check must have in common.
	Continuity Continuity `json:"continuity,omitzero"`
}

// Continuity holds the least cosines between frames of one live check: the same
// person under the same light in the same minute is far above what two photographs
// years apart reach, except where the face is turned. Members of 0 are derived
// from the threshold in force: the same for the first two, four fifths for the last.
type Continuity struct {
	Neutral    float32 `json:"neutral"`    // neutral, looking ahead
	Completing float32 `json:"completing"` // the frame that completes an instruction
	Turned     float32 `json:"turned"`     // turned or moving
}

// Threshold is a cosine similarity and the error rates measured at it.
type Threshold struct {
	FMR    string  `json:"fmr"`    // "1:10000"
	Cosine float32 `json:"cosine"` // accept at or above
	FNMR   float32 `json:"fnmr"`   // single image against single image, fraction
}

// Rate is the false match rate as a number, e.g. 0.0001 of "1:10000".
func (t Threshold) Rate() (float64, error) {
	one, n, _ := strings.Cut(t.FMR, ":")
	times, err := strconv.ParseUint(n, 10, 32)
	if err != nil || one != "1" || times < 2 {
		return 0, errors.New("face: a false match rate is written 1:N")
	}
	return 1 / float64(times), nil
}

// ErrNotCalibrated means that a pack states no threshold: it can be measured
// (Config.Measuring), and compares nobody until it was.
var ErrNotCalibrated = errors.New("face: model pack: no threshold was measured for its embedding")

func parseManifest(raw []byte) (m Manifest, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("face: model pack: %s: %w", ManifestFile, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("face: model pack: %s: more than one value", ManifestFile)
	}
	m.lines = map[string]int{}
	d = json.NewDecoder(bytes.NewReader(raw))
	if err := memberLines(d, raw, "", m.lines); err != nil {
		return m, fmt.Errorf("face: model pack: %s: %w", ManifestFile, err)
	}
	return m, m.validate()
}

// memberLines notes on which line each member of a JSON document begins.
func memberLines(d *json.Decoder, raw []byte, path string, lines map[string]int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	lines[path] = 1 + bytes.Count(raw[:d.InputOffset()], []byte("\n"))
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	for i := 0; d.More(); i++ {
		member := fmt.Sprintf("%s[%d]", path, i)
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			member = strings.TrimPrefix(fmt.Sprintf("%s.%v", path, key), ".")
		}
		if err := memberLines(d, raw, member, lines); err != nil {
			return err
		}
	}
	_, err = d.Token() // the end
	return err
}

// at names the place of a member, "manifest.json:88".
func (m *Manifest) at(format string, args ...any) string {
	if line := m.lines[fmt.Sprintf(format, args...)]; line > 0 {
		return ManifestFile + ":" + strconv.Itoa(line)
	}
	return ManifestFile
}

func (m *Manifest) validate() error {
	for _, role := range roles() {
		if _, err := m.network(role); err != nil {
			return err
		}
	}
	for i, n := range m.Networks {
		if err := n.validate(); err != nil {
			return fmt.Errorf("face: model pack: %s: %s: %w", m.at("networks[%d]", i), n.File, err)
		}
		if first := slices.IndexFunc(m.Networks, func(o ManifestNetwork) bool { return o.Role == n.Role }); first != i {
			return fmt.Errorf("face: model pack: %s: a second network has the role %q", m.at("networks[%d].role", i), n.Role)
		}
	}
	return m.validateThresholds()
}

// validate checks one network against the conventions of its role, which are code
// for all but the embedding.
func (n ManifestNetwork) validate() error {
	const unit = float32(1. / 255)
	in, size := n.Input, map[Role]int{RoleMesh: meshSize, RoleIris: irisSize, RoleEmbedding: alignedSize}[n.Role]
	switch {
	case n.Role != RolePassive && !slices.Contains(roles(), n.Role):
		return fmt.Errorf("there is no role %q", n.Role)
	case n.Licence == "" || n.Source == "" || n.TrainingData == "":
		return errors.New("licence, source and training_data are needed; say so where nothing is known")
	case n.Role != RolePassive && (in.Width != size || in.Height != size):
		return fmt.Errorf("the input of this role is %dx%d", size, size)
	case in.Order != "RGB" && in.Order != "BGR":
		return fmt.Errorf("input order %q is neither RGB nor BGR", in.Order)
	case n.Role == RoleEmbedding:
		if n.Dimensions < 32 || n.Dimensions > 2048 || len(n.Outputs) != 1 || in.Scale == 0 {
			return errors.New("an embedding takes pixels on a scale other than 0 and gives one vector of 32 to 2048 numbers")
		}
	case n.Role == RolePassive:
		return n.validatePassive()
	case n.Passive != nil:
		return errors.New(`"passive" is for a passive network`)
	case n.Role == RoleDetector && (in.Order != "BGR" || in.Mean != 0 || in.Scale != 1):
		return errors.New("the detector takes BGR, 0..255")
	case n.Role != RoleDetector && (in.Order != "RGB" || in.Mean != 0 || abs(in.Scale-unit) > 1e-6):
		return errors.New("this role takes RGB, 0..1")
	}
	return nil
}

// validateThresholds wants stricter rates to have greater cosines. A pack without
// any threshold is one still to be measured.
func (m *Manifest) validateThresholds() error {
	c := m.Comparison
	if len(c.Thresholds) == 0 && c.Default == "" && c.Live == 0 {
		return nil
	}
	last, cosine := 1., float32(0)
	for i, t := range c.Thresholds {
		at := m.at("comparison.thresholds[%d]", i)
		rate, err := t.Rate()
		switch {
		case err != nil:
			return fmt.Errorf("face: model pack: %s: %w", at, err)
		case t.Cosine <= 0 || t.Cosine >= 1 || t.FNMR < 0 || t.FNMR > 1:
			return fmt.Errorf("face: model pack: %s: threshold for %s is out of range", at, t.FMR)
		case rate >= last || t.Cosine < cosine:
			return fmt.Errorf("face: model pack: %s: thresholds go from lax to strict", at)
		}
		last, cosine = rate, t.Cosine
	}
	if c.Live < 0 || c.Live >= 1 {
		return fmt.Errorf("face: model pack: %s: threshold of live checks is out of range", m.at("comparison.live"))
	}
	for _, v := range []float32{c.Continuity.Neutral, c.Continuity.Completing, c.Continuity.Turned} {
		if v < 0 || v >= 1 {
			return fmt.Errorf("face: model pack: %s: continuity is out of range", m.at("comparison.continuity"))
		}
	}
	_, err := m.threshold(c.Default)
	return err
}

func (m *Manifest) network(role Role) (ManifestNetwork, error) {
	i, err := m.index(role)
	if err != nil {
		return ManifestNetwork{}, err
	}
	return m.Networks[i], nil
}

func (m *Manifest) index(role Role) (int, error) {
	i := slices.IndexFunc(m.Networks, func(n ManifestNetwork) bool { return n.Role == role })
	if i < 0 {
		return 0, fmt.Errorf("face: model pack: %s: no network has the role %q", m.at("networks"), role)
	}
	return i, nil
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

// or fills in what the manifest does not say.
func (c Continuity) or(t Threshold) Continuity {
	if c.Neutral == 0 {
		c.Neutral = t.Cosine
	}
	if c.Completing == 0 {
		c.Completing = t.Cosine
	}
	if c.Turned == 0 {
		c.Turned = .8 * t.Cosine
	}
	return c
}

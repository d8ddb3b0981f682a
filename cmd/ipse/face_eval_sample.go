package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ipse/face"
	"ipse/face/eval"
)

// evalSample is a side of a pair: an image, a folder of images of one person, or a
// recorded live check.
type evalSample struct {
	files []string
	given []face.Given
	at    []time.Duration
}

func (s *evalSample) several() bool { return len(s.files) != 1 || s.given != nil }

// sample finds the files of an entry of the list.
func (cmd faceEvalCmd) sample(entry eval.Image) (*evalSample, error) {
	name := cmd.path(entry)
	info, err := os.Stat(name)
	switch {
	case err != nil || (!info.IsDir() && !info.Mode().IsRegular()):
		return nil, fmt.Errorf("%s: line %d: an image is not a file that can be read", cmd.Pairs, entry.Line)
	case info.IsDir():
		return cmd.folder(name, entry.Line)
	case strings.EqualFold(filepath.Ext(name), ".json"):
		return cmd.recorded(name, entry.Line)
	}
	return &evalSample{files: []string{name}}, nil
}

func (cmd faceEvalCmd) folder(name string, line int) (*evalSample, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, fmt.Errorf("%s: line %d: a folder cannot be read", cmd.Pairs, line)
	}
	s := &evalSample{}
	for _, e := range entries { // in the order of their names
		if slices.Contains([]string{".jpg", ".jpeg", ".jp2", ".j2k"}, strings.ToLower(filepath.Ext(e.Name()))) {
			s.files = append(s.files, filepath.Join(name, e.Name()))
		}
	}
	if len(s.files) < 2 || len(s.files) > maxRecorded {
		return nil, fmt.Errorf("%s: line %d: a folder holds %d images; at least two are averaged", cmd.Pairs, line, len(s.files))
	}
	return s, nil
}

// recorded reads the description of a recorded live check, as face liveness does.
func (cmd faceEvalCmd) recorded(name string, line int) (*evalSample, error) {
	r, err := readRecording(name, filepath.Dir(name), 0)
	if err != nil || len(r.given) == 0 {
		return nil, fmt.Errorf("%s: line %d: a JSON file describes no recorded live check with its instructions", cmd.Pairs, line)
	}
	s := &evalSample{given: r.given}
	for _, f := range r.frames {
		s.files, s.at = append(s.files, f.path), append(s.at, f.at)
	}
	return s, nil
}

// samples finds every file before the first is compared. A list compares images, or
// it compares several at once: the rates of both in one table would be of neither.
func (cmd faceEvalCmd) samples(list *eval.Pairs) ([]*evalSample, error) {
	samples := make([]*evalSample, len(list.Images))
	for i, entry := range list.Images {
		s, err := cmd.sample(entry)
		if err != nil {
			return nil, err
		}
		samples[i] = s
	}
	several := func(p eval.Pair) bool { return samples[p.A].several() || samples[p.B].several() }
	for _, p := range list.Pairs {
		if several(p) != several(list.Pairs[0]) {
			return nil, fmt.Errorf("%s: line %d: one image against one, and several averaged, are measured in lists of their own", cmd.Pairs, p.Line)
		}
	}
	return samples, nil
}

// thresholds are the pack's; where the list has several images a side, with that of
// a live check, which is for such comparisons.
func (cmd faceEvalCmd) thresholds(p *face.Pack, samples []*evalSample) ([]eval.Threshold, error) {
	list, err := evalThresholds(p)
	c := p.Manifest.Comparison
	if err != nil || c.Live == 0 || !slices.ContainsFunc(samples, (*evalSample).several) {
		return list, err
	}
	i := slices.IndexFunc(list, func(t eval.Threshold) bool { return t.FMR == c.Default })
	return append(list, eval.Threshold{FMR: c.Default + ", live check", Claimed: list[i].Claimed, Score: float64(c.Live)}), nil
}

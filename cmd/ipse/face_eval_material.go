package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"ipse/face"
	"ipse/face/attack"
	"ipse/face/eval"
)

// padMaterial is what an index names, read from its folder.
type padMaterial struct {
	root   string
	index  *eval.Index
	split  eval.Split // or "all"
	people []*padPerson
	engine *face.Engine
}

// padPerson is a person with a genuine sequence.
type padPerson struct {
	eval.IndexPerson
	*attack.Recording
	portrait []byte
}

// readMaterial reads the index and the people of the split whose sequences are there.
func readMaterial(name string, split eval.Split) (*padMaterial, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	index, err := eval.ReadIndex(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m := &padMaterial{root: filepath.Dir(name), index: index, split: split}
	for _, p := range index.People {
		if p.Truth == "" || !m.wants(p.Split) {
			continue
		}
		person := &padPerson{IndexPerson: p}
		if person.portrait, err = os.ReadFile(m.path(p.Portrait)); err != nil {
			return nil, err
		}
		if person.Recording, err = m.recording(p.ID, p.Truth); err != nil {
			return nil, err
		}
		m.people = append(m.people, person)
	}
	if len(m.people) == 0 {
		return nil, fmt.Errorf("%s: nobody in this split has a genuine sequence", name)
	}
	return m, nil
}

func (m *padMaterial) wants(s eval.Split) bool { return m.split == "all" || m.split == s }

func (m *padMaterial) path(slashed string) string {
	return filepath.Join(m.root, filepath.FromSlash(slashed))
}

// recording reads a sequence's description; its pictures are read when shown.
func (m *padMaterial) recording(person, truth string) (*attack.Recording, error) {
	name := m.path(truth)
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	s, err := eval.ReadSequence(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	dir := filepath.Dir(name)
	r := &attack.Recording{Person: person, Frames: len(s.Frames)}
	for _, f := range s.Frames {
		r.Poses = append(r.Poses, attack.Pose{Yaw: f.Yaw, Pitch: f.Pitch, Roll: f.Roll})
		path := filepath.Join(dir, filepath.FromSlash(f.File))
		if inside, err := filepath.Rel(m.root, path); err != nil || !filepath.IsLocal(inside) {
			return nil, fmt.Errorf("%s: a frame lies outside the index's folder", name)
		}
	}
	end := s.Frames[len(s.Frames)-1].TMS
	for _, a := range s.Actions {
		if a.TMS[1] <= end { // else the recording ends in the middle of it
			r.Pieces = append(r.Pieces, attack.Piece{Action: face.Action(a.Action), From: s.IndexAt(a.TMS[0]), To: s.IndexAt(a.TMS[1])})
		}
	}
	r.Open = func(i int) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.Frames[i].File)))
	}
	r.Anchor = m.anchors(r)
	return r, nil
}

// anchors finds faces once a frame. A frame without one has that of the frame before.
func (m *padMaterial) anchors(r *attack.Recording) func(int) (attack.Anchor, error) {
	var mu sync.Mutex // guards known
	known := map[int]attack.Anchor{}
	return func(frame int) (attack.Anchor, error) {
		mu.Lock()
		defer mu.Unlock()
		if a, ok := known[frame]; ok {
			return a, nil
		}
		for i := frame; i >= 0; i-- {
			data, err := r.Open(i)
			if err != nil {
				return attack.Anchor{}, err
			}
			a, found, err := m.anchor(context.Background(), data)
			if err != nil {
				return attack.Anchor{}, err
			}
			if found {
				known[frame] = a
				return a, nil
			}
		}
		return attack.Anchor{}, errors.New("no face in the frames of a recording")
	}
}

func (m *padMaterial) anchor(ctx context.Context, data []byte) (attack.Anchor, bool, error) {
	l, found, err := m.engine.FindFace(ctx, data)
	at := func(p [2]float32) attack.Point { return attack.Point{X: float64(p[0]), Y: float64(p[1])} }
	mouth := at([2]float32{(l.MouthL[0] + l.MouthR[0]) / 2, (l.MouthL[1] + l.MouthR[1]) / 2})
	return attack.Anchor{EyeL: at(l.EyeL), EyeR: at(l.EyeR), Mouth: mouth}, found, err
}

func (m *padMaterial) describe() string {
	name := m.index.Name
	if name == "" {
		name = "own index"
	}
	return fmt.Sprintf("%s, %s split, %d people with a genuine sequence", name, m.split, len(m.people))
}

// frontal lists up to n frames of a recording in which the head looks ahead, evenly
// from beginning to end.
func (p *padPerson) frontal(n int) []int {
	var list []int
	for i, h := range p.Poses {
		if math.Abs(h.Yaw) < 6 && math.Abs(h.Pitch) < 6 {
			list = append(list, i)
		}
	}
	if len(list) <= n {
		return list
	}
	even := make([]int, n)
	for i := range even {
		even[i] = list[i*(len(list)-1)/(n-1)]
	}
	return even
}

// framesCompared is how many frames of each person are compared with the portraits.
const framesCompared = 10

// compare scores every portrait of the split against frames of its own person and
// of every other: one image against one.
func (m *padMaterial) compare(c *cliContext, thresholds []eval.Threshold) (*eval.Report, error) {
	type picture struct {
		person *padPerson
		frame  int // -1: the portrait
	}
	var pictures []picture
	for _, p := range m.people {
		pictures = append(pictures, picture{p, -1})
	}
	for _, p := range m.people {
		for _, i := range p.frontal(framesCompared) {
			pictures = append(pictures, picture{p, i})
		}
	}
	var pairs [][2]int
	for i := range m.people {
		for k := len(m.people); k < len(pictures); k++ {
			pairs = append(pairs, [2]int{i, k})
		}
	}
	open := func(i int) ([]byte, error) {
		c.progress("comparison: image %d of %d", i+1, len(pictures))
		if p := pictures[i]; p.frame >= 0 {
			return p.person.Open(p.frame)
		}
		return slices.Clone(pictures[i].person.portrait), nil
	}
	trials := make([]eval.Trial, 0, len(pairs))
	failed := map[int]bool{}
	err := m.engine.ScorePairs(c.Context, face.Photographs(len(pictures), open), pairs, func(n int, r face.Comparison, cosine float32) error {
		a, b := pictures[pairs[n][0]], pictures[pairs[n][1]]
		for k, q := range []face.ImageQuality{r.A, r.B} {
			if !q.Usable {
				failed[pairs[n][k]] = true
			}
		}
		trials = append(trials, eval.Trial{Genuine: a.person == b.person, Groups: a.person.Groups, Score: float64(cosine), Failed: !r.Compared,
			People: [2]int{slices.Index(m.people, a.person), slices.Index(m.people, b.person)}})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, p := range m.people {
		groups = append(groups, p.Groups...)
	}
	slices.Sort(groups)
	report, err := eval.NewReport(trials, thresholds, slices.Compact(groups))
	if err != nil {
		return nil, err
	}
	report.Images, report.People = len(pictures), len(m.people)
	report.FTE = eval.Rate{Errors: len(failed), Trials: len(pictures)}
	return report, nil
}

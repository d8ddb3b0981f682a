package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"ipse/face"
	"ipse/face/attack"
	"ipse/face/eval"
)

// colours of a sequence of light.
const colours = 6

// longestRun bounds a presentation: the camera's time.
const longestRun = 3 * time.Minute

// padBench runs presentations against the check.
type padBench struct {
	cmd      faceEvalPadCmd
	c        *cliContext
	material *padMaterial
	journal  *padJournal
	pack     string // its hash

	conditions []attack.Condition
}

// padJob is one presentation to be made.
type padJob struct {
	species  attack.Species
	person   *padPerson
	other    *padPerson // or nil
	variant  int
	under    string // the condition, or empty
	build    func(challenge []face.Action) (*attack.Presentation, error)
	asked    []face.Action // or nil: drawn
	recorded string        // its name in the index, or empty
}

func (b *padBench) run() (*eval.PAD, error) {
	jobs, err := b.jobs()
	if err != nil {
		return nil, err
	}
	if b.journal, err = openJournal(b.cmd.Resume); err != nil {
		return nil, err
	}
	results, err := b.all(jobs)
	err = errors.Join(err, b.journal.close())
	if err != nil {
		return nil, err
	}
	var catalogue []eval.SpeciesInfo
	for _, i := range attack.Catalogue() {
		catalogue = append(catalogue, eval.SpeciesInfo{Species: string(i.Species), Title: i.Title, Made: i.Made, Impostor: i.Impostor, Limit: i.Limit})
	}
	var conditions []eval.ConditionInfo
	for _, k := range attack.Conditions() {
		conditions = append(conditions, eval.ConditionInfo{Name: k.Name, Made: k.Made, Unfit: k.Unfit})
	}
	pad, err := eval.NewPAD(results, catalogue, conditions)
	if err != nil {
		return nil, err
	}
	pad.Split, pad.Seed, pad.Variants, pad.Planned, pad.Presentations = b.cmd.Split, b.cmd.Seed, b.cmd.Variants, len(jobs), len(results)
	return pad, nil
}

// all runs the jobs on every core, those that time allows; results come in the order
// of jobs.
func (b *padBench) all(jobs []padJob) ([]eval.Presentation, error) {
	order := b.mixed(jobs)
	results := make([]eval.Presentation, len(jobs))
	errs := make([]error, len(jobs))
	var mu sync.Mutex // guards next, done, accepted and stop
	next, accepted, stop := 0, 0, false
	var done []int
	began := b.c.Now()
	late := func(i int) bool {
		return b.cmd.AtMost > 0 && b.c.Now().Sub(began) > b.cmd.AtMost && !b.journal.knows(b.key(jobs[i]))
	}
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if stop || next == len(jobs) || b.c.Context.Err() != nil {
			return 0, false
		}
		for next++; late(order[next-1]); next++ {
			if next == len(jobs) {
				return 0, false
			}
		}
		return order[next-1], true
	}
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				i, ok := take()
				if !ok {
					return
				}
				results[i], errs[i] = b.journal.through(b.key(jobs[i]), func() (eval.Presentation, error) { return b.present(jobs[i]) })
				mu.Lock()
				done = append(done, i)
				if jobs[i].species != attack.BonaFide && results[i].Accepted {
					accepted++
				}
				stop = stop || errs[i] != nil
				b.c.progress("presentation %d of %d, %d attacks accepted", len(done), len(jobs), accepted)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(done)
	made := make([]eval.Presentation, 0, len(done))
	for _, i := range done {
		made = append(made, results[i])
	}
	return made, ended(b.c.Context)
}

// mixed is an order of the jobs in which every species has come as far, in proportion,
// as every other: a run that ends in time has measured them all.
func (b *padBench) mixed(jobs []padJob) []int {
	of := map[attack.Species][]int{}
	for i, j := range jobs {
		of[j.species] = append(of[j.species], i)
	}
	rank := make([]float64, len(jobs))
	for s, list := range of {
		attack.Shuffle(attack.NewRandom(b.cmd.Seed, "order", string(s)), list)
		for k, i := range list {
			rank[i] = (float64(k) + .5) / float64(len(list))
		}
	}
	order := make([]int, len(jobs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, k int) int { return cmp.Compare(rank[i], rank[k]) })
	return order
}

// jobs lists every presentation, bona fide ones first.
func (b *padBench) jobs() ([]padJob, error) {
	var jobs []padJob
	for _, p := range b.material.people {
		for v := range b.cmd.BonaFide {
			jobs = append(jobs, b.generated(attack.BonaFide, p, nil, v, ""))
		}
	}
	for k, c := range b.conditions {
		n := len(b.material.people)
		for i := range cmp.Or(b.cmd.EachCondition, n) { // people take turns
			jobs = append(jobs, b.generated(attack.BonaFide, b.material.people[(k+i)%n], nil, i/n, c.Name))
		}
	}
	for _, info := range attack.Catalogue() {
		if !b.cmd.only(info.Species) {
			continue
		}
		for i, p := range b.material.people {
			for v := range b.cmd.Variants {
				var other *padPerson
				if n := len(b.material.people); info.Other {
					if n < 2 {
						continue
					}
					other = b.material.people[(i+1+(i+v)%(n-1))%n]
				}
				// Each person begins with another kind of the species.
				jobs = append(jobs, b.generated(info.Species, p, other, i+v, b.filmed(info.Species, i+v)))
			}
		}
	}
	recorded, err := b.recorded()
	return append(jobs, recorded...), err
}

// filmed is the condition of an attack: they take turns.
func (b *padBench) filmed(s attack.Species, n int) string {
	if !b.cmd.Filmed || !attack.Filmed(s) || len(b.conditions) == 0 {
		return ""
	}
	r := attack.NewRandom(b.cmd.Seed, "filmed", string(s))
	return b.conditions[(n+r.Int(len(b.conditions)))%len(b.conditions)].Name
}

func (b *padBench) generated(s attack.Species, p, other *padPerson, variant int, under string) padJob {
	return padJob{species: s, person: p, other: other, variant: variant, under: under, build: func(challenge []face.Action) (*attack.Presentation, error) {
		set := attack.Setting{Subject: p.Recording, Portrait: p.portrait, Challenge: challenge, Variant: variant, Seed: b.cmd.Seed, Condition: under}
		set.PortraitAnchor = func() (attack.Anchor, error) {
			a, found, err := b.material.anchor(b.c.Context, p.portrait)
			if err == nil && !found {
				err = attack.ErrRecording
			}
			return a, err
		}
		if other != nil {
			set.Other = other.Recording
		}
		return attack.New(s, set)
	}}
}

// species that an index names by another word.
func indexSpecies(name string) (attack.Species, bool) {
	short := map[string]attack.Species{"bent": attack.BentPrint, "mask": attack.CutMask, "screen": attack.ScreenVideo, "still": attack.InjectedStill,
		"order": attack.WrongOrder, "twofaces": attack.TwoPeople}
	s, ok := short[name]
	if !ok {
		s = attack.Species(name)
	}
	_, known := attack.Of(s)
	return s, known
}

// recorded lists the attacks of the index whose people belong to the split and
// whose frames are there: played as they are, and, where the recording has pieces,
// piece by piece as instructions ask.
func (b *padBench) recorded() ([]padJob, error) {
	m := b.material
	var jobs []padJob
	for _, a := range m.index.Attacks {
		s, known := indexSpecies(a.Species)
		if !known {
			return nil, fmt.Errorf("the index names an attack of an unknown kind")
		}
		if !m.wants(m.index.SplitOf(a.Person, a.Second)) || !b.cmd.only(s) {
			continue
		}
		r, err := m.recording(a.Person, a.Truth)
		if err != nil {
			return nil, err
		}
		person, err := m.portraitOf(a.Person)
		if err != nil {
			return nil, err
		}
		if !readable(m, a) {
			continue
		}
		var asked []face.Action
		for _, name := range a.Asked {
			if x := face.Action(name); !slices.Contains(asked, x) {
				asked = append(asked, x)
			}
		}
		for v, following := range []bool{false, true} {
			if following && (s == attack.WrongOrder || len(r.Pieces) == 0) {
				continue // piece by piece it would be the person
			}
			jobs = append(jobs, padJob{species: s, person: person, variant: v, asked: asked, recorded: a.ID, build: func([]face.Action) (*attack.Presentation, error) {
				return attack.Recorded(r, following, b.cmd.Seed)
			}})
		}
	}
	return jobs, nil
}

// portraitOf finds a person of the index, also one without a genuine sequence.
func (m *padMaterial) portraitOf(id string) (*padPerson, error) {
	for _, p := range m.people {
		if p.ID == id {
			return p, nil
		}
	}
	p, _ := m.index.Person(id)
	portrait, err := os.ReadFile(m.path(p.Portrait))
	return &padPerson{IndexPerson: p, portrait: portrait}, err
}

// readable says whether the frames of a recorded attack are there: a subset of a
// set may lack those that it refers to.
func readable(m *padMaterial, a eval.IndexAttack) bool {
	f, err := os.Open(m.path(a.Truth))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	s, err := eval.ReadSequence(f)
	if err != nil {
		return false
	}
	for _, frame := range s.Frames {
		if _, err := os.Stat(filepath.Join(filepath.Dir(m.path(a.Truth)), filepath.FromSlash(frame.File))); err != nil {
			return false
		}
	}
	return true
}

// key identifies a presentation and what it was made with.
func (b *padBench) key(j padJob) string {
	other := ""
	if j.other != nil {
		other = j.other.ID
	}
	return strings.Join([]string{b.c.Version, b.pack, fmt.Sprint(b.cmd.Seed), string(j.species), j.person.ID, other, fmt.Sprint(j.variant), j.recorded, j.under}, "|")
}

// draw gives a presentation's challenge: every action, in an order of its own.
func (b *padBench) draw(j padJob) []face.Action {
	order := face.Actions()
	r := attack.NewRandom(b.cmd.Seed, "challenge", string(j.species), j.person.ID, fmt.Sprint(j.variant), j.recorded)
	attack.Shuffle(r, order)
	return append([]face.Action{face.ActionCenter}, order...)
}

// light draws the colours of a presentation, each sequence as likely.
func (b *padBench) light(j padJob) []face.Shown {
	r := attack.NewRandom(b.cmd.Seed, "light", string(j.species), j.person.ID, fmt.Sprint(j.variant), j.recorded)
	list := make([]face.Shown, 0, colours)
	for len(list) < colours {
		c := attack.Pick(r, face.LightColours()...)
		if n := len(list); n == 0 || list[n-1].Colour != c {
			list = append(list, face.Shown{Colour: c})
		}
	}
	return list
}

// present runs one presentation against a check as a camera would.
func (b *padBench) present(j padJob) (eval.Presentation, error) {
	out := eval.Presentation{Species: string(j.species), Person: j.person.ID, Groups: j.person.Groups, Condition: j.under}
	if j.species == attack.BonaFide {
		out.Species = ""
	}
	challenge := b.draw(j)
	if j.asked != nil {
		challenge = append([]face.Action{face.ActionCenter}, j.asked...)
	}
	p, err := j.build(challenge)
	if err != nil {
		return out, err
	}
	defer p.Wipe()
	out.Detail, out.Impostor = p.Detail, p.Impostor
	given := make([]face.Given, len(challenge))
	for i, a := range challenge {
		given[i].Action = a
	}
	check, err := b.material.engine.NewRecordedCheck(b.c.Context, slices.Clone(j.person.portrait), given, b.light(j))
	if err != nil {
		return out, err
	}
	defer check.Wipe()
	start := time.Unix(0, 0)
	for in := check.Instruction(); ; {
		f, err := p.Next(in)
		if err != nil {
			return out, err
		}
		g, err := check.Push(b.c.Context, face.Frame{JPEG: f.JPEG, CapturedAt: f.At, ReceivedAt: start.Add(f.Received)})
		if err != nil {
			return out, err
		}
		p.Shine(g.Light)
		if in = g.Instruction; g.Finished || f.Received > longestRun {
			break
		}
	}
	d := check.Decide()
	conclude(&out, d, check.Report())
	return out, nil
}

// conclude turns a decision and its report into an outcome.
func conclude(out *eval.Presentation, d face.Decision, r face.Report) {
	out.Accepted, out.Reason = d.Accepted, string(d.Reason)
	out.Responded = r.StepsDone > 0
	if r.Light.Shown == colours {
		out.Light = string(r.Light.Outcome)
	}
	out.Live = true
	ended := r.StepsDone < len(r.Steps)
	if ended && !d.Accepted {
		out.Stuck = string(r.Steps[r.StepsDone].Action)
	}
	few := false
	for _, s := range r.Signals {
		state := eval.SignalPassed
		if !s.Passed {
			state = eval.SignalFailed
		}
		switch {
		case s.Note != "": // not available, not measured, by another signal, or advisory
			state = eval.SignalNotMeasured
		case s.Passed:
		case s.Name == "depth" && (r.FlatnessLeft == 0 || r.FlatnessRight == 0):
			state = eval.SignalNotMeasured
		case s.Name == "enough_samples":
			few = true
			if ended {
				state = eval.SignalNotMeasured
			}
		case few && (s.Name == "person_of_portrait" || (s.Name == "one_person_throughout" && r.Continuity > .62 && r.ContinuityTurned > .55)):
			state = eval.SignalNotMeasured
		}
		if s.Name == "person_of_portrait" {
			out.Matched = s.Passed
		} else if s.Note != "advisory" {
			out.Live = out.Live && s.Passed
		}
		out.Signals = append(out.Signals, eval.SignalOutcome{Name: s.Name, State: state})
	}
	out.Detail = strings.TrimSpace(out.Detail)
}

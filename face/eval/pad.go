package eval

import (
	"errors"
	"maps"
	"slices"
)

// SignalState is what a signal said of a presentation.
type SignalState string

// The states. Not measured means that the run ended before the signal had what it
// needs; a check refuses then too.
const (
	SignalPassed      SignalState = "passed"
	SignalFailed      SignalState = "failed"
	SignalNotMeasured SignalState = "not_measured"
)

// SignalOutcome is a signal's state under its name.
type SignalOutcome struct {
	Name  string
	State SignalState
}

// Presentation is one presentation to the check, with its truth and its outcome.
type Presentation struct {
	Species   string // empty: bona fide
	Person    string // of the portrait
	Groups    []string
	Condition string // of a bona fide presentation in a condition of its own, or empty
	Detail    string
	Impostor  bool   // an attack without an instrument: a live person who is another
	Responded bool   // false: the capture never began, so nothing was classified
	Live      bool   // the liveness signals together say bona fide
	Matched   bool   // the comparison says the person of the portrait
	Accepted  bool   // the decision: both
	Light     string // what the face did in the page's colours; empty: they were not shown
	Reason    string
	Stuck     string // the instruction at which a run ended early, or empty
	Signals   []SignalOutcome
}

// SpeciesInfo describes a species in a report.
type SpeciesInfo struct {
	Species string `json:"species"`
	Title   string `json:"title"`
	Made    string `json:"made"`
	// Impostor: no instrument, so no APCER; the comparison alone can refuse.
	Impostor bool `json:"impostor,omitempty"`
	// Limit: a stated limit of the check, measured but not counted in the maxima.
	Limit bool `json:"stated_limit,omitempty"`
}

// Count is how often something happened.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// SignalFigures is what a signal did against a species.
type SignalFigures struct {
	Name     string `json:"signal"`
	Failed   int    `json:"failed"`   // presentations that it refused
	Measured int    `json:"measured"` // of those in which it had what it needs
	Alone    int    `json:"alone"`    // that no other signal refused
}

// SpeciesFigures is what was measured on one species of attack, after ISO/IEC 30107-3.
type SpeciesFigures struct {
	SpeciesInfo
	People        int             `json:"people"` // portraits attacked
	Presentations int             `json:"presentations"`
	APNRR         Statement       `json:"apnrr"`           // no response, of all
	APCER         *Statement      `json:"apcer,omitempty"` // classified as bona fide, of those with an instrument and a response
	IAPMR         Statement       `json:"iapmr"`           // matched the portrait, of all
	IAPAR         Statement       `json:"iapar"`           // accepted, of all
	Reasons       []Count         `json:"reasons"`         // of the refusals
	Signals       []SignalFigures `json:"signals"`
	Accepted      []Count         `json:"accepted_kinds,omitempty"` // the kinds that were accepted
	Light         []Count         `json:"light"`                    // what they did in the page's colours
	Lit           LitSpecies      `json:"light_required"`           // the same presentations where light is required
}

// LitSpecies is a species where light that follows is required.
type LitSpecies struct {
	APCER *Statement `json:"apcer,omitempty"`
	IAPAR Statement  `json:"iapar"`
}

// LitBonaFide are genuine people where light that follows is required.
type LitBonaFide struct {
	BPCER   Statement `json:"bpcer"`
	Refused Statement `json:"refused"`
}

// BonaFideFigures is what was measured on genuine people.
type BonaFideFigures struct {
	People        int             `json:"people"`
	Presentations int             `json:"presentations"`
	BPNRR         Statement       `json:"bpnrr"`   // no response, of all
	BPCER         Statement       `json:"bpcer"`   // classified as an attack, of those with a response
	Refused       Statement       `json:"refused"` // for whatever reason, of all: what a person experiences
	Reasons       []Count         `json:"reasons"`
	Signals       []SignalFigures `json:"signals"`
	Groups        []BonaFideGroup `json:"groups,omitempty"`
	Light         []Count         `json:"light"`          // what they did in the page's colours
	Lit           LitBonaFide     `json:"light_required"` // the same presentations where light is required
}

// BonaFideGroup is a group of people.
type BonaFideGroup struct {
	Name      string    `json:"group"`
	People    int       `json:"people"`
	BPNRR     Statement `json:"bpnrr"`
	BPCER     Statement `json:"bpcer"`
	Refused   Statement `json:"refused"`
	Deviation Deviation `json:"deviation"` // of the refusals, from the rate over all
}

// ConditionInfo describes a condition in a report.
type ConditionInfo struct {
	Name string `json:"condition"`
	Made string `json:"made"`
	// Unfit: no good picture is possible; a refusal for its quality is right.
	Unfit bool `json:"unfit,omitempty"`
}

// ConditionFigures is what was measured on genuine people in one condition.
type ConditionFigures struct {
	ConditionInfo
	People        int       `json:"people"`
	Presentations int       `json:"presentations"`
	BPNRR         Statement `json:"bpnrr"`
	BPCER         Statement `json:"bpcer"`
	Refused       Statement `json:"refused"`
	Quality       int       `json:"refused_for_quality"` // of those, with the reason poor_quality
	Reasons       []Count   `json:"reasons"`
	Signals       []Count   `json:"failed_signals"`
}

// Conditions is what was measured on genuine people in all conditions; the rates
// are over those in which a good picture is possible.
type Conditions struct {
	Presentations int                `json:"presentations"`
	BPCER         Statement          `json:"bpcer"`
	Refused       Statement          `json:"refused"`
	List          []ConditionFigures `json:"list"`
}

// PAD is an evaluation of presentation attack detection.
type PAD struct {
	Split string `json:"split"`
	// Planned presentations, and those that the time given allowed, in mixed order.
	Planned       int              `json:"planned"`
	Presentations int              `json:"presentations"`
	Seed          uint64           `json:"seed"`
	Variants      int              `json:"variants"`
	BonaFide      BonaFideFigures  `json:"bona_fide"`
	Conditions    *Conditions      `json:"conditions,omitempty"` // presentations that BonaFide does not count
	Species       []SpeciesFigures `json:"species"`
	// MaxAPCER and MaxIAPAR are the worst of the species that are no stated limit:
	// ISO/IEC 30107-3 has no mean over species.
	MaxAPCER Worst `json:"max_apcer"`
	MaxIAPAR Worst `json:"max_iapar"`
	// Lit are the worst where light is required.
	Lit struct {
		MaxAPCER Worst `json:"max_apcer"`
		MaxIAPAR Worst `json:"max_iapar"`
	} `json:"light_required"`
}

// follows is the outcome of light that a required light accepts (face.LightFollows).
const follows = "follows"

// required is the outcome of the same presentations where light is required.
func required(list []Presentation) []Presentation {
	lit := slices.Clone(list)
	for i := range lit {
		ok := lit[i].Light == follows
		lit[i].Live, lit[i].Accepted = lit[i].Live && ok, lit[i].Accepted && ok
	}
	return lit
}

func lights(list []Presentation) []Count {
	n := map[string]int{}
	for _, p := range list {
		if p.Light == "" {
			n["not_shown"]++
		} else {
			n[p.Light]++
		}
	}
	return counts(n)
}

// Worst names the species with the highest rate; among equals the one whose
// interval reaches highest.
type Worst struct {
	Species string    `json:"species"`
	Rate    Statement `json:"rate"`
}

// NewPAD measures presentations; species without any are left out. It refuses a set
// without a bona fide presentation. Genuine people in a condition of their own are
// counted under that condition alone.
func NewPAD(list []Presentation, catalogue []SpeciesInfo, conditions []ConditionInfo) (*PAD, error) {
	by, under := map[string][]Presentation{}, map[string][]Presentation{}
	for _, p := range list {
		if p.Species == "" && p.Condition != "" {
			under[p.Condition] = append(under[p.Condition], p)
			continue
		}
		by[p.Species] = append(by[p.Species], p)
	}
	if len(by[""]) == 0 {
		return nil, errors.New("eval: no bona fide presentation")
	}
	r := &PAD{BonaFide: bonaFide(by[""]), Conditions: inConditions(under, conditions)}
	for _, info := range catalogue {
		if len(by[info.Species]) == 0 {
			continue
		}
		f := figures(info, by[info.Species])
		r.Species = append(r.Species, f)
		if info.Limit {
			continue
		}
		r.MaxIAPAR.take(info.Species, f.IAPAR)
		r.Lit.MaxIAPAR.take(info.Species, f.Lit.IAPAR)
		if f.APCER != nil {
			r.MaxAPCER.take(info.Species, *f.APCER)
			r.Lit.MaxAPCER.take(info.Species, *f.Lit.APCER)
		}
	}
	return r, nil
}

func (w *Worst) take(species string, s Statement) {
	if w.Species == "" || s.above(w.Rate) {
		*w = Worst{species, s}
	}
}

func (s Statement) above(t Statement) bool {
	a, b := s.Rate.Value(), t.Rate.Value()
	if s.Trials == 0 || t.Trials == 0 {
		return t.Trials == 0 && s.Trials > 0
	}
	return a > b || (a == b && s.Below > t.Below)
}

func count(list []Presentation, of, among func(Presentation) bool) Statement {
	var r Rate
	for _, p := range list {
		if among(p) {
			r.Trials++
			if of(p) {
				r.Errors++
			}
		}
	}
	return state(r, true)
}

func all(Presentation) bool             { return true }
func responded(p Presentation) bool     { return p.Responded }
func notResponded(p Presentation) bool  { return !p.Responded }
func takenAsLive(p Presentation) bool   { return p.Live }
func takenAsAttack(p Presentation) bool { return !p.Live }
func accepted(p Presentation) bool      { return p.Accepted }
func refused(p Presentation) bool       { return !p.Accepted }

func figures(info SpeciesInfo, list []Presentation) SpeciesFigures {
	f := SpeciesFigures{SpeciesInfo: info, People: people(list), Presentations: len(list),
		APNRR: count(list, notResponded, all), IAPAR: count(list, accepted, all),
		IAPMR:   count(list, func(p Presentation) bool { return p.Matched }, all),
		Reasons: reasons(list), Signals: signalFigures(list)}
	lit := required(list)
	f.Light, f.Lit.IAPAR = lights(list), count(lit, accepted, all)
	if !info.Impostor {
		instrument := func(p Presentation) bool { return p.Responded && !p.Impostor }
		s, l := count(list, takenAsLive, instrument), count(lit, takenAsLive, instrument)
		f.APCER, f.Lit.APCER = &s, &l
	}
	kinds := map[string]int{}
	for _, p := range list {
		if p.Accepted {
			kinds[p.Detail]++
		}
	}
	f.Accepted = counts(kinds)
	return f
}

func bonaFide(list []Presentation) BonaFideFigures {
	f := BonaFideFigures{People: people(list), Presentations: len(list), BPNRR: count(list, notResponded, all),
		BPCER: count(list, takenAsAttack, responded), Refused: count(list, refused, all), Reasons: reasons(list), Signals: signalFigures(list)}
	lit := required(list)
	f.Light, f.Lit = lights(list), LitBonaFide{BPCER: count(lit, takenAsAttack, responded), Refused: count(lit, refused, all)}
	groups := map[string][]Presentation{}
	for _, p := range list {
		for _, g := range p.Groups {
			groups[g] = append(groups[g], p)
		}
	}
	for _, name := range sortedKeys(groups) {
		g := groups[name]
		refusals := count(g, refused, all)
		f.Groups = append(f.Groups, BonaFideGroup{Name: name, People: people(g), BPNRR: count(g, notResponded, all),
			BPCER: count(g, takenAsAttack, responded), Refused: refusals, Deviation: Deviates(refusals.Rate, f.Refused.Rate)})
	}
	return f
}

func people(list []Presentation) int {
	seen := map[string]bool{}
	for _, p := range list {
		seen[p.Person] = true
	}
	return len(seen)
}

func reasons(list []Presentation) []Count {
	n := map[string]int{}
	for _, p := range list {
		switch {
		case p.Accepted:
		case p.Stuck != "":
			n[p.Reason+" at "+p.Stuck]++
		default:
			n[p.Reason]++
		}
	}
	return counts(n)
}

// counts sorts by count, greatest first, then by name.
func counts(n map[string]int) []Count {
	list := make([]Count, 0, len(n))
	for _, k := range sortedKeys(n) {
		list = append(list, Count{k, n[k]})
	}
	slices.SortStableFunc(list, func(a, b Count) int { return b.Count - a.Count })
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// signalFigures keeps the order in which the check reports its signals.
func signalFigures(list []Presentation) []SignalFigures {
	var figures []SignalFigures
	at := map[string]int{}
	for _, p := range list {
		failed, last := 0, 0
		for _, s := range p.Signals {
			i, ok := at[s.Name]
			if !ok {
				i = len(figures)
				at[s.Name] = i
				figures = append(figures, SignalFigures{Name: s.Name})
			}
			if s.State != SignalNotMeasured {
				figures[i].Measured++
			}
			if s.State == SignalFailed {
				figures[i].Failed++
				failed, last = failed+1, i
			}
		}
		if failed == 1 {
			figures[last].Alone++
		}
	}
	return figures
}

package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Bounds of an index and of a sequence's description.
const (
	maxIndexBytes = 8 << 20
	maxPeople     = 10_000
	maxAttacks    = 100_000
	maxFrames     = 20_000
	maxActions    = 1_000
)

// Index lists recorded people and recorded attacks for an evaluation of
// presentation attack detection. docs/evaluation.md describes its JSON.
type Index struct {
	Name    string
	People  []IndexPerson
	Attacks []IndexAttack
}

// IndexPerson is a person with a portrait and, perhaps, a genuine sequence. Paths
// are relative to the index, with slashes, and stay below it.
type IndexPerson struct {
	ID       string
	Portrait string
	Truth    string // of the genuine sequence; empty without one
	Split    Split
	Groups   []string // "sex F", "age 60 and over"; may be empty
}

// IndexAttack is a recorded attack.
type IndexAttack struct {
	ID      string
	Species string // as the index names it
	Person  string // of the portrait
	Second  string // who else takes part, or empty
	Truth   string
	Asked   []string // the order that was asked, where the index says it
}

// Split is a part of the people: thresholds are chosen on Dev alone.
type Split string

// The parts, and no part: a presentation that mixes people of both.
const (
	Dev   Split = "dev"
	Test  Split = "test"
	Mixed Split = "mixed"
)

type indexFile struct {
	Name   string `json:"name"`
	People []struct {
		ID       string            `json:"id"`
		Portrait string            `json:"portrait"`
		Split    Split             `json:"split"`
		Groups   map[string]string `json:"groups"`
		Sex      string            `json:"sex"`
		Age      int               `json:"age"`
		Live     *struct {
			Truth string `json:"truth"`
		} `json:"live"`
	} `json:"people"`
	Attacks []struct {
		ID     string   `json:"id"`
		Attack string   `json:"attack"`
		Person string   `json:"person"`
		Second string   `json:"second"`
		Wearer string   `json:"wearer"`
		Truth  string   `json:"truth"`
		Asked  []string `json:"asked"`
	} `json:"attacks"`
}

// ReadIndex parses an index. A person without a split belongs to Dev and to Test in
// turn, in the order of the index. It refuses people or attacks named twice,
// attacks by people who are not listed, and paths that leave the folder.
func ReadIndex(r io.Reader) (*Index, error) {
	var file indexFile
	if err := readJSON(r, &file); err != nil {
		return nil, fmt.Errorf("eval: read index: %w", err)
	}
	if len(file.People) == 0 || len(file.People) > maxPeople || len(file.Attacks) > maxAttacks {
		return nil, errors.New("eval: the index lists nobody, or too many")
	}
	x := &Index{Name: file.Name}
	known := map[string]bool{}
	for i, p := range file.People {
		person := IndexPerson{ID: p.ID, Portrait: p.Portrait, Split: p.Split, Groups: groupsOf(p.Groups, p.Sex, p.Age)}
		if p.Live != nil {
			person.Truth = p.Live.Truth
		}
		if person.Split == "" {
			person.Split = []Split{Dev, Test}[i%2]
		}
		switch {
		case p.ID == "" || known[p.ID]:
			return nil, fmt.Errorf("eval: index: person %d has no name of its own", i+1)
		case person.Split != Dev && person.Split != Test:
			return nil, fmt.Errorf("eval: index: person %d: the split must be dev or test", i+1)
		case !below(p.Portrait) || (p.Live != nil && !below(person.Truth)):
			return nil, fmt.Errorf("eval: index: person %d: a path is missing or leaves the folder", i+1)
		}
		known[p.ID] = true
		x.People = append(x.People, person)
	}
	seen := map[string]bool{}
	for i, a := range file.Attacks {
		attack := IndexAttack{ID: a.ID, Species: a.Attack, Person: a.Person, Second: a.Second, Truth: a.Truth, Asked: a.Asked}
		if attack.Second == "" {
			attack.Second = a.Wearer
		}
		switch {
		case a.ID == "" || seen[a.ID]:
			return nil, fmt.Errorf("eval: index: attack %d has no name of its own", i+1)
		case !known[attack.Person] || (attack.Second != "" && !known[attack.Second]):
			return nil, fmt.Errorf("eval: index: attack %d is by somebody who is not listed", i+1)
		case !below(a.Truth):
			return nil, fmt.Errorf("eval: index: attack %d: its path is missing or leaves the folder", i+1)
		case len(a.Asked) > maxActions:
			return nil, fmt.Errorf("eval: index: attack %d asks for too much", i+1)
		}
		seen[a.ID] = true
		x.Attacks = append(x.Attacks, attack)
	}
	return x, nil
}

// below says that a path is relative and stays in its folder.
func below(p string) bool {
	return p != "" && !path.IsAbs(p) && !strings.Contains(p, "\\") && !strings.HasPrefix(path.Clean(p), "..") && !strings.Contains(p, ":")
}

// groupsOf turns what the index says of a person into names of groups.
func groupsOf(groups map[string]string, sex string, age int) []string {
	var list []string
	if sex != "" && groups["sex"] == "" {
		list = append(list, "sex "+sex)
	}
	if age > 0 && groups["age"] == "" {
		switch {
		case age < 35:
			list = append(list, "age under 35")
		case age < 60:
			list = append(list, "age 35 to 59")
		default:
			list = append(list, "age 60 and over")
		}
	}
	for _, k := range sortedKeys(groups) {
		list = append(list, k+" "+groups[k])
	}
	return list
}

// Person returns the person of a name.
func (x *Index) Person(id string) (IndexPerson, bool) {
	for _, p := range x.People {
		if p.ID == id {
			return p, true
		}
	}
	return IndexPerson{}, false
}

// SplitOf says to which part a presentation belongs in which these people take
// part: to the one that all of them share, else to none.
func (x *Index) SplitOf(ids ...string) Split {
	var of Split
	for _, id := range ids {
		if id == "" {
			continue
		}
		p, ok := x.Person(id)
		if !ok || (of != "" && of != p.Split) {
			return Mixed
		}
		of = p.Split
	}
	if of == "" {
		return Mixed
	}
	return of
}

// Sequence describes recorded frames: what they show and when.
type Sequence struct {
	Person  string
	FPS     float64
	Frames  []SequenceFrame
	Actions []SequenceAction
}

// SequenceFrame is one frame; File is relative to the description and may point
// beside its folder.
type SequenceFrame struct {
	File             string
	TMS              float64 `json:"t_ms"` // milliseconds since the first
	Yaw, Pitch, Roll float64 // degrees
}

// SequenceAction is an action and its beginning and end in milliseconds.
type SequenceAction struct {
	Action string
	TMS    [2]float64 `json:"t_ms"`
}

// ReadSequence parses a sequence's description (truth.json).
func ReadSequence(r io.Reader) (*Sequence, error) {
	var s Sequence
	if err := readJSON(r, &s); err != nil {
		return nil, fmt.Errorf("eval: read sequence: %w", err)
	}
	if len(s.Frames) == 0 || len(s.Frames) > maxFrames || len(s.Actions) > maxActions {
		return nil, errors.New("eval: the sequence has no frame, or too many")
	}
	for i, f := range s.Frames {
		if f.File == "" || path.IsAbs(f.File) || strings.ContainsAny(f.File, "\\:") {
			return nil, fmt.Errorf("eval: sequence: frame %d has no usable file", i+1)
		}
		if i > 0 && !(f.TMS > s.Frames[i-1].TMS) {
			return nil, fmt.Errorf("eval: sequence: frame %d is not later than the one before", i+1)
		}
	}
	for i, a := range s.Actions {
		if a.Action == "" || !(a.TMS[1] >= a.TMS[0]) {
			return nil, fmt.Errorf("eval: sequence: action %d ends before it begins", i+1)
		}
	}
	return &s, nil
}

// IndexAt is the frame shown at a time in milliseconds.
func (s *Sequence) IndexAt(ms float64) int {
	for i, f := range s.Frames {
		if f.TMS > ms {
			return max(i-1, 0)
		}
	}
	return len(s.Frames) - 1
}

func readJSON(r io.Reader, v any) error {
	b, err := io.ReadAll(io.LimitReader(r, maxIndexBytes+1))
	if err != nil {
		return err
	}
	if len(b) > maxIndexBytes {
		return errors.New("the file is too large")
	}
	return json.Unmarshal(b, v)
}

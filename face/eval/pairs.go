package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxPairs bounds a list of pairs.
const maxPairs = 2_000_000

// Pair is one line of a list of labelled pairs.
type Pair struct {
	A, B  int    // numbers of the images in Pairs.Images
	Same  bool   // the same person
	Group string // or empty
	Line  int    // of the CSV file, from 1
	// People are the numbers of whom the images show, from what the list says.
	People [2]int
}

// Image is a file, or a folder, that pairs name.
type Image struct {
	Path string // as written in the list
	Line int    // where it is first named
}

// Pairs is a list of labelled pairs.
type Pairs struct {
	Pairs   []Pair
	Images  []Image // in the order of their first line
	Grouped bool    // the list has a group column
	People  int     // told apart: images linked by pairs of the same person are one
}

// ReadPairs parses a CSV file (RFC 4180) whose first line names the columns
// a,b,same and perhaps group; same is 1, 0, true, false, yes or no. It refuses,
// naming the line: an image paired with itself, a pair given twice (either would
// make a rate look better supported than it is) and labels that contradict each
// other.
func ReadPairs(r io.Reader) (*Pairs, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("eval: read the line of columns: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	list := &Pairs{}
	switch strings.Join(head, ",") {
	case "a,b,same":
	case "a,b,same,group":
		list.Grouped = true
	default:
		return nil, errors.New("eval: line 1: the columns must be a,b,same or a,b,same,group")
	}
	numbers, lines := map[string]int{}, map[[2]int]int{}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("eval: read pairs: %w", err)
		}
		line, _ := in.FieldPos(0)
		if err := list.add(fields, line, numbers, lines); err != nil {
			return nil, fmt.Errorf("eval: line %d: %w", line, err)
		}
	}
	if len(list.Pairs) == 0 {
		return nil, errors.New("eval: the list holds no pair")
	}
	return list, list.tellApart()
}

func (l *Pairs) add(fields []string, line int, numbers map[string]int, lines map[[2]int]int) error {
	if len(l.Pairs) == maxPairs {
		return errors.New("too many pairs")
	}
	p := Pair{Line: line}
	switch strings.ToLower(fields[2]) {
	case "1", "true", "yes":
		p.Same = true
	case "0", "false", "no":
	default:
		return errors.New("same must be 1 or 0")
	}
	if l.Grouped {
		p.Group = fields[3]
	}
	if fields[0] == "" || fields[1] == "" {
		return errors.New("an image is missing")
	}
	if fields[0] == fields[1] {
		return errors.New("an image is paired with itself")
	}
	p.A, p.B = l.number(fields[0], line, numbers), l.number(fields[1], line, numbers)
	key := [2]int{min(p.A, p.B), max(p.A, p.B)}
	if before, ok := lines[key]; ok {
		return fmt.Errorf("the pair of line %d again", before)
	}
	lines[key] = line
	l.Pairs = append(l.Pairs, p)
	return nil
}

func (l *Pairs) number(path string, line int, numbers map[string]int) int {
	n, ok := numbers[path]
	if !ok {
		n = len(l.Images)
		numbers[path] = n
		l.Images = append(l.Images, Image{path, line})
	}
	return n
}

// tellApart links images of the same person, counts people and refuses a pair of
// different people whom other pairs make the same.
func (l *Pairs) tellApart() error {
	parent := make([]int, len(l.Images))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	l.People = len(l.Images)
	for _, p := range l.Pairs {
		if a, b := root(p.A), root(p.B); p.Same && a != b {
			parent[a] = b
			l.People--
		}
	}
	for i, p := range l.Pairs {
		l.Pairs[i].People = [2]int{root(p.A), root(p.B)}
		if !p.Same && root(p.A) == root(p.B) {
			return fmt.Errorf("eval: line %d: other lines say that these two images show the same person", p.Line)
		}
	}
	return nil
}

// Groups lists the groups of the pairs, sorted.
func (l *Pairs) Groups() []string {
	var list []string
	for _, p := range l.Pairs {
		list = append(list, p.Group)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

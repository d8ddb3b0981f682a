package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"ipse/face/eval"
)

// padJournal keeps outcomes, a line of JSON each, so that an interrupted evaluation
// goes on where it ended. A nil journal keeps nothing.
type padJournal struct {
	mu    sync.Mutex // guards known and file
	known map[string]eval.Presentation
	file  *os.File
}

type journalLine struct {
	Key     string
	Outcome eval.Presentation
}

// openJournal reads what is known; a line cut short by an interruption is done again.
func openJournal(name string) (*padJournal, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no journal is a journal that keeps nothing
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	j := &padJournal{known: map[string]eval.Presentation{}, file: f}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l journalLine
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Key != "" {
			j.known[l.Key] = l.Outcome
		}
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	if _, err := f.WriteString("\n"); err != nil { // ends a line that was cut short
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// through returns a known outcome, or makes it and writes it down.
func (j *padJournal) through(key string, present func() (eval.Presentation, error)) (eval.Presentation, error) {
	if j == nil {
		return present()
	}
	j.mu.Lock()
	p, ok := j.known[key]
	j.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := present()
	if err != nil {
		return p, err
	}
	line, err := json.Marshal(journalLine{key, p})
	if err != nil {
		return p, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[key] = p
	_, err = j.file.Write(append(line, '\n'))
	return p, err
}

// knows says whether an outcome is there.
func (j *padJournal) knows(key string) bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, ok := j.known[key]
	return ok
}

func (j *padJournal) close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

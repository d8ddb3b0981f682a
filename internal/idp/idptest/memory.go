// Package idptest helps to test the identity provider and what talks to it: a
// store in memory, an issuer of signed claims, and a world with a provider on a
// loopback port in which a person answers logins.
package idptest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

type record struct {
	group, value []byte
	taken        bool
	expires      time.Time
}

// Memory implements idp.Store in memory. The zero value is ready.
type Memory struct {
	mu      sync.Mutex
	records map[string]*record // guarded by mu; key is kind:hex
	revoked map[string]time.Time
	fail    func(operation string) error // guarded by mu
}

// SetFail has fail asked before each operation ("take code", "revoke"); what it
// answers is the operation's error.
func (m *Memory) SetFail(fail func(operation string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// begin locks, unless it answers an error.
func (m *Memory) begin(operation string) error {
	m.mu.Lock()
	if m.fail != nil {
		if err := m.fail(operation); err != nil {
			m.mu.Unlock()
			return err
		}
	}
	if m.records == nil {
		m.records, m.revoked = map[string]*record{}, map[string]time.Time{}
	}
	return nil
}

func name(kind string, key []byte) string { return kind + ":" + hex.EncodeToString(key) }

// Insert implements idp.Store.
func (m *Memory) Insert(_ context.Context, kind string, key, group, value []byte, expires time.Time) (bool, error) {
	if err := m.begin("insert " + kind); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	if _, ok := m.revoked[string(group)]; ok && group != nil {
		return false, nil
	}
	if _, ok := m.records[name(kind, key)]; ok {
		return false, nil
	}
	m.records[name(kind, key)] = &record{group: bytes.Clone(group), value: bytes.Clone(value), expires: expires}
	return true, nil
}

// Get implements idp.Store.
func (m *Memory) Get(_ context.Context, kind string, key []byte, now time.Time) ([]byte, bool, error) {
	if err := m.begin("get " + kind); err != nil {
		return nil, false, err
	}
	defer m.mu.Unlock()
	r := m.records[name(kind, key)]
	if r == nil || r.taken || !now.Before(r.expires) {
		return nil, false, nil
	}
	return bytes.Clone(r.value), true, nil
}

// Take implements idp.Store.
func (m *Memory) Take(_ context.Context, kind string, key []byte, now, keepUntil time.Time) (value, group []byte, found bool, err error) {
	if err := m.begin("take " + kind); err != nil {
		return nil, nil, false, err
	}
	defer m.mu.Unlock()
	r := m.records[name(kind, key)]
	if r == nil || !now.Before(r.expires) {
		return nil, nil, false, nil
	}
	if r.taken {
		return nil, bytes.Clone(r.group), true, nil
	}
	value, r.value, r.taken, r.expires = r.value, nil, true, keepUntil
	return value, bytes.Clone(r.group), true, nil
}

// Revoke implements idp.Store.
func (m *Memory) Revoke(_ context.Context, group []byte, until time.Time) error {
	if err := m.begin("revoke"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if len(group) == 0 {
		return errors.New("no group to revoke")
	}
	for k, r := range m.records {
		if bytes.Equal(r.group, group) && !r.taken {
			delete(m.records, k)
		}
	}
	if until.After(m.revoked[string(group)]) {
		m.revoked[string(group)] = until
	}
	return nil
}

// Sweep implements idp.Store.
func (m *Memory) Sweep(_ context.Context, now time.Time) (removed, remaining int, err error) {
	if err := m.begin("sweep"); err != nil {
		return 0, 0, err
	}
	defer m.mu.Unlock()
	for k, r := range m.records {
		if !now.Before(r.expires) {
			delete(m.records, k)
			removed++
		}
	}
	for g, until := range m.revoked {
		if !now.Before(until) {
			delete(m.revoked, g)
		}
	}
	return removed, len(m.records), nil
}

// Count returns how many records of a kind are live.
func (m *Memory) Count(kind string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for k, r := range m.records {
		if strings.HasPrefix(k, kind+":") && !r.taken {
			n++
		}
	}
	return n
}

// Dump returns everything that the store holds, as a thief would get it.
func (m *Memory) Dump() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out bytes.Buffer
	for k, r := range m.records {
		fmt.Fprintf(&out, "%s %s %s\n", k, r.group, r.value)
	}
	return out.Bytes()
}

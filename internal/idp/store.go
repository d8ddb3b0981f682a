package idp

import (
	"context"
	"time"
)

// Store keeps sealed records for minutes. It never learns what is in them: keys
// are hashes, values are ciphertext under keys that it does not have.
//
// All methods are safe for concurrent use by several processes. Errors are
// failures of the store itself. A record past its expiry is not found,
// whether or not Sweep has removed it; its key stays in use until Sweep has. now
// is the caller's clock; times count to the second.
type Store interface {
	// Insert keeps value under kind and key until expires. inserted is false when
	// the key exists already or when the group was revoked; nothing is changed
	// then. group ties the records of one grant together and may be nil.
	Insert(ctx context.Context, kind string, key, group, value []byte, expires time.Time) (inserted bool, err error)
	// Get returns the value of a record that was not taken.
	Get(ctx context.Context, kind string, key []byte, now time.Time) (value []byte, found bool, err error)
	// Take returns a value once, atomically: it erases the value and leaves the
	// key, marked as taken, until keepUntil. Of two callers exactly one gets the
	// value; the other finds the record with a nil value.
	Take(ctx context.Context, kind string, key []byte, now, keepUntil time.Time) (value, group []byte, found bool, err error)
	// Revoke erases the group's records that were not taken and refuses further
	// ones until then; a later call never shortens that. A taken record stays, so
	// that its replay is still seen. A nil group is an error.
	Revoke(ctx context.Context, group []byte, until time.Time) error
	// Sweep removes expired records and counts those that remain.
	Sweep(ctx context.Context, now time.Time) (removed, remaining int, err error)
}

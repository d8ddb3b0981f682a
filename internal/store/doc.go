// Package store keeps Ipse's durable state in one SQLite file. It is the only
// package that speaks SQL.
//
// Each service declares the small interface it needs; *DB implements all of
// them, one file of this package per service (account.go, proofing.go, ...).
// Numbers of migrations are handed out in ranges so that services evolve
// without meeting: 0001-0009 accounts and vault, 0010-0019 proofing, 0020-0029
// OpenID provider.
//
// # Durability
//
// A write has reached the disk when its method returns (WAL with
// synchronous=FULL: one fsync a transaction). An error means "not known to be
// done": nearly always nothing was written, but a failure while committing may
// have persisted, so callers may repeat a write and every write is safe to repeat.
//
// # Erasure
//
// secure_delete overwrites what is deleted with zeros. Older copies of a page in
// the write-ahead log go away with Scrub, which erasing methods call.
//
// # Concurrency
//
// A *DB is safe for concurrent use. One connection writes, a few read; readers
// see the last committed state and never wait for the writer. Other processes
// (ipse admin) may open the same file.
package store

// Package attack makes presentation and injection attacks out of genuine frame
// sequences of rendered people, so that liveness is measured on more than a
// handful of recorded attacks: prints, masks, screens, injected, looped, swapped
// and reordered video. Every generator is deterministic for a seed and streams
// its frames; nothing is written to disk.
package attack

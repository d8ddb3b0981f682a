// Package attack makes presentations for evaluating a live check: bona fide runs
// and presentation attacks of named species (ISO/IEC 30107-3), derived from
// recorded genuine sequences.
//
// A Presentation plays against a challenge as whoever stands before the camera
// would: it is told the instruction in force and yields the next frame, one at a
// time, as JPEG bytes. Every parameter is drawn from a seeded generator, so a
// presentation is the same for the same seed, species and recordings; seeds may
// be drawn on.
//
//	p, err := attack.New(attack.ScreenVideo, attack.Setting{Subject: person, Challenge: order, Seed: 7})
//	for instruction := check.Instruction(); ; {
//		frame, err := p.Next(instruction)
//		...
//	}
//
// The pictures are simulations: a sheet of paper, a tablet or a mask is placed in
// space and drawn through a pinhole camera, lit and filmed with noise. They cost an
// attacker's time nothing and are more regular than what a real attacker holds up,
// so error rates measured with them show how signals respond, not how often an
// attack by people succeeds.
package attack

// Package face answers one question: is this live person, following these
// instructions now, the person of this one portrait? It compares one to one and
// has no type that could hold many faces to choose from.
//
// An Engine runs over a Pack of networks and an Inferer that executes them.
// Compare decides on two images. NewCheck begins a live check against a
// portrait: a random order of instructions, frames pushed as they arrive,
// guidance back for each, one decision at the end with a coarse reason.
//
//	engine, err := face.NewEngine(face.Config{Pack: pack, Inferer: runtime, Random: rand.Reader})
//	check, err := engine.NewCheck(ctx, portraitJPEG)
//	defer check.Wipe()
//	for frame := range frames {
//		guidance, err := check.Push(ctx, frame) // show guidance.Instruction and guidance.Hint
//		if guidance.Finished {
//			break
//		}
//	}
//	decision := check.Decide()
//
// Images come in as JPEG bytes, which the package neither keeps nor changes.
// Angles are degrees: yaw > 0 turns to the person's left, pitch > 0 looks up,
// roll > 0 tilts to the person's left shoulder. Lengths on the face are relative
// to the distance of the outer eye corners. Pixels, points and embeddings live in
// buffers that are overwritten when a check is wiped; no file is read or written.
//
// docs/liveness.md states the rule in plain words and what it does not catch,
// docs/models.md the networks and their figures.
package face

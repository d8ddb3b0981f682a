package attack

import (
	"errors"

	"ipse/face"
)

// Recording is a genuine recorded sequence. It holds no picture: Open yields one
// when it is needed.
type Recording struct {
	// Person identifies whom it shows.
	Person string
	// Frames is how many there are.
	Frames int
	// Pieces are the actions in it, in time order; each begins and ends near neutral.
	Pieces []Piece
	// Poses of the head, one a frame, in degrees; needed of whoever wears a mask.
	Poses []Pose
	// Open returns the JPEG bytes of a frame, from 0.
	Open func(frame int) ([]byte, error)
	// Anchor says where the face of a frame is; needed for masks and for two people.
	Anchor func(frame int) (Anchor, error)
}

// Piece is one action of a recording, both frames included.
type Piece struct {
	Action   face.Action
	From, To int
}

// Pose is a head's or a sheet's attitude: degrees, with the signs of package face.
type Pose struct{ Yaw, Pitch, Roll float64 }

// Anchor is where a face is in a picture: pixels.
type Anchor struct {
	EyeL, EyeR, Mouth Point // EyeL stands left in the image; centres
}

// Point is a place in a picture: pixels.
type Point struct{ X, Y float64 }

// ErrRecording means that a recording lacks what a species needs.
var ErrRecording = errors.New("attack: the recording lacks frames or actions")

func (r *Recording) validate() error {
	if r == nil || r.Open == nil || r.Frames < 3 {
		return ErrRecording
	}
	for _, p := range r.Pieces {
		if p.From < 0 || p.To < p.From || p.To >= r.Frames {
			return ErrRecording
		}
	}
	return nil
}

// has says whether every action is there.
func (r *Recording) has(actions []face.Action) bool {
	for _, a := range actions {
		if a != face.ActionCenter && r.piece(a, 0) == nil {
			return false
		}
	}
	return true
}

// piece returns the frames of an action; several of one kind take turns.
func (r *Recording) piece(a face.Action, nth int) []int {
	var found []Piece
	for _, p := range r.Pieces {
		if p.Action == a {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil
	}
	p := found[nth%len(found)]
	list := make([]int, 0, p.To-p.From+1)
	for i := p.From; i <= p.To; i++ {
		list = append(list, i)
	}
	return list
}

// idle is the last frame of the neutral beginning, which is played forth and back
// while a person waits.
func (r *Recording) idle() int {
	last := min(5, r.Frames-1)
	if len(r.Pieces) > 0 {
		last = min(max(2, r.Pieces[0].From-1), r.Frames-1)
	}
	return last
}

// waiting is the frame of a person who waits, at a tick.
func (r *Recording) waiting(tick int) int {
	last := r.idle()
	k := tick % (2 * last)
	return min(k, 2*last-k)
}

// still is a recording of one picture.
func still(person string, jpeg []byte, a func(int) (Anchor, error)) *Recording {
	return &Recording{Person: person, Frames: 1, Open: func(int) ([]byte, error) { return jpeg, nil }, Anchor: a}
}

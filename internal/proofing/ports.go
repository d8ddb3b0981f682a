package proofing

import (
	"context"
	"time"

	"ipse/internal/pii"
)

// Store keeps sessions. Writes are durable when they return. It is safe for
// concurrent use. Inside Atomically, the context given to the function carries
// the transaction: every store method called with it takes part.
type Store interface {
	// CreateProofing adds a session.
	CreateProofing(ctx context.Context, s Session) error
	// ProofingByToken finds the session by the SHA-256 of its token, or ErrNoSession.
	ProofingByToken(ctx context.Context, hash [32]byte) (Session, error)
	// UpdateProofing replaces the session if the stored version is s.Version,
	// and stores s.Version+1; otherwise ErrConflict.
	UpdateProofing(ctx context.Context, s Session) error
	// SweepProofings expires the sessions whose time is over at now (dropping
	// receipt and sealed attributes) and deletes those that ended before
	// purgeBefore. It returns how many of each.
	SweepProofings(ctx context.Context, now, purgeBefore time.Time) (expired, purged int, err error)
	// Atomically runs f in one transaction: all of it or nothing.
	Atomically(ctx context.Context, f func(ctx context.Context) error) error
}

// Card carries APDUs to a chip. It is the method set of mrtd/chip.Card, so that
// either type serves as the other.
type Card = interface {
	// Transmit sends a command APDU and returns the response with SW1 SW2.
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// Readers gives access to the readers people connect (internal/relay).
type Readers interface {
	// Pair issues a pairing code for a session, replacing any earlier one.
	// changed is called, never from within Pair, Reader or Release, when a
	// reader connects with the code or is lost; Reader then tells the truth.
	Pair(owner string, changed func(connected bool)) (code string, expires time.Time, err error)
	// Reader returns the connected reader's card, or false.
	Reader(owner string) (Card, bool)
	// Release disconnects the session's reader and forgets its code.
	Release(owner string)
}

// Access opens a chip: either the three values of the MRZ or the CAN.
type Access struct {
	DocumentNumber pii.Text // as printed, without check digit
	BirthDate      pii.Text // YYYY-MM-DD
	ExpiryDate     pii.Text // YYYY-MM-DD
	CAN            pii.Text // six digits; takes precedence
}

// ReadRequest is one reading of a document.
type ReadRequest struct {
	Access Access
	// Challenge for active authentication: eight bytes, fresh for this reading.
	Challenge [8]byte
	// Progress is called as the reading advances, from the reading's goroutine.
	Progress func(Progress)
}

// Progress of a reading.
type Progress struct {
	File       string `json:"file"`  // elementary file being read, e.g. "DG2"
	Index      int    `json:"index"` // from 0
	Count      int    `json:"count"` // files to read
	BytesRead  int    `json:"bytes_read"`
	BytesTotal int    `json:"bytes_total"`
}

// Reading is a document read and verified.
type Reading struct {
	// Genuine: passive authentication passed against the trust store.
	Genuine bool
	// Chip: ResultPassed when active or chip authentication proved the original
	// chip, ResultNotOffered when the signed files list neither, else ResultFailed.
	Chip Result
	// Attributes of the document; meaningless unless Genuine.
	Attributes Attributes
	// Identity is the same at each reading of this document and of no other, whoever
	// made the chip answer: a hash over what its issuer signed. Empty unless Genuine.
	Identity pii.Bytes
	// Portrait of the chip, as FaceChecker takes it. Owned by the Reading.
	Portrait pii.Bytes
}

// Wipe clears the reading.
func (r *Reading) Wipe() {
	if r == nil {
		return
	}
	r.Portrait.Wipe()
	r.Identity.Wipe()
	*r = Reading{}
}

// ChipReader reads and verifies a document over a card. Errors are *ReadError;
// it keeps nothing and wipes what it read, save what it returns. A document
// that is not genuine is a Reading, not an error.
type ChipReader interface {
	ReadDocument(ctx context.Context, card Card, req ReadRequest) (*Reading, error)
}

// FaceChecker begins live checks against one portrait. It is safe for concurrent use.
type FaceChecker interface {
	// NewCheck draws a challenge. The portrait is the check's own copy, to be
	// wiped with it, also when NewCheck fails. ErrPortrait when it is unusable.
	NewCheck(ctx context.Context, portrait pii.Bytes) (FaceCheck, error)
}

// FaceCheck is one run of the live check, used by one goroutine at a time.
type FaceCheck interface {
	// Instruction returns the instruction in force.
	Instruction() Instruction
	// DeclineLight leaves the changing colours out; before the first frame only.
	DeclineLight()
	// Push examines a frame; it keeps none.
	Push(ctx context.Context, f Frame) (Guidance, error)
	// Decide ends the run. Before Guidance.Finished it refuses.
	Decide() FaceDecision
	// Wipe clears everything. It may be called twice.
	Wipe()
}

// Frame is one picture of the camera.
type Frame struct {
	JPEG       pii.Bytes
	CapturedAt time.Duration // since the start of the run, by the page's clock
	ReceivedAt time.Time     // by the server's clock
}

// Instruction is what the person is asked to do now.
type Instruction struct {
	Index   int           // from 0
	Of      int           // how many there are
	Action  string        // code, e.g. "turnLeft"
	Timeout time.Duration // for this instruction; zero if not known
}

// Guidance is the answer to a frame.
type Guidance struct {
	Instruction Instruction // now in force
	Hint        string      // code, or empty
	StepDone    bool        // this frame completed an instruction; DoneIndex says which
	DoneIndex   int
	Light       string // colour to show around the picture, "#rrggbb", or empty
	Finished    bool   // nothing more is needed, whether to accept or to refuse: call Finish
}

// FaceDecision is the outcome of a run.
type FaceDecision struct {
	Accepted bool
	Reason   Reason // of a refusal, coarse
}

// Agents verifies what agents at the counter sign, and keeps the evidence.
type Agents interface {
	// VerifyDecision reports with nil that the agent signed the decision, and that
	// the evidence is written in the transaction that ctx carries (Store.Atomically).
	// ErrAgent when the signature is not one, or the agent may not sign; any other
	// error is a fault. Nothing persists after an error.
	VerifyDecision(ctx context.Context, agent string, decision, signature []byte) error
}

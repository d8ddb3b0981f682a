// Package chip reads the contactless chip of an electronic travel document (ICAO
// Doc 9303-10 and 9303-11): it opens the chip with PACE or basic access control,
// reads its files under secure messaging, and lets the chip prove itself by chip
// authentication and active authentication. What it read is evidence, not a
// verdict: nothing here is verified but the conversation itself. Package mrtd
// judges.
//
// A reading takes a Card, anything that carries APDUs to a chip:
//
//	r, err := chip.Read(ctx, card, chip.Options{Access: chip.FromMRZ(zone), Challenge: fresh, Rand: rand.Reader})
//
// The primitives that a software chip needs as well are in mrtd/internal/apdu, sm
// and pace.
//
// Secure messaging is never given up once established: a response without it, or
// with a wrong code, ends the reading with ErrSecureMessaging. A chip that lost its
// session (it left the field for a moment, or is known to do so) is read again from
// the start, a few times at most.
package chip

import (
	"context"
	"io"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
)

// Card carries APDUs to a chip.
type Card interface {
	// Transmit sends a command APDU and returns the response with SW1 SW2. An
	// error means that the chip or the way to it is lost, or that ctx ended; it is
	// passed on as cause.
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// BatchCard is a Card that can send several commands ahead, where each trip costs
// time (a relay). Read uses it for commands that do not depend on each other's
// answers.
type BatchCard interface {
	Card
	// TransmitBatch sends up to MaxBatch commands in order. The far end stops after
	// the first answer that is not 9000: then fewer answers than commands return,
	// without an error, and at least one.
	TransmitBatch(ctx context.Context, commands [][]byte) (responses [][]byte, err error)
}

// MaxBatch is how many commands Read hands to TransmitBatch at most.
const MaxBatch = 16

// Access is what opens a chip: the three fields of the machine-readable zone, the
// card access number, or both. With both, PACE uses the number and BAC the zone.
type Access struct {
	Number     pii.Text // document number as printed; fillers may be missing
	BirthDate  pii.Text // YYMMDD
	ExpiryDate pii.Text // YYMMDD
	CAN        pii.Text // six digits
}

// FromMRZ returns the access data of a machine-readable zone.
func FromMRZ(m *mrz.MRZ) Access {
	return Access{Number: m.Number, BirthDate: m.BirthDate, ExpiryDate: m.ExpiryDate}
}

// FromCAN returns the access data of a card access number, six digits.
func FromCAN(number string) Access { return Access{CAN: pii.NewText(number)} }

// FromPrinted returns the access data of what is printed: document number, date of birth
// and date of expiry (YYMMDD).
func FromPrinted(number, birth, expiry string) Access {
	return Access{Number: pii.NewText(number), BirthDate: pii.NewText(birth), ExpiryDate: pii.NewText(expiry)}
}

// Options say how to read. Access and Rand are required.
type Options struct {
	Access Access
	// Challenge for active authentication, eight octets chosen by whoever will
	// judge the evidence, fresh for this reading. Nil leaves it out.
	Challenge []byte
	// Rand is the source of nonces and ephemeral keys.
	Rand io.Reader
	// Extra names data groups to read besides EF.COM, EF.SOD, DG1, DG2, DG14 and
	// DG15: DG7, DG11, DG12... Those that the document does not list are passed over.
	Extra []lds.FileID
	// Only, if not empty, names the data groups to read in place of all of these.
	// DG14 and DG15 are read with them where chip or active authentication is owed.
	Only []lds.FileID
	// Progress, if set, is called from the reading's goroutine.
	Progress func(Progress)
	// MaxCommands bounds the commands of one reading, restarts included. Default 8192.
	MaxCommands int
	// MaxFile bounds one file in octets. Default lds.MaxFile.
	MaxFile int
	// ShortOnly keeps to short length fields, for readers that pass no others on.
	ShortOnly bool
	// NoPACE goes straight to BAC, for diagnosis and measurements.
	NoPACE bool
}

// Progress of a reading.
type Progress struct {
	File  lds.FileID // file being read
	Index int        // its place, from 0
	Count int        // files to read, as far as known
	// BytesRead and BytesTotal are of all files together; the total is an estimate
	// until the lengths are known, and the last call has both equal.
	BytesRead, BytesTotal int
}

// Reading is what was read from a chip and how. Wipe it when done.
type Reading struct {
	// Files are the elementary files as read, byte for byte.
	Files map[lds.FileID]pii.Bytes
	// Access is the protocol that opened the chip: "BAC", "PACE-GM", "PACE-IM",
	// "PACE-CAM", or "none".
	Access string
	// Protocol is the dotted object identifier of PACE, "" otherwise.
	Protocol string
	// ParameterID names the domain parameters of PACE: standardised ones below 32
	// (9303-11 §9.5.1), from there on those that EF.CardAccess writes out, -1 where it
	// names none. 0 without PACE.
	ParameterID int
	AA          *AATranscript
	CA          *CATranscript
	CAM         *CAMTranscript
	// Deviations are departures from the standard met while reading.
	Deviations []deviation.Deviation
	// Commands and Trips count what was sent: commands, and round trips.
	Commands, Trips int
}

// AATranscript is one active authentication (ICAO 9303-11 §6.1).
type AATranscript struct {
	Challenge []byte // RND.IFD, eight octets
	Response  []byte // the signature as the chip gave it
}

// CATranscript is one chip authentication (ICAO 9303-11 §6.2): from the terminal's
// ephemeral key pair and the public key of DG14 anyone can derive the session keys
// and check that Response was made with them.
type CATranscript struct {
	Protocol        string // dotted object identifier
	KeyID           int    // -1 when DG14 names none
	TerminalPrivate []byte
	TerminalPublic  []byte
	SSC             []byte // as encoded in the code of Response
	Command         []byte // the first command under the new keys, as sent
	Response        []byte // its response, as received, SW1 SW2 included
}

// CAMTranscript is the proof of PACE with chip authentication mapping (ICAO
// 9303-11 §4.4.3.3.3).
type CAMTranscript struct {
	ChipAuthenticationData []byte // decrypted
	MappingPublicKey       []byte // the chip's, as sent
}

// Wipe overwrites what was read.
func (r *Reading) Wipe() {
	if r == nil {
		return
	}
	for _, f := range r.Files {
		f.Wipe()
	}
	clear(r.Files)
	if r.AA != nil {
		clear(r.AA.Response)
	}
	if r.CA != nil {
		clear(r.CA.TerminalPrivate)
		clear(r.CA.Command)
		clear(r.CA.Response)
	}
	if r.CAM != nil {
		clear(r.CAM.ChipAuthenticationData)
	}
	r.AA, r.CA, r.CAM = nil, nil, nil
}

package mrtd

import (
	"errors"
	"maps"
	"slices"
	"time"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
)

// Evidence is what was read from a chip, byte for byte, and how.
type Evidence struct {
	// Files are the elementary files as read.
	Files   map[lds.FileID]pii.Bytes
	Session Session
}

// EvidenceOf makes evidence of files that another reader read, and of what is known of
// how: the zero Session claims no protocol and no proof. It takes the files over.
func EvidenceOf(files map[lds.FileID][]byte, session Session) *Evidence {
	ev := &Evidence{Files: make(map[lds.FileID]pii.Bytes, len(files)), Session: session}
	for id, b := range files {
		ev.Files[id] = pii.NewBytes(b)
	}
	return ev
}

// Session says how a chip was read and holds the transcripts that prove it was
// the chip the documents were issued in. It holds no key of secure messaging but
// those of the chip authentication transcript.
type Session struct {
	// Access is the protocol that opened the chip: "BAC", "PACE-GM",
	// "PACE-IM", "PACE-CAM" or "none".
	Access string `json:"access"`
	// Protocol is the dotted object identifier of the access protocol, "" for BAC.
	Protocol string `json:"protocol,omitempty"`
	// ParameterID names the domain parameters of PACE: standardised ones below 32
	// (9303-11 §9.5.1), from there on those that EF.CardAccess writes out, -1 where it
	// names none. 0 for BAC.
	ParameterID int `json:"parameter_id,omitempty"`
	// ReadAt is when the reading ended.
	ReadAt time.Time `json:"read_at"`
	// Deviations are departures from the standard that the reader met.
	Deviations []deviation.Deviation `json:"deviations,omitempty"`
	// AA is the active authentication transcript, nil when not performed.
	AA *AATranscript `json:"aa,omitempty"`
	// CA is the chip authentication transcript, nil when not performed.
	CA *CATranscript `json:"ca,omitempty"`
	// CAM is the chip authentication mapping transcript, nil unless PACE-CAM was performed.
	CAM *CAMTranscript `json:"cam,omitempty"`
}

// AATranscript is one active authentication (ICAO 9303-11 §6.1).
type AATranscript struct {
	Challenge []byte `json:"challenge"` // RND.IFD, 8 octets
	Response  []byte `json:"response"`  // the signature as the chip gave it
}

// CATranscript is one chip authentication (ICAO 9303-11 §6.2), complete enough
// for anyone to recompute that the chip knew the private key of DG14: the
// terminal's ephemeral key pair, and the first command and response protected
// under the new session keys.
type CATranscript struct {
	Protocol        string `json:"protocol"` // dotted object identifier
	KeyID           int    `json:"key_id"`   // -1 when DG14 names none
	TerminalPrivate []byte `json:"terminal_private"`
	TerminalPublic  []byte `json:"terminal_public"`
	// Command and Response are the first ones under the new session keys.
	Command  []byte `json:"command"`  // as sent, protected
	Response []byte `json:"response"` // as received, protected, SW1 SW2 included
}

// CAMTranscript is the proof of PACE with chip authentication mapping (ICAO
// 9303-11 §4.4.3.3.3): the decrypted chip authentication data and the chip's
// ephemeral mapping public key.
type CAMTranscript struct {
	ChipAuthenticationData []byte `json:"chip_authentication_data"`
	MappingPublicKey       []byte `json:"mapping_public_key"`
}

// Reasons evidence cannot be used.
var (
	ErrEvidence = errors.New("mrtd: not an evidence file")
	ErrNoFile   = errors.New("mrtd: elementary file missing")
)

// File returns the bytes of a file, or nil when it was not read.
func (e *Evidence) File(id lds.FileID) []byte {
	if f, ok := e.Files[id]; ok {
		return f.Reveal()
	}
	return nil
}

// FileIDs returns what was read, sorted by name.
func (e *Evidence) FileIDs() []lds.FileID { return slices.Sorted(maps.Keys(e.Files)) }

// Wipe overwrites every file and transcript. Whatever was parsed from them and
// shares their buffers (portraits) is gone with them.
func (e *Evidence) Wipe() {
	if e == nil {
		return
	}
	for _, f := range e.Files {
		f.Wipe()
	}
	clear(e.Files)
	if t := e.Session.AA; t != nil {
		pii.Wipe(t.Challenge)
		pii.Wipe(t.Response)
	}
	if t := e.Session.CA; t != nil {
		pii.Wipe(t.TerminalPrivate)
		pii.Wipe(t.Command)
		pii.Wipe(t.Response)
	}
	if t := e.Session.CAM; t != nil {
		pii.Wipe(t.ChipAuthenticationData)
	}
}

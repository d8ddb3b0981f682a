package specimen

import (
	"encoding/binary"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// directory is where the chip's files live: the master file, or the eMRTD
// application (ICAO 9303-10 §3.11).
type directory int

const (
	masterFile directory = iota
	eMRTD
)

// aid is the application identifier of the eMRTD application (9303-10 §3.11.1).
func aid() []byte { return []byte{0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01} }

// holds reports whether a file lives in the directory.
func (d directory) holds(id lds.FileID) bool {
	switch id {
	case lds.CardAccess, lds.CardSecurity, lds.DIR, lds.ATR:
		return d == masterFile
	}
	return d == eMRTD
}

// find returns the file of the directory that match accepts, or "".
func (c *Chip) find(match func(lds.FileID) bool) lds.FileID {
	for _, id := range c.doc.fileIDs() {
		if c.s.dir.holds(id) && match(id) {
			return id
		}
	}
	return ""
}

// selectFile answers SELECT (ICAO 9303-11 §4.? , ISO/IEC 7816-4 §11.2.2): by
// application identifier, the master file, and elementary files by identifier.
func (c *Chip) selectFile(cmd *apdu.Command) apdu.Response {
	if c.has(FaultLeOnSelect) && cmd.Ne > 0 {
		return status(apdu.WrongLength)
	}
	switch {
	case cmd.P1 == 0x04:
		return c.selectApplication(cmd.Data)
	case cmd.P1 == 0x00 && (len(cmd.Data) == 0 || string(cmd.Data) == "\x3F\x00"):
		return c.selectMaster(len(cmd.Data) > 0)
	case (cmd.P1 == 0x02 || cmd.P1 == 0x00) && len(cmd.Data) == 2:
		fid := binary.BigEndian.Uint16(cmd.Data)
		id := c.find(func(id lds.FileID) bool { return id.FID() == fid })
		if id == "" {
			return status(apdu.FileNotFound)
		}
		if sw := c.mayRead(id); sw != apdu.OK {
			return status(sw)
		}
		c.s.file = id
		return status(apdu.OK)
	}
	return status(apdu.WrongP1P2)
}

func (c *Chip) selectApplication(name []byte) apdu.Response {
	if string(name) != string(aid()) {
		return status(apdu.FileNotFound)
	}
	c.s.dir, c.s.file = eMRTD, ""
	return status(apdu.OK)
}

func (c *Chip) selectMaster(byID bool) apdu.Response {
	switch {
	case c.has(FaultMasterFileForm) && byID:
		return status(apdu.WrongP1P2)
	case c.has(FaultMasterFile6A87):
		return status(0x6A87)
	case c.has(FaultMasterFile6985):
		return status(apdu.ConditionsOfUse)
	}
	c.s.dir, c.s.file = masterFile, ""
	return status(apdu.OK)
}

// mayRead says whether the access rules let the file be selected and read now
// (ICAO 9303-11 §4.2): EF.CardAccess and EF.DIR always, EF.CardSecurity after
// PACE, data groups after any access protocol; DG3 and DG4, which need terminal
// authentication, never.
func (c *Chip) mayRead(id lds.FileID) apdu.Status {
	switch id {
	case lds.CardAccess:
		switch {
		case c.has(FaultCardAccess6982):
			return apdu.SecurityStatus
		case c.has(FaultCardAccess6986):
			return apdu.NotAllowed
		}
		return apdu.OK
	case lds.DIR, lds.ATR:
		if c.has(FaultDIR6982) && c.s.sm == nil {
			return apdu.SecurityStatus
		}
		return apdu.OK
	case lds.CardSecurity:
		if !c.s.byPACE {
			return apdu.SecurityStatus
		}
		return apdu.OK
	case lds.DG3, lds.DG4:
		return apdu.SecurityStatus
	}
	if c.s.sm == nil && (c.doc.Access.BAC || c.doc.Access.PACE != nil) {
		return apdu.SecurityStatus
	}
	return apdu.OK
}

// readBinary answers READ BINARY with an offset or a short file identifier in
// P1 P2 (ISO/IEC 7816-4 §11.3.3, even instruction).
func (c *Chip) readBinary(cmd *apdu.Command) apdu.Response {
	id, offset := c.s.file, int(cmd.P1)<<8|int(cmd.P2)
	if cmd.P1&0x80 != 0 {
		if cmd.P1&0x60 != 0 || c.has(FaultNoSFI) {
			return status(apdu.WrongP1P2)
		}
		sfi := cmd.P1 & 0x1F
		if id = c.find(func(id lds.FileID) bool { return id.SFI() == sfi }); id == "" {
			return status(apdu.FileNotFound)
		}
		offset = int(cmd.P2)
	}
	return c.read(id, offset, cmd.Ne, false)
}

// readBinaryOdd answers READ BINARY with an offset data object (odd
// instruction): offsets beyond 32767 need it.
func (c *Chip) readBinaryOdd(cmd *apdu.Command) apdu.Response {
	id, which := c.s.file, uint16(cmd.P1)<<8|uint16(cmd.P2)
	switch {
	case which == 0:
	case which < 0x20: // a short file identifier
		id = c.find(func(id lds.FileID) bool { return uint16(id.SFI()) == which })
	default:
		id = c.find(func(id lds.FileID) bool { return id.FID() == which })
	}
	if which != 0 && id == "" {
		return status(apdu.FileNotFound)
	}
	e, err := tlv.Parse(cmd.Data)
	if err != nil || e.Tag != 0x54 || len(e.Value) == 0 || len(e.Value) > 3 {
		return status(apdu.WrongData)
	}
	offset := 0
	for _, b := range e.Value {
		offset = offset<<8 | int(b)
	}
	return c.read(id, offset, cmd.Ne, true)
}

// read returns up to ne octets of a file, in a data object 53 where odd asks.
func (c *Chip) read(id lds.FileID, offset, ne int, odd bool) apdu.Response {
	if id == "" {
		return status(apdu.NotAllowed)
	}
	if sw := c.mayRead(id); sw != apdu.OK {
		return status(sw)
	}
	if c.has(FaultExactLe) && ne > 0x80 {
		return status(0x6C80)
	}
	content := c.doc.Files[id]
	c.s.file = id
	c.readOf(id, offset)
	if offset > len(content) || offset == len(content) && (ne > 0 || c.has(FaultRead6B00)) {
		c.s.confused = c.has(FaultRead6B00)
		return status(apdu.WrongOffset)
	}
	part := content[offset:]
	n := min(ne, c.maxRead())
	if odd { // the header of the data object counts against Ne
		n -= len(tlv.AppendHeader(nil, 0x53, max(n-2, 0)))
	}
	short := n > len(part)
	part = part[:min(max(n, 0), len(part))]
	if odd {
		part = tlv.Encode(0x53, part)
	}
	if short && ne != apdu.MaxShortNe && ne != apdu.MaxNe {
		return apdu.Response{Data: part, SW: apdu.EndOfFile}
	}
	return apdu.Response{Data: part, SW: apdu.OK}
}

// maxRead is how much one READ BINARY returns at most.
func (c *Chip) maxRead() int {
	if c.has(FaultLimitedLe) {
		return 128
	}
	return apdu.MaxNe
}

func status(sw apdu.Status) apdu.Response { return apdu.Response{SW: sw} }

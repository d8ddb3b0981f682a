package pace

import (
	"strconv"
	"strings"

	"ipse/mrtd/internal/sm"
)

// Mapping is how PACE turns the nonce into a generator (9303-11 §4.4.3.3).
type Mapping string

// The mappings.
const (
	Generic    Mapping = "GM"
	Integrated Mapping = "IM"
	ChipAuth   Mapping = "CAM" // generic mapping, with a proof of the chip's static key
)

// Protocol is PACE or chip authentication under one object identifier.
type Protocol struct {
	OID     string // dotted
	Mapping Mapping
	DH      bool // over a prime field rather than a curve
	Suite   sm.Suite
}

// Arcs of the protocols (9303-11 §9.2).
const (
	arcPACE = "0.4.0.127.0.7.2.2.4."
	arcCA   = "0.4.0.127.0.7.2.2.3."
	arcPK   = "0.4.0.127.0.7.2.2.1."
)

// Name describes the protocol of PACE, for example "PACE-GM".
func (p Protocol) Name() string { return "PACE-" + string(p.Mapping) }

// ParsePACE reads the object identifier of a PACE protocol (9303-11 §9.2.1); false
// when it is none: also for the identifiers of domain parameters, which end earlier.
func ParsePACE(oid string) (Protocol, bool) {
	kind, suite, ok := splitProtocol(oid, arcPACE)
	if !ok {
		return Protocol{}, false
	}
	p := Protocol{OID: oid, Suite: suite}
	switch kind {
	case 1:
		p.Mapping, p.DH = Generic, true
	case 2:
		p.Mapping = Generic
	case 3:
		p.Mapping, p.DH = Integrated, true
	case 4:
		p.Mapping = Integrated
	case 6:
		p.Mapping = ChipAuth
	default:
		return Protocol{}, false
	}
	if p.Mapping == ChipAuth && suite == sm.TDES { // AES only (9303-11 §9.2.1)
		return Protocol{}, false
	}
	return p, true
}

// ParseCA reads the object identifier of a chip authentication protocol (9303-11 §9.2.5).
func ParseCA(oid string) (Protocol, bool) {
	kind, suite, ok := splitProtocol(oid, arcCA)
	if !ok || kind != 1 && kind != 2 {
		return Protocol{}, false
	}
	return Protocol{OID: oid, DH: kind == 1, Suite: suite}, true
}

// DefaultCA is the protocol of a chip whose DG14 holds a key and names no protocol:
// 3DES, as before the info existed (BSI TR-03110-3 §A.1.1.2).
func DefaultCA(dh bool) Protocol {
	if dh {
		return Protocol{OID: arcCA + "1.1", DH: true, Suite: sm.TDES}
	}
	return Protocol{OID: arcCA + "2.1", Suite: sm.TDES}
}

func splitProtocol(oid, arc string) (kind int, suite sm.Suite, ok bool) {
	rest, found := strings.CutPrefix(oid, arc)
	first, second, two := strings.Cut(rest, ".")
	if !found || !two || len(first) != 1 || len(second) != 1 {
		return 0, 0, false
	}
	kind, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil || n < 1 || n > 4 {
		return 0, 0, false
	}
	return kind, sm.Suite(n), true // 1 3DES, 2 to 4 AES, as Suite counts
}

package vault

import "slices"

// Level is a level of assurance of regulation (EU) 2015/1502.
type Level string

// The levels, from the lowest.
const (
	Low         Level = "low"
	Substantial Level = "substantial"
	High        Level = "high"
)

func levels() []Level { return []Level{Low, Substantial, High} }

// Valid reports whether l names a level.
func (l Level) Valid() bool { return slices.Contains(levels(), l) }

// AtLeast reports whether l reaches the level wanted. What names no level
// reaches none.
func (l Level) AtLeast(wanted Level) bool {
	return l.Valid() && wanted.Valid() && slices.Index(levels(), l) >= slices.Index(levels(), wanted)
}

// ACR returns the level as an authentication context class reference: eidas1,
// eidas2 or eidas3; empty for what names no level.
func (l Level) ACR() string {
	switch l {
	case Low:
		return "eidas1"
	case Substantial:
		return "eidas2"
	case High:
		return "eidas3"
	default:
		return ""
	}
}

// LevelOfACR is the inverse of ACR. ok is false for any other value.
func LevelOfACR(acr string) (level Level, ok bool) {
	for _, l := range levels() {
		if l.ACR() == acr {
			return l, true
		}
	}
	return "", false
}

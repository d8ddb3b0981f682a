package apdu

// Instructions (ISO/IEC 7816-4 table 5) that travel documents know (ICAO 9303-10
// §3.6, 9303-11 §4 and §6).
const (
	ManageSecurity       = 0x22
	ExternalAuthenticate = 0x82
	GetChallenge         = 0x84
	GeneralAuthenticate  = 0x86
	InternalAuthenticate = 0x88
	Select               = 0xA4
	ReadBinary           = 0xB0
	ReadBinaryOdd        = 0xB1
	GetResponse          = 0xC0
)

// Bits of the class (ISO/IEC 7816-4 §5.4.1).
const (
	// Chained marks a command that another one of its chain follows.
	Chained = 0x10
	// Secured marks secure messaging with an authenticated header.
	Secured = 0x0C
)

package pcsc

// Types of macOS: all of 32 bits.
type (
	dword  = uint32
	long   = int32
	handle = int32
)

func libraryNames() []string { return []string{"/System/Library/Frameworks/PCSC.framework/PCSC"} }

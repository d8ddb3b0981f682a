package pcsc

// Types of pcsc-lite: DWORD is an unsigned long, LONG and handles are long.
type (
	dword  = uint
	long   = int
	handle = int
)

func libraryNames() []string { return []string{"libpcsclite.so.1", "libpcsclite.so"} }

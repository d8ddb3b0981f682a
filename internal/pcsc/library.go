//go:build linux || darwin

package pcsc

import (
	"bytes"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ioRequest is SCARD_IO_REQUEST.
type ioRequest struct {
	protocol, length dword
}

// readerState is SCARD_READERSTATE. macOS packs it, which only the size of its
// end shows: one is passed at a time.
type readerState struct {
	name    *byte
	_       uintptr // user data
	current dword
	event   dword
	_       dword    // length of the ATR
	_       [33]byte // the ATR
}

const (
	scopeSystem     = 2
	shareExclusive  = 1
	protocolT0      = 1
	protocolT1      = 2
	leaveCard       = 0
	resetCard       = 1
	maxReaderList   = 1 << 16
	currentUnaware  = 0
	stateChanged    = 2 // of an event: not part of the state to wait on
	noWaiting       = 0
	sizeOfIORequest = dword(unsafe.Sizeof(ioRequest{}))
)

// functions are those of the library, typed as they are called. They are set
// once, by load.
type functions struct {
	establish  func(scope dword, reserved1, reserved2 uintptr, context *handle) long
	release    func(context handle) long
	list       func(context handle, groups uintptr, names *byte, length *dword) long
	cancel     func(context handle) long
	status     func(context handle, timeout dword, states *readerState, count dword) long
	connect    func(context handle, reader string, share, protocols dword, card *handle, active *dword) long
	disconnect func(card handle, disposition dword) long
	transmit   func(card handle, send *ioRequest, command *byte, length dword, receive *ioRequest, response *byte, size *dword) long
}

func load() (*functions, error) {
	var library uintptr
	var err error
	for _, name := range libraryNames() {
		if library, err = purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL); err == nil {
			break
		}
	}
	if err != nil {
		return nil, ErrNoLibrary
	}
	f := &functions{}
	for name, target := range map[string]any{
		"SCardEstablishContext": &f.establish, "SCardReleaseContext": &f.release, "SCardListReaders": &f.list,
		"SCardGetStatusChange": &f.status, "SCardConnect": &f.connect, "SCardDisconnect": &f.disconnect,
		"SCardTransmit": &f.transmit, "SCardCancel": &f.cancel,
	} {
		symbol, err := purego.Dlsym(library, name)
		if err != nil {
			return nil, fmt.Errorf("%w: it lacks %s", ErrNoLibrary, name)
		}
		purego.RegisterFunc(target, symbol)
	}
	return f, nil
}

type libraryService struct {
	f       *functions
	context handle
}

func openService() (service, error) {
	f, err := load()
	if err != nil {
		return nil, err
	}
	s := &libraryService{f: f}
	if err := failure("open", uint32(f.establish(scopeSystem, 0, 0, &s.context))); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *libraryService) release() { s.f.release(s.context) }

func (s *libraryService) listReaders() ([]string, uint32) {
	var size dword
	if code := uint32(s.f.list(s.context, 0, nil, &size)); code != codeSuccess {
		return nil, code
	}
	if size == 0 || size > maxReaderList {
		return nil, codeSuccess
	}
	// One may be plugged in between the calls: leave room.
	buf := make([]byte, size+1024)
	size = dword(len(buf))
	if code := uint32(s.f.list(s.context, 0, &buf[0], &size)); code != codeSuccess {
		return nil, code
	}
	return splitNames(buf[:min(int(size), len(buf))]), codeSuccess
}

// splitNames reads a multi-string: names ended by NUL, the list by one more.
func splitNames(b []byte) []string {
	var names []string
	for _, name := range bytes.Split(b, []byte{0}) {
		if len(name) == 0 {
			break
		}
		names = append(names, string(name))
	}
	return names
}

func (s *libraryService) state(reader string) (uint32, uint32) {
	return s.change(reader, currentUnaware, noWaiting)
}

func (s *libraryService) wait(reader string, state uint32) uint32 {
	_, code := s.change(reader, dword(state&^stateChanged), dword(waitFor.Milliseconds()))
	return code
}

func (s *libraryService) cancel() { s.f.cancel(s.context) }

// change returns the state of a reader once it is not the current one.
func (s *libraryService) change(reader string, current, timeout dword) (uint32, uint32) {
	name := append([]byte(reader), 0)
	st := &readerState{name: &name[0], current: current}
	code := uint32(s.f.status(s.context, timeout, st, 1))
	runtime.KeepAlive(name)
	return uint32(st.event), code
}

func (s *libraryService) connect(reader string) (cardService, uint32) {
	c := &libraryCard{f: s.f}
	code := uint32(s.f.connect(s.context, reader, shareExclusive, protocolT0|protocolT1, &c.card, &c.protocol))
	if code != codeSuccess {
		return nil, code
	}
	return c, codeSuccess
}

type libraryCard struct {
	f        *functions
	card     handle
	protocol dword
}

func (c *libraryCard) transmit(command, response []byte) (int, uint32) {
	send := &ioRequest{protocol: c.protocol, length: sizeOfIORequest}
	size := dword(len(response))
	code := uint32(c.f.transmit(c.card, send, &command[0], dword(len(command)), nil, &response[0], &size))
	return int(size), code
}

func (c *libraryCard) disconnect(reset bool) {
	disposition := dword(leaveCard)
	if reset {
		disposition = resetCard
	}
	c.f.disconnect(c.card, disposition)
}

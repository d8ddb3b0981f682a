package vpcd

import (
	"net"
	"syscall"
)

// quickAck acknowledges the next segment at once. The driver of vpcd sends length
// and octets apart and waits for the acknowledgement of the first, which Linux
// would delay by 40 ms, for each command.
func quickAck(conn net.Conn) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}

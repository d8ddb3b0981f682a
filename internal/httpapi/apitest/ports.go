package apitest

import (
	"fmt"
	"net"
	"os"
)

// Ports below those that the system hands out by itself (Linux: from 32768, others:
// from 49152): nobody is given one of them by chance.
const (
	firstPort = 20_000
	lastPort  = 29_999
)

// Ports finds n TCP ports of loopback in a row that stay free until release is called,
// for programs that are told an address before they listen. UDP sockets of the same
// numbers keep other tests of this machine away.
func Ports(n int) (first int, release func(), err error) {
	for try := range 1000 {
		first = firstPort + (os.Getpid()*97+try*n)%(lastPort-firstPort-n)
		if release, err = reserve(first, n); err == nil {
			return first, release, nil
		}
	}
	return 0, nil, fmt.Errorf("apitest: %d free ports: %w", n, err)
}

func reserve(first, n int) (release func(), err error) {
	var marks []net.PacketConn
	release = func() {
		for _, mark := range marks {
			_ = mark.Close()
		}
	}
	for port := first; port < first+n; port++ {
		mark, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			release()
			return nil, err
		}
		marks = append(marks, mark)
		l, err := net.Listen("tcp", mark.LocalAddr().String())
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

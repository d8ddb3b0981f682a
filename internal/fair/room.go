package fair

import (
	"net/netip"
	"sync"
)

// Room shares a number of places. A network may hold at most a part of as many as
// are still free: the broadest a quarter, narrower ones an eighth or a sixteenth
// (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking
// 6(2), 1998). So a network that takes all it can gets a fifth of the places, the
// next one a fifth of the rest, and a newcomer gets a place while there is one. It is
// safe for concurrent use.
type Room struct {
	size int

	mu    sync.Mutex // guards what follows
	taken int
	by    map[netip.Prefix]int // no entry when zero
}

// NewRoom makes a room of so many places.
func NewRoom(size int) *Room { return &Room{size: size, by: map[netip.Prefix]int{}} }

// share says that a network may hold one in so many of the free places.
func share(n network) int {
	switch {
	case n.weight >= 16:
		return 4
	case n.weight >= 4:
		return 8
	}
	return 16
}

// Enter takes a place for a client, unless its networks hold their share. leave
// gives it back; calling it twice does no harm.
func (r *Room) Enter(c Client) (leave func(), ok bool) {
	networks := c.networks()
	r.mu.Lock()
	defer r.mu.Unlock()
	free := r.size - r.taken
	if free <= 0 {
		return nil, false
	}
	for _, n := range networks {
		if n.prefix.IsValid() && r.by[n.prefix] >= max(1, free/share(n)) {
			return nil, false
		}
	}
	r.taken++
	for _, n := range networks {
		r.by[n.prefix]++
	}
	return sync.OnceFunc(func() { r.leave(networks) }), true
}

func (r *Room) leave(networks []network) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken--
	for _, n := range networks {
		if r.by[n.prefix]--; r.by[n.prefix] == 0 {
			delete(r.by, n.prefix)
		}
	}
}

// Taken returns how many places are taken.
func (r *Room) Taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

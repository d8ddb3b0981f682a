package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ipse/internal/fair"
)

// The allowance of a client: a burst of points, and points that come back. A
// whole check with its retries costs some 60; a login some 10. A town hall or a
// university behind one address stays far below it.
const (
	allowance       = 600
	pointsPerSecond = 5
	maxNetworks     = 1 << 14 // remembered
)

// Spend takes points of the allowance of a request's client, or returns how long
// it must wait for them.
func (a *API) Spend(r *http.Request, points int) (wait time.Duration) {
	return a.points.Take(a.cfg.Client(r), points, a.cfg.Now())
}

// Client returns a function that finds the client of a request, for limits.
// X-Forwarded-For counts only as far as it was written by the trusted proxies: the
// first address from the right that is not one of them.
func Client(trusted []netip.Prefix) func(*http.Request) fair.Client {
	isProxy := func(addr netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	return func(r *http.Request) fair.Client {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return fair.Client{}
		}
		addr := peer.Addr().Unmap().WithZone("")
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && isProxy(addr); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			addr = hop.Unmap().WithZone("")
		}
		return fair.Of(addr)
	}
}

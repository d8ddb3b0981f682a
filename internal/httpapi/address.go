package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns a function that names the client of a request, for
// limits: its IPv4 address, or the /64 of its IPv6 address, which is one
// customer's. X-Forwarded-For counts only as far as it was written by the
// trusted proxies: the first address from the right that is not one of them.
func ClientAddress(trusted []netip.Prefix) func(*http.Request) string {
	isProxy := func(addr netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	return func(r *http.Request) string {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return "unknown"
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
		if addr.Is4() {
			return addr.String()
		}
		prefix, err := addr.Prefix(64)
		if err != nil {
			return addr.String()
		}
		return prefix.String()
	}
}

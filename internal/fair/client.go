// Package fair shares what is scarce among clients nobody knows: requests over
// time (Points) and places at once (Room). It tells clients apart by their network,
// from the narrow one of a household to the broad one of an organisation, so that
// whoever commands a whole network gets the share of a network and not as many
// shares as it has addresses. What it remembers is in memory alone.
package fair

import (
	"context"
	"fmt"
	"net/netip"
)

// Client is whom a request comes from, for sharing and nothing else. It never
// prints its address. The zero value stands for all whose address is not known.
type Client struct{ addr netip.Addr }

// Of returns the client of an address.
func Of(addr netip.Addr) Client { return Client{addr.Unmap().WithZone("")} }

// Format implements fmt.Formatter: an address is personal data.
func (c Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("client")) }

// network is one that a client belongs to, with its weight: how many times the
// share of a narrowest one it gets.
type network struct {
	prefix netip.Prefix
	weight int
}

// networks lists those of a client, the narrowest first. An IPv6 /64 is one
// customer's line, a /56 the most such a line is given, a /48 an organisation
// (RFC 6177 §2); an IPv4 address may be a whole town's, a /24 the least that is
// routed by itself.
func (c Client) networks() []network {
	if !c.addr.IsValid() {
		return []network{{weight: 1}}
	}
	widths := []network{{weight: 1}, {weight: 4}, {weight: 16}}
	bits := []int{64, 56, 48}
	if !c.addr.Is6() {
		widths, bits = []network{{weight: 1}, {weight: 16}}, []int{32, 24}
	}
	for i := range widths {
		widths[i].prefix = netip.PrefixFrom(c.addr, bits[i]).Masked()
	}
	return widths
}

type clientKey struct{}

// With returns a context that says which client a request comes from.
func With(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// From returns the client that With gave, or the zero Client.
func From(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}

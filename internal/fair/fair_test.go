package fair_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipse/internal/fair"
)

func of(address string) fair.Client { return fair.Of(netip.MustParseAddr(address)) }

// v6 is an address of a /48, a /56 in it and a /64 in that.
func v6(site, line, net byte) fair.Client {
	return fair.Of(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, site, line, net, 15: 1}))
}

func points(t testing.TB, burst, remember int) *fair.Points {
	t.Helper()
	p, err := fair.NewPoints(fair.PointsConfig{Rand: rand.Reader, Burst: burst, Every: time.Second, Remember: remember})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAClientNeverPrints(t *testing.T) {
	t.Parallel()
	c := of("203.0.113.77")
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %x", c, c, c, c, c), fmt.Sprintf("%v", struct{ fair.Client }{c})} {
		if strings.Contains(text, "113") || strings.Contains(text, "77") {
			t.Error(text)
		}
	}
	if fair.From(fair.With(context.Background(), c)) != c || fair.From(context.Background()) != (fair.Client{}) {
		t.Error("the context does not carry the client")
	}
	if of("::ffff:203.0.113.77") != c {
		t.Error("a mapped address is another client")
	}
}

// TestPointsOfANetworkAreForAllInIt, at each width, and another network has its own.
func TestPointsOfANetworkAreForAllInIt(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		client func(i int) fair.Client
		want   int // clients served
	}{
		"one IPv4 address": {func(int) fair.Client { return of("203.0.113.1") }, 10},
		"an IPv4 /24":      {func(i int) fair.Client { return of(fmt.Sprintf("203.0.113.%d", i%250)) }, 160},
		"one IPv6 /64": {func(i int) fair.Client {
			return fair.Of(netip.AddrFrom16([16]byte{0x20, 1, 14: byte(i >> 8), 15: byte(i)}))
		}, 10},
		"an IPv6 /56":          {func(i int) fair.Client { return v6(1, 1, byte(i)) }, 40},
		"an IPv6 /48":          {func(i int) fair.Client { return v6(1, byte(i>>8), byte(i*7)) }, 0},
		"an unknown address":   {func(int) fair.Client { return fair.Client{} }, 10},
		"IPv4 networks beside": {func(i int) fair.Client { return of(fmt.Sprintf("203.%d.%d.1", i%200, i/200)) }, 1000},
	} {
		p, served := points(t, 10, 1<<14), 0
		for i := range 1000 {
			if p.Take(c.client(i), 1, now) == 0 {
				served++
			}
		}
		if name == "an IPv6 /48" {
			if served > 160 || served < 100 {
				t.Errorf("%s: %d served", name, served)
			}
			continue
		}
		if served != c.want {
			t.Errorf("%s: %d served, want %d", name, served, c.want)
		}
	}
}

// TestWaitsAreHonest: whoever waits as long as told is served, and refusals cost nothing.
func TestWaitsAreHonest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p, now := points(t, 5, 64), time.Unix(1e9, 0)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			c := v6(1, byte(rapid.IntRange(0, 2).Draw(rt, "line")), byte(rapid.IntRange(0, 2).Draw(rt, "net")))
			n := rapid.IntRange(1, 5).Draw(rt, "points")
			told := p.Wait(c, n, now)
			if wait := p.Take(c, n, now); wait != told {
				rt.Fatalf("told %v, then %v", told, wait)
			}
			if told > 5*time.Second {
				rt.Fatalf("wait %v", told)
			}
			if told > 0 {
				now = now.Add(told)
				if wait := p.Take(c, n, now); wait != 0 {
					rt.Fatalf("after the wait: %v", wait)
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
		}
	})
}

// TestPointsRememberThoseWithFewestLeft however many others come.
func TestPointsRememberThoseWithFewestLeft(t *testing.T) {
	t.Parallel()
	p, now := points(t, 10, 64), time.Unix(1e9, 0)
	persistent := of("203.0.113.1")
	p.Take(persistent, 10, now)
	for i := range 2000 {
		p.Take(of(fmt.Sprintf("198.%d.%d.1", i%250, i/250)), 1, now)
	}
	if p.Wait(persistent, 1, now) == 0 {
		t.Error("flooding forgave the client with fewest points left")
	}
}

// TestOneNetworkLeavesRoomForTheOthers: whoever takes all it can from every address
// of a /48 gets a fifth of the places, a single address a seventeenth of the rest,
// and newcomers find theirs.
func TestOneNetworkLeavesRoomForTheOthers(t *testing.T) {
	t.Parallel()
	r, taken := fair.NewRoom(1000), 0
	for i := range 1 << 16 {
		if _, ok := r.Enter(v6(1, byte(i>>8), byte(i))); ok {
			taken++
		}
	}
	if taken != 200 || r.Taken() != taken {
		t.Errorf("%d places taken", taken)
	}
	single := 0
	for range 1000 {
		if _, ok := r.Enter(of("203.0.113.1")); ok {
			single++
		}
	}
	if single > 800/17+1 {
		t.Errorf("one address took %d of 800 places", single)
	}
	for i := range 700 {
		if _, ok := r.Enter(of(fmt.Sprintf("198.%d.%d.1", i%250, i/250))); !ok {
			t.Fatalf("newcomer %d was kept out", i)
		}
	}
}

// TestManyNetworksLeaveRoomToo, and a place that is left is free again, once.
func TestManyNetworksLeaveRoomToo(t *testing.T) {
	t.Parallel()
	r := fair.NewRoom(1000)
	for site := range byte(10) {
		for i := range 1 << 12 {
			r.Enter(v6(site, byte(i>>6), byte(i)))
		}
	}
	if free := 1000 - r.Taken(); free < 100 {
		t.Errorf("ten networks left %d of 1000 places", free)
	}
	leave, ok := r.Enter(of("203.0.113.1"))
	if !ok {
		t.Fatal("a newcomer was kept out")
	}
	before := r.Taken()
	leave()
	leave()
	if r.Taken() != before-1 {
		t.Errorf("%d places after leaving, %d before", r.Taken(), before)
	}
	if _, ok := fair.NewRoom(0).Enter(of("203.0.113.1")); ok {
		t.Error("a room without places let somebody in")
	}
}

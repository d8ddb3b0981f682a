package app_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"ipse"
	"ipse/internal/app"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/proofing"
)

// ofDocument is what the specimen passport of p02 holds, as bytes to look for:
// pieces of the portrait, the zone's lines, the names in the three alignments of
// base64.
func ofDocument(t testing.TB) map[string]string {
	t.Helper()
	portrait, err := ipse.DemoPeople.ReadFile("testdata/people/people/p02/portrait.jpg")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"the zone's first line": "P<UTOERIKSSON<<ANNA<MARIA", "the zone's second line": "L898902C36UTO7408122F"}
	for at := 700; at+24 < len(portrait); at += 1000 { // after the tables that all JPEGs share
		out[fmt.Sprintf("the portrait at %d", at)] = string(portrait[at : at+24])
	}
	for _, word := range []string{"ERIKSSON", "ANNA MARIA", "L898902C3"} {
		for shift := range 3 {
			raw := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), word...))
			out[fmt.Sprintf("%s in base64, shifted by %d", word, shift)] = raw[(shift*8+5)/6 : len(raw)-1]
		}
	}
	return out
}

// onTheWay begins a check with the camera and reads the passport of p02.
func onTheWay(t testing.TB, demo *app.Demo) *apitest.Browser {
	t.Helper()
	b := apitest.New(t, demo.URL(), &http.Transport{})
	b.Start("camera")
	if v := readSpecimen(t, b, map[string]string{"person": "p02"}); v.State != proofing.StateFace {
		t.Fatalf("after the document: %+v", v)
	}
	return b
}

// inMidCheck opens the camera and has some frames examined.
func inMidCheck(t testing.TB, b *apitest.Browser, p *player) *apitest.Channel {
	t.Helper()
	c := b.Face()
	if m := c.Next(); m["type"] != "instruction" {
		t.Fatalf("first message: %v", m)
	}
	for i := range 10 {
		c.Frame(int64(i)*66, p.next())
		time.Sleep(p.every)
	}
	return c
}

// TestNothingOfAFaceStaysHoweverACheckEnds ends checks in each way but success,
// which TestTheWholeJourney does, and kill -9, which the program's own test does:
// refused (somebody else in front of the camera, then pictures that are none),
// abandoned in the middle, expired in the middle, the page gone, the server
// stopped. Then it searches disk and log.
func TestNothingOfAFaceStaysHoweverACheckEnds(t *testing.T) {
	t.Parallel()
	needsLiveCheck(t)
	data := t.TempDir()
	var ahead atomic.Int64
	demo, log, stop := runDemo(t, app.DemoOptions{Data: data, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})

	refused := onTheWay(t, demo)
	other := newPlayer(t, "people/p05/live")
	if last, asked := other.check(refused); last["type"] != "decision" || last["accepted"] != false || last["reason"] != "not_same_person" {
		t.Errorf("somebody else's check ended with %v after %v", last, asked)
	}
	for refused.View().State == proofing.StateFace {
		c := refused.Face()
		for i := 0; c.Frame(int64(i)*66, []byte{0xFF, 0xD8, 0xFF, 'E', 'R', 'I', 'K', 'S', 'S', 'O', 'N', byte(i)}) && i < 60; i++ {
			time.Sleep(35 * time.Millisecond)
		}
		if last := c.Last(); last["type"] != "decision" || last["reason"] != "poor_quality" {
			t.Fatalf("pictures that are none: %v", last)
		}
	}
	if v := refused.View(); v.State != proofing.StateRefused {
		t.Errorf("after three refusals: %+v", v)
	}

	p := newPlayer(t, "people/p02/live")
	abandoned := onTheWay(t, demo)
	channel := inMidCheck(t, abandoned, p)
	var v proofing.View
	abandoned.OK("POST", "/api/proofing/abandon", apitest.None{}, &v)
	channel.Frame(5000, p.next())
	if m := channel.Last(); v.State != proofing.StateAbandoned || m["accepted"] == true {
		t.Errorf("abandoned: %+v, last message %v", v, m)
	}

	gone := onTheWay(t, demo)
	_ = inMidCheck(t, gone, p).WS.CloseNow()
	gone.Until(func(v proofing.View) bool { return v.Face != nil && v.Face.Phase == proofing.FaceFailed })

	expired := onTheWay(t, demo)
	inMidCheck(t, expired, p)
	ahead.Add(int64(31 * time.Minute))
	if v := expired.View(); v.State != proofing.StateExpired {
		t.Errorf("expired: %+v", v)
	}

	stopped := onTheWay(t, demo)
	inMidCheck(t, stopped, p)
	everybody := map[string]*apitest.Browser{"refused": refused, "abandoned": abandoned, "gone": gone, "expired": expired, "stopped": stopped}
	look := func() {
		written := log.String() + filesOf(t, data)
		for _, b := range everybody {
			searchFor(t, written, p, b)
			searchFor(t, written, other, b)
		}
	}
	look()
	if err := stop(); err != nil {
		t.Error(err)
	}
	look()
}

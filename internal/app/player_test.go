package app_test

import (
	"encoding/json"
	"path"
	"testing"
	"time"

	"ipse"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/onnx"
)

// needsLiveCheck skips a test that plays one: it takes its time and the runtime's library.
func needsLiveCheck(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("plays a live check at its own pace")
	}
	if _, err := onnx.Locate("."); err != nil {
		t.Skip(err)
	}
}

// player plays a rendered person in front of the camera, as web/src/demo/camera.ts
// does: neutral frames while nothing is asked, and on each instruction, after a
// moment, the person's piece.
type player struct {
	frames  [][]byte
	times   []int64
	actions []struct {
		Action string   `json:"action"`
		TMS    [2]int64 `json:"t_ms"`
	}
	every  time.Duration
	idle   []int
	queue  []int
	tick   int
	action string
	waited int
}

func newPlayer(t testing.TB, folder string) *player {
	t.Helper()
	read := func(name string) []byte {
		b, err := ipse.DemoPeople.ReadFile(path.Join("testdata/people", folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var truth struct {
		FPS    int `json:"fps"`
		Frames []struct {
			File string `json:"file"`
			TMS  int64  `json:"t_ms"`
		} `json:"frames"`
		Actions []struct {
			Action string   `json:"action"`
			TMS    [2]int64 `json:"t_ms"`
		} `json:"actions"`
	}
	if err := json.Unmarshal(read("truth.json"), &truth); err != nil {
		t.Fatal(err)
	}
	p := &player{every: time.Second / time.Duration(truth.FPS), actions: truth.Actions}
	for _, f := range truth.Frames {
		p.frames = append(p.frames, read(f.File))
		p.times = append(p.times, f.TMS)
	}
	rest := p.at(truth.Actions[0].TMS[0] - 100)
	for i := 0; i <= rest; i++ {
		p.idle = append(p.idle, i)
	}
	for i := rest - 1; i > 0; i-- {
		p.idle = append(p.idle, i)
	}
	return p
}

// at is the frame shown at a time.
func (p *player) at(ms int64) int {
	last := 0
	for i, t := range p.times {
		if t <= ms {
			last = i
		}
	}
	return last
}

func (p *player) instruct(action string) {
	p.action, p.waited, p.queue = action, 0, nil
	for range 4 {
		p.queue = append(p.queue, p.rest())
	}
	for _, a := range p.actions {
		if a.Action != action {
			continue
		}
		for i := p.at(a.TMS[0]); i <= p.at(a.TMS[1]); i++ {
			p.queue = append(p.queue, i)
		}
	}
}

func (p *player) rest() int {
	p.tick++
	return p.idle[(p.tick-1)%len(p.idle)]
}

func (p *player) next() []byte {
	if len(p.queue) == 0 {
		if p.waited++; p.action != "" && p.action != "center" && p.waited > 15 {
			p.instruct(p.action)
		}
		return p.frames[p.rest()]
	}
	i := p.queue[0]
	p.queue = p.queue[1:]
	return p.frames[i]
}

// check plays a whole live check and returns the last message and, in the order
// given, the instructions.
func (p *player) check(b *apitest.Browser) (last map[string]any, asked []string) {
	b.T.Helper()
	channel := b.Face()
	messages := make(chan map[string]any, 256)
	go func() {
		defer close(messages)
		for m := channel.Next(); m != nil; m = channel.Next() {
			messages <- m
		}
	}()
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case m, open := <-messages:
			if !open {
				return last, asked
			}
			last = m
			if action, ok := m["action"].(string); ok && m["type"] == "instruction" {
				asked = append(asked, action)
				p.instruct(action)
			}
		case <-tick.C:
			if len(asked) > 0 && !channel.Frame(time.Since(began).Milliseconds(), p.next()) {
				tick.Stop()
			}
		}
	}
}

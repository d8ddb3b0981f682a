//go:build linux

package face_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
)

// childEnv marks the process whose memory is searched.
const childEnv = "IPSE_FACE_MEMORY_CHILD"

// After a check, however it ends, nothing of its frames, portrait, decoded pixels,
// crops and embeddings is in the process's memory, that of the runtime included. A
// process of its own runs the checks and then reads itself, because the other tests
// keep pictures on purpose.
func TestNothingStaysInMemory(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		memoryChild(t)
		return
	}
	t.Parallel()
	engine(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingStaysInMemory$", "-test.v", fmt.Sprintf("-test.short=%t", testing.Short()))
	// A thread that is interrupted in the midst of copying has its vector registers,
	// up to 512 octets in a row, saved on its signal stack, where the next interruption
	// overwrites them. Nobody can wipe them, so the search is made without: the
	// scheduler interrupts no thread here.
	cmd.Env = append(os.Environ(), childEnv+"=1", "GODEBUG=asyncpreemptoff=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "searched for") != len(endings()) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// needles are pieces to look for, held masked so that they do not find themselves.
type needles struct {
	first  [1 << 16]bool // by the first two bytes
	pieces map[uint64]needle
}

type needle struct {
	name string
	rest [pieceWords - 1]uint64 // the masked words that follow the first
}

const (
	mask       = 0x5aa5a55a5aa5c33c
	pieceWords = 9
	pieceBytes = 8 * pieceWords
	pieceFloat = pieceBytes / 4
)

func (n *needles) add(name string, b []byte) {
	n.addWords(name, func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) })
}

// addWords takes a piece word by word, so that no copy of it lies on a stack, which
// is left as it is when the stack grows.
func (n *needles) addWords(name string, word func(int) uint64) {
	first := word(0)
	n.first[uint16(first)] = true
	piece := needle{name: name}
	for i := range piece.rest {
		piece.rest[i] = word(i+1) ^ mask
	}
	n.pieces[first^mask] = piece
}

// addJPEG takes pieces of the entropy-coded data.
func (n *needles) addJPEG(name string, b []byte) {
	for i := 1; i <= 8; i++ {
		n.add(name, b[i*len(b)/9:])
	}
}

// addVector takes pieces of an embedding.
func (n *needles) addVector(name string, v []float32) {
	for i := 8; i+pieceFloat <= len(v); i += 24 {
		n.addNumbers(name, v[i:i+pieceFloat])
	}
}

func (n *needles) addNumbers(name string, v []float32) {
	n.addWords(name, func(i int) uint64 { return uint64(math.Float32bits(v[2*i])) | uint64(math.Float32bits(v[2*i+1]))<<32 })
}

// addPixels takes pieces of samples that are not all alike.
func (n *needles) addPixels(name string, b []byte) {
	for at := len(b) / 3; at+pieceBytes <= len(b); at += len(b)/7 + 1 {
		var seen [256]bool
		distinct := 0
		for _, v := range b[at : at+24] {
			if !seen[v] {
				seen[v] = true
				distinct++
			}
		}
		if distinct >= 8 {
			n.add(name, b[at:])
		}
	}
}

// addCrop takes pieces from the middle of a network's input or output where no
// number is its neighbour's.
func (n *needles) addCrop(name string, v []float32) {
	for i := len(v) / 12; i+pieceFloat <= len(v); i += len(v)/6 + 1 {
		if v[i] != v[i+1] && v[i+1] != v[i+2] && v[i+2] != v[i+3] && v[i+3] != v[i+4] {
			n.addNumbers(name, v[i:])
		}
	}
}

// spy is the runtime, whose networks tell needles what goes in and comes out, and
// fail or panic at a run of one's choice.
type spy struct {
	face.Inferer
	n       *needles
	runs    int
	failAt  int // run from which on they fail; 0 never
	panicAt int
}

type spyLane struct {
	face.Lane
	s    *spy
	spec face.NetworkSpec
}

func (s *spy) NewLane(spec face.NetworkSpec) (face.Lane, error) {
	l, err := s.Inferer.NewLane(spec)
	return spyLane{l, s, spec}, err
}

var errSpy = errors.New("the runtime fails")

func (l spyLane) Run() error {
	l.s.runs++
	l.s.n.addCrop("input of "+l.spec.Name, l.Input())
	if err := l.Lane.Run(); err != nil {
		return err
	}
	for i := range l.spec.Outputs {
		l.s.n.addCrop("output of "+l.spec.Name, l.Output(i))
	}
	if l.s.failAt > 0 && l.s.runs >= l.s.failAt {
		return errSpy
	}
	if l.s.runs == l.s.panicAt {
		panic(errSpy)
	}
	return nil
}

// ending is one way in which a check ends.
type ending struct {
	name            string
	person          string // of the portrait
	failAt, panicAt int    // run of a network
	endAt           int    // frame at which the context ends
}

// endings are all of them, or in short mode the first two and a panic.
func endings() []ending {
	all := []ending{
		{name: "accepted", person: "p02"},
		{name: "refused", person: "p05"},
		{name: "the runtime fails at the portrait", person: "p02", failAt: 6},
		{name: "the runtime fails at a frame", person: "p02", failAt: 40},
		{name: "the runtime panics at the portrait's second embedding", person: "p02", panicAt: 6},
		{name: "the runtime panics at a frame", person: "p02", panicAt: 40},
		{name: "the context ends", person: "p02", endAt: 20},
	}
	if testing.Short() {
		return []ending{all[0], all[1], all[5]}
	}
	return all
}

func memoryChild(t *testing.T) {
	p, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	rt, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Inferer: rt}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: s, Random: &counter{}})
	if err != nil {
		t.Fatal(err)
	}
	planted := bytes.Repeat([]byte("in memory"), 100)
	for _, end := range endings() {
		n := &needles{pieces: map[uint64]needle{}}
		s.n, s.runs, s.failAt, s.panicAt = n, 0, end.failAt, end.panicAt
		n.add("planted", planted)
		runAndWipe(t, e, n, end)
		found := n.search(t)
		if found["planted"] == 0 {
			t.Error("the search does not find what is there")
		}
		delete(found, "planted")
		if len(found) > 0 {
			t.Errorf("%s: left in memory: %v", end.name, found)
		}
		fmt.Println("searched for", len(n.pieces), "pieces:", end.name)
	}
	runtime.KeepAlive(planted)
}

// runAndWipe is one check, as a server runs it, that ends as it is told to.
func runAndWipe(t *testing.T, e *face.Engine, n *needles, end ending) {
	t.Helper()
	s := live(t, "p02")
	for i := range s.jpeg {
		n.addJPEG(fmt.Sprintf("frame %d", i+1), s.jpeg[i])
		if i%10 == 0 {
			face.Decoded(s.jpeg[i], func(luma []byte) { n.addPixels(fmt.Sprintf("pixels of frame %d", i+1), luma) })
		}
	}
	photo := portrait(t, end.person)
	n.addJPEG("portrait", photo)
	face.Decoded(photo, func(luma []byte) { n.addPixels("pixels of the portrait", luma) })
	defer func() { // the caller wipes what is the caller's
		if p := recover(); (p != nil) != (end.panicAt > 0) {
			t.Errorf("%s: panic %v", end.name, p)
		}
		clear(photo)
		for _, b := range s.jpeg {
			clear(b)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := e.NewCheck(ctx, photo)
	if err != nil {
		if !errors.Is(err, errSpy) {
			t.Errorf("%s: %v", end.name, err)
		}
		return
	}
	defer c.Wipe()
	n.addVector("embedding of the portrait", c.Reference())
	cam, instruction, start := newFollower(s), c.Instruction(), time.Unix(0, 0)
	for i := range 300 {
		if i == end.endAt && i > 0 {
			cancel()
		}
		at := time.Duration(i) * 100 * time.Millisecond
		g, err := c.Push(ctx, face.Frame{JPEG: cam.next(instruction), CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			if !errors.Is(err, errSpy) && (end.endAt == 0 || !errors.Is(err, context.Canceled)) {
				t.Errorf("%s: %v", end.name, err)
			}
			return
		}
		if instruction = g.Instruction; g.Finished {
			break
		}
	}
	for _, v := range c.Sums() {
		n.addVector("embedding of the run", v)
	}
	if d := c.Decide(); d.Accepted != (end.name == "accepted") {
		t.Errorf("%s: %+v", end.name, d)
	}
}

// search reads every writable part of the process's memory.
func (n *needles) search(t *testing.T) map[string]int {
	t.Helper()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = maps.Close() }()
	mem, err := os.Open(filepath.Join("/proc", "self", "mem"))
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = mem.Close() }()
	found := map[string]int{}
	buf := make([]byte, 1<<20)
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		var perms string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &perms); err != nil || !strings.HasPrefix(perms, "rw") {
			continue
		}
		for at := from; at < to; at += int64(len(buf)) - pieceBytes {
			size, err := mem.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
			n.look(buf[:size], found)
			if err != nil && err != io.EOF {
				break // a guard page
			}
		}
	}
	return found
}

func (n *needles) look(b []byte, found map[string]int) {
	for i := 0; i+pieceBytes <= len(b); i++ {
		if !n.first[uint16(b[i])|uint16(b[i+1])<<8] {
			continue
		}
		word := func(k int) uint64 { return binary.LittleEndian.Uint64(b[i+8*k:]) ^ mask }
		p, ok := n.pieces[word(0)]
		for k := range p.rest {
			ok = ok && p.rest[k] == word(k+1)
		}
		if ok {
			found[p.name]++
		}
	}
	clear(b)
}

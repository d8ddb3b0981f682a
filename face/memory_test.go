//go:build linux

package face_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
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
)

// childEnv marks the process whose memory is searched.
const childEnv = "IPSE_FACE_MEMORY_CHILD"

// After a check nothing of its frames' bytes or embeddings is in the process's
// memory. A process of its own runs the check and then reads itself, because the
// other tests keep pictures on purpose.
func TestNothingStaysInMemory(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		memoryChild(t)
		return
	}
	t.Parallel()
	engine(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingStaysInMemory$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "searched") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// needles are pieces to look for, held masked so that they do not find themselves.
// A piece is longer than a register, in which a preempted copy may survive.
type needles struct {
	first  [1 << 16]bool // by the first two bytes
	pieces map[uint64]needle
}

type needle struct {
	name string
	rest [2]uint64 // the masked 16 bytes that follow
}

const mask = 0x5aa5a55a5aa5c33c

func (n *needles) add(name string, b []byte) {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) ^ mask }
	n.first[uint16(b[0])|uint16(b[1])<<8] = true
	n.pieces[word(0)] = needle{name, [2]uint64{word(1), word(2)}}
}

// addJPEG takes pieces of the entropy-coded data.
func (n *needles) addJPEG(name string, b []byte) {
	for i := 1; i <= 8; i++ {
		n.add(name, b[i*len(b)/9:])
	}
}

// addVector takes pieces of six numbers.
func (n *needles) addVector(name string, v []float32) {
	var b [24]byte
	for i := 8; i+6 <= len(v); i += 24 {
		for k := range 6 {
			binary.LittleEndian.PutUint32(b[4*k:], math.Float32bits(v[i+k]))
		}
		n.add(name, b[:])
	}
	clear(b[:])
}

func memoryChild(t *testing.T) {
	e := engine(t)
	n := &needles{pieces: map[uint64]needle{}}
	planted := bytes.Repeat([]byte("in memory"), 100)
	n.add("planted", planted)
	runAndWipe(t, e, n)
	found := n.search(t)
	if found["planted"] == 0 {
		t.Error("the search does not find what is there")
	}
	delete(found, "planted")
	if len(found) > 0 {
		t.Errorf("left in memory: %v", found)
	}
	fmt.Println("searched for", len(n.pieces), "pieces")
	runtime.KeepAlive(planted)
}

func runAndWipe(t *testing.T, e *face.Engine, n *needles) {
	t.Helper()
	s := live(t, "p02")
	for i := range s.jpeg {
		n.addJPEG(fmt.Sprintf("frame %d", i+1), s.jpeg[i])
	}
	photo := portrait(t, "p02")
	n.addJPEG("portrait", photo)
	c, err := e.NewCheck(t.Context(), photo)
	if err != nil {
		t.Fatal(err)
	}
	n.addVector("embedding of the portrait", c.Reference())
	cam, instruction, start := newFollower(s), c.Instruction(), time.Unix(0, 0)
	for i := range 300 {
		at := time.Duration(i) * 100 * time.Millisecond
		g, err := c.Push(t.Context(), face.Frame{JPEG: cam.next(instruction), CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		if instruction = g.Instruction; g.Finished {
			break
		}
	}
	for _, v := range c.Sums() {
		n.addVector("embedding of the run", v)
	}
	if d := c.Decide(); !d.Accepted {
		t.Errorf("%+v", d)
	}
	c.Wipe()
	// The caller wipes what is the caller's.
	clear(photo)
	for _, b := range s.jpeg {
		clear(b)
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
		for at := from; at < to; at += int64(len(buf)) - 24 {
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
	for i := 0; i+24 <= len(b); i++ {
		if !n.first[uint16(b[i])|uint16(b[i+1])<<8] {
			continue
		}
		word := func(k int) uint64 { return binary.LittleEndian.Uint64(b[i+8*k:]) ^ mask }
		if p, ok := n.pieces[word(0)]; ok && p.rest == [2]uint64{word(1), word(2)} {
			found[p.name]++
		}
	}
	clear(b)
}

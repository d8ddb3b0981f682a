package face_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
)

// sharedEngine is started once: loading the networks takes longer than most tests.
var sharedEngine = sync.OnceValues(func() (*face.Engine, error) {
	p, err := pack.Default()
	if err != nil {
		return nil, err
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		return nil, err
	}
	// Instructions time out sooner than in service, so that attacks end sooner.
	policy := face.DefaultPolicy()
	policy.StepFor, policy.CenterFor = 5*time.Second, 6*time.Second
	policy.Light = face.LightOff // light_live_test.go has runs with colours
	return face.NewEngine(face.Config{Pack: p, Inferer: runtime, Random: &counter{}, Policy: policy})
})

// thorough says that time does not matter: IPSE_PEOPLE names the folder of all
// rendered people.
func thorough() bool { return os.Getenv("IPSE_PEOPLE") != "" }

// some shortens a list unless time does not matter.
func some[T any](list []T, n int) []T {
	if thorough() || len(list) <= n {
		return list
	}
	return list[:n]
}

// engine returns the default engine, or skips where ONNX Runtime is missing.
func engine(t testing.TB) *face.Engine {
	t.Helper()
	e, err := sharedEngine()
	if err != nil {
		t.Skip("no engine:", err)
	}
	return e
}

// counter is a deterministic source of randomness.
type counter struct {
	mu sync.Mutex
	x  uint32
}

func (c *counter) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b {
		c.x = c.x*1664525 + 1013904223
		b[i] = byte(c.x >> 24)
	}
	return len(b), nil
}

// truth is what a sequence of rendered frames shows.
type truth struct {
	Person  string        `json:"person"`
	Frames  []truthFrame  `json:"frames"`
	Actions []truthAction `json:"actions"`
}

type truthFrame struct {
	File       string
	T          int `json:"t_ms"`
	Yaw        float64
	Pitch      float64
	Roll       float64
	Smile      float64
	MouthOpen  float64
	EyesClosed float64
}

type truthAction struct {
	Action string
	T      [2]int `json:"t_ms"`
}

// sequence is a recorded sequence with its pictures in memory.
type sequence struct {
	truth
	name string
	jpeg [][]byte
}

// peopleFolder is the folder of all rendered people where there is one
// (IPSE_PEOPLE, or ../shared/people beside the checkout), else the subset kept here.
func peopleFolder() string {
	for _, dir := range []string{os.Getenv("IPSE_PEOPLE"), filepath.Join("..", "..", "shared", "people")} {
		if _, err := os.Stat(filepath.Join(dir, "people")); dir != "" && err == nil {
			return dir
		}
	}
	return filepath.Join("..", "testdata", "people")
}

// livePeople lists the people whose live sequence is there; in short mode at most two.
func livePeople(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(peopleFolder(), "people", "*", "live", "truth.json"))
	if err != nil || len(found) == 0 {
		t.Skip("no rendered people here")
	}
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(filepath.Dir(f))))
	}
	if testing.Short() {
		names = names[:min(2, len(names))]
	}
	return names
}

func attacks(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(peopleFolder(), "attacks", "*", "truth.json"))
	if err != nil || len(found) == 0 {
		t.Skip("no rendered attacks here")
	}
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}

func portrait(t testing.TB, person string) []byte {
	t.Helper()
	return read(t, filepath.Join(peopleFolder(), "people", person, "portrait.jpg"))
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func live(t testing.TB, person string) *sequence {
	t.Helper()
	return load(t, filepath.Join(peopleFolder(), "people", person, "live"), person)
}

func attack(t testing.TB, name string) *sequence {
	t.Helper()
	return load(t, filepath.Join(peopleFolder(), "attacks", name), name)
}

func load(t testing.TB, dir, name string) *sequence {
	t.Helper()
	s := &sequence{name: name}
	if err := json.Unmarshal(read(t, filepath.Join(dir, "truth.json")), &s.truth); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Frames {
		path := filepath.Join(dir, f.File)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("%s refers to frames that are not kept here", name)
		}
		s.jpeg = append(s.jpeg, read(t, path))
	}
	return s
}

func (s *sequence) indexAt(ms int) int {
	i := slices.IndexFunc(s.Frames, func(f truthFrame) bool { return f.T > ms })
	if i < 0 {
		return len(s.Frames) - 1
	}
	return max(i-1, 0)
}

// piece returns the frames of an action; blinks take turns.
func (s *sequence) piece(a face.Action, nth int) []int {
	var pieces []truthAction
	for _, p := range s.Actions {
		if p.Action == string(a) {
			pieces = append(pieces, p)
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	p := pieces[nth%len(pieces)]
	return span(s.indexAt(p.T[0]), s.indexAt(p.T[1]))
}

func span(from, to int) []int {
	var list []int
	for i := from; i <= to; i++ {
		list = append(list, i)
	}
	return list
}

// idle is the neutral beginning, forth and back: a person waiting.
func (s *sequence) idle() []int {
	last := 5
	if len(s.Actions) > 0 {
		last = max(2, s.indexAt(s.Actions[0].T[0]-100))
	}
	last = min(last, len(s.Frames)-1)
	list := span(0, last)
	for i := last - 1; i > 0; i-- {
		list = append(list, i)
	}
	return list
}

// camera gives one picture after another, knowing the instruction on the page.
type camera interface {
	next(face.Instruction) []byte
}

// follower reads each instruction and plays that piece of a recorded person, a
// moment later, as somebody would who reads and then acts.
type follower struct {
	s      *sequence
	delay  int // frames before acting
	shown  int
	queue  []int
	ticks  int
	blinks int
}

func newFollower(s *sequence) *follower { return &follower{s: s, delay: 4, shown: -1} }

func (f *follower) next(i face.Instruction) []byte {
	idle := f.s.idle()
	if i.Index != f.shown {
		f.shown = i.Index
		f.queue = nil
		if p := f.s.piece(i.Action, f.blinks); p != nil {
			for k := range f.delay {
				f.queue = append(f.queue, idle[k%len(idle)])
			}
			f.queue = append(f.queue, p...)
		}
		if i.Action == face.ActionBlink {
			f.blinks++
		}
	}
	f.ticks++
	if len(f.queue) == 0 {
		return f.s.jpeg[idle[f.ticks%len(idle)]]
	}
	n := f.queue[0]
	f.queue = f.queue[1:]
	return f.s.jpeg[n]
}

// looper plays a recording again and again, whatever is asked.
type looper struct {
	s *sequence
	n int
}

func (l *looper) next(face.Instruction) []byte {
	b := l.s.jpeg[l.n%len(l.s.jpeg)]
	l.n++
	return b
}

// outcome of a run.
type outcome struct {
	face.Decision
	report face.Report
	hints  map[face.Hint]int
	frames int
}

// run drives a check with a camera at ten frames a second.
func run(t testing.TB, c *face.Check, cam camera) outcome {
	t.Helper()
	defer c.Wipe()
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	o := outcome{hints: map[face.Hint]int{}}
	instruction := c.Instruction()
	for i := range 2000 {
		at := time.Duration(i) * 100 * time.Millisecond
		g, err := c.Push(t.Context(), face.Frame{JPEG: cam.next(instruction), CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		instruction = g.Instruction
		o.frames++
		if g.Hint != "" {
			o.hints[g.Hint]++
		}
		if g.Finished {
			break
		}
	}
	o.Decision = c.Decide()
	o.report = c.Report()
	return o
}

func check(t testing.TB, e *face.Engine, person string) *face.Check {
	t.Helper()
	c, err := e.NewCheck(t.Context(), portrait(t, person))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// greyJPEG is an empty picture.
func greyJPEG(t testing.TB, w, h int) []byte { return plainJPEG(t, w, h, 128) }

func plainJPEG(t testing.TB, w, h int, luma byte) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = luma
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

package eval

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const smallIndex = `{"name": "own", "people": [
	{"id": "a", "portrait": "a/p.jpg", "sex": "F", "age": 30, "live": {"truth": "a/truth.json"}},
	{"id": "b", "portrait": "b/p.jpg", "groups": {"glasses": "yes", "age": "young"}, "age": 61},
	{"id": "c", "portrait": "c/p.jpg", "split": "test"}],
	"attacks": [
	{"id": "m", "attack": "mask", "person": "a", "wearer": "b", "truth": "m/truth.json"},
	{"id": "o", "attack": "order", "person": "b", "truth": "o/truth.json", "asked": ["smile"]}]}`

func TestIndexIsRead(t *testing.T) {
	t.Parallel()
	x, err := ReadIndex(strings.NewReader(smallIndex))
	if err != nil {
		t.Fatal(err)
	}
	if len(x.People) != 3 || x.People[0].Split != Dev || x.People[1].Split != Test || x.People[2].Split != Test {
		t.Errorf("%+v", x.People)
	}
	if got := strings.Join(x.People[0].Groups, ", "); got != "sex F, age under 35" {
		t.Errorf("groups of the first: %s", got)
	}
	if got := strings.Join(x.People[1].Groups, ", "); got != "age young, glasses yes" {
		t.Errorf("what the index says goes before what is derived: %s", got)
	}
	if x.Attacks[0].Second != "b" || x.Attacks[1].Asked[0] != "smile" {
		t.Errorf("%+v", x.Attacks)
	}
}

// No person is in both parts, and a presentation that mixes people of both is in
// neither.
func TestSplitIsByPerson(t *testing.T) {
	t.Parallel()
	x, err := ReadIndex(strings.NewReader(smallIndex))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		who  []string
		want Split
	}{{[]string{"a"}, Dev}, {[]string{"b", "c"}, Test}, {[]string{"a", "b"}, Mixed}, {[]string{"b", ""}, Test}, {[]string{"nobody"}, Mixed}, {nil, Mixed}} {
		if got := x.SplitOf(v.who...); got != v.want {
			t.Errorf("%v: %s, want %s", v.who, got, v.want)
		}
	}
}

func TestMisleadingIndexIsRefused(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct{ from, to, want string }{
		"no JSON":          {"{", "", "read index"},
		"nobody":           {`"people"`, `"persons"`, "lists nobody"},
		"twice":            {`"id": "b"`, `"id": "a"`, "person 2 has no name of its own"},
		"unknown split":    {`"split": "test"`, `"split": "train"`, "person 3: the split"},
		"leaves":           {"a/p.jpg", "../p.jpg", "person 1: a path"},
		"leaves later":     {"a/p.jpg", "a/../../p.jpg", "person 1: a path"},
		"absolute":         {"a/truth.json", "/etc/passwd", "person 1: a path"},
		"no portrait":      {`"portrait": "b/p.jpg"`, `"portrait": ""`, "person 2: a path"},
		"a stranger":       {`"wearer": "b"`, `"wearer": "x"`, "attack 1 is by somebody"},
		"attack twice":     {`"id": "o"`, `"id": "m"`, "attack 2 has no name"},
		"attack leaves":    {"m/truth.json", "c:/truth.json", "attack 1: its path"},
		"attack of no-one": {`"person": "b"`, `"person": ""`, "attack 2 is by somebody"},
	} {
		_, err := ReadIndex(strings.NewReader(strings.Replace(smallIndex, v.from, v.to, 1)))
		if err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadIndex(strings.NewReader(`{"people": [` + strings.Repeat(" ", maxIndexBytes) + "]}")); err == nil {
		t.Error("a huge file passes")
	}
}

const smallSequence = `{"person": "a", "fps": 10, "frames": [{"file": "1.jpg", "t_ms": 0, "yaw": 1.5}, {"file": "../b/2.jpg", "t_ms": 100}, {"file": "3.jpg", "t_ms": 250}],
	"actions": [{"action": "smile", "t_ms": [50, 240]}]}`

func TestSequenceIsRead(t *testing.T) {
	t.Parallel()
	s, err := ReadSequence(strings.NewReader(smallSequence))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Frames) != 3 || s.Frames[0].Yaw != 1.5 || s.Frames[2].TMS != 250 || s.Actions[0].TMS != [2]float64{50, 240} {
		t.Errorf("%+v", s)
	}
	for ms, want := range map[float64]int{-5: 0, 0: 0, 99: 0, 100: 1, 249: 1, 250: 2, 9999: 2} {
		if got := s.IndexAt(ms); got != want {
			t.Errorf("at %.0f ms frame %d, want %d", ms, got, want)
		}
	}
	for name, v := range map[string][2]string{
		"not later": {`"t_ms": 100`, `"t_ms": 0`}, "absolute": {"3.jpg", "/3.jpg"}, "no file": {`"1.jpg"`, `""`},
		"ends before": {"[50, 240]", "[50, 40]"}, "no action": {`"smile"`, `""`}, "no frame": {`"frames"`, `"pictures"`},
	} {
		if _, err := ReadSequence(strings.NewReader(strings.Replace(smallSequence, v[0], v[1], 1))); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// The rendered people's own index and sequences are read, and both parts have
// somebody with a genuine sequence.
func TestTheSubsetKeptHereIsRead(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "testdata", "people")
	f, err := os.Open(filepath.Join(root, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := ReadIndex(f)
	if err != nil {
		t.Fatal(err)
	}
	with := map[Split]int{}
	for _, p := range x.People {
		if p.Truth == "" {
			continue
		}
		with[p.Split]++
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.Truth)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSequence(strings.NewReader(string(b))); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
	}
	if with[Dev] == 0 || with[Test] == 0 || len(x.Attacks) == 0 {
		t.Errorf("people with a sequence: %v, attacks: %d", with, len(x.Attacks))
	}
}

// Whatever is read keeps its promises: names are unique, paths stay below, frames
// advance.
func FuzzReadIndex(f *testing.F) {
	f.Add(smallIndex)
	f.Add(smallSequence)
	f.Add(`{"people":[{"id":"a","portrait":"./x/..//y"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if x, err := ReadIndex(strings.NewReader(text)); err == nil {
			seen := map[string]bool{}
			for _, p := range x.People {
				if seen[p.ID] || !filepath.IsLocal(filepath.FromSlash(p.Portrait)) || (p.Truth != "" && !filepath.IsLocal(filepath.FromSlash(p.Truth))) {
					t.Fatalf("%+v", p)
				}
				seen[p.ID] = true
			}
			for _, a := range x.Attacks {
				if !seen[a.Person] || !filepath.IsLocal(filepath.FromSlash(a.Truth)) {
					t.Fatalf("%+v", a)
				}
			}
		}
		if s, err := ReadSequence(strings.NewReader(text)); err == nil {
			for i := range s.Frames {
				if i > 0 && s.Frames[i].TMS <= s.Frames[i-1].TMS {
					t.Fatal("time stands still")
				}
				if k := s.IndexAt(s.Frames[i].TMS); k != i {
					t.Fatalf("frame %d is found as %d", i, k)
				}
			}
		}
	})
}

func ExampleReadIndex() {
	x, err := ReadIndex(strings.NewReader(`{"people": [{"id": "first", "portrait": "first.jpg"}, {"id": "second", "portrait": "second.jpg"}]}`))
	fmt.Println(len(x.People), x.SplitOf("first"), x.SplitOf("first", "second"), err)
	// Output: 2 dev mixed <nil>
}

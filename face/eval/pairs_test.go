package eval

import (
	"strings"
	"testing"
)

func TestReadPairs(t *testing.T) {
	t.Parallel()
	l, err := ReadPairs(strings.NewReader("\ufeffa,b,same,group\r\nx.jpg,y.jpg,1,g\r\n\r\ny.jpg, z.jpg,no,\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Pairs) != 2 || len(l.Images) != 3 || l.People != 2 || l.Pairs[1].Line != 4 || l.Images[2] != (Image{"z.jpg", 4}) {
		t.Errorf("%+v", l)
	}
	if g := l.Groups(); len(g) != 2 || g[0] != "" || g[1] != "g" {
		t.Errorf("groups %q", g)
	}
}

func TestReadPairsNamesTheLine(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":                                 "line of columns",
		"one,two,same\n":                   "line 1: the columns",
		"a,b,same\n":                       "no pair",
		"a,b,same\nx,y,1\nx,y,maybe\n":     "line 3: same must be",
		"a,b,same\nx,x,1\n":                "line 2: an image is paired with itself",
		"a,b,same\nx,,1\n":                 "line 2: an image is missing",
		"a,b,same\nx,y,1\ny,x,1\n":         "line 3: the pair of line 2 again",
		"a,b,same\nx,y,1\ny,z,1\nx,z,0\n":  "line 4: other lines say",
		"a,b,same\nx,y\n":                  "line 2",
		"a,b,same\nx,y,1\n\"x\"y,z,0\n":    "line 3",
		"a,b,same,group\nx,y,1,g\nx,z,0\n": "line 3",
	} {
		_, err := ReadPairs(strings.NewReader(list))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", list, err, want)
		}
	}
}

func FuzzReadPairs(f *testing.F) {
	f.Add("a,b,same\nx,y,1\ny,z,0\n")
	f.Add("a,b,same,group\nx,y,yes,\"g\nh\"\n")
	f.Fuzz(func(t *testing.T, list string) {
		l, err := ReadPairs(strings.NewReader(list))
		if err != nil {
			return
		}
		if l.People < 1 || l.People > len(l.Images) {
			t.Fatalf("%d people in %d images", l.People, len(l.Images))
		}
		line := 1
		for _, p := range l.Pairs {
			if p.A == p.B || max(p.A, p.B) >= len(l.Images) || p.Line <= line {
				t.Fatalf("pair %+v", p)
			}
			line = p.Line
		}
	})
}

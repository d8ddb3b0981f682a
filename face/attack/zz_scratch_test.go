package attack

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"ipse/face"
)

func scratchRec(t testing.TB, dir, id string) *Recording {
	b, err := os.ReadFile(dir + "/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Frames []struct {
			File             string
			T                float64 `json:"t_ms"`
			Yaw, Pitch, Roll float64
		}
		Actions []struct {
			Action string
			T      [2]float64 `json:"t_ms"`
		}
	}
	json.Unmarshal(b, &s)
	r := &Recording{Person: id, Frames: len(s.Frames)}
	at := func(ms float64) int {
		for i, f := range s.Frames {
			if f.T > ms {
				return max(i-1, 0)
			}
		}
		return len(s.Frames) - 1
	}
	for _, f := range s.Frames {
		r.Poses = append(r.Poses, Pose{f.Yaw, f.Pitch, f.Roll})
	}
	for _, a := range s.Actions {
		r.Pieces = append(r.Pieces, Piece{face.Action(a.Action), at(a.T[0]), at(a.T[1])})
	}
	r.Open = func(i int) ([]byte, error) { return os.ReadFile(dir + "/" + s.Frames[i].File) }
	r.Anchor = func(int) (Anchor, error) {
		return Anchor{Point{275, 255}, Point{355, 255}, Point{315, 345}}, nil
	}
	return r
}

func scratchSetting(t testing.TB, v int) Setting {
	root := "/work/shared/people/people/"
	p, _ := os.ReadFile(root + "p02/portrait.jpg")
	c := append([]face.Action{face.ActionCenter}, face.Actions()...)
	return Setting{Subject: scratchRec(t, root+"p02/live", "p02"), Other: scratchRec(t, root+"p12/live", "p12"), Portrait: p,
		PortraitAnchor: func() (Anchor, error) { return Anchor{Point{185, 305}, Point{285, 305}, Point{235, 420}}, nil }, Challenge: c, Variant: v, Seed: 1}
}

func BenchmarkScratch(b *testing.B) {
	for _, s := range []Species{BonaFide, Print, ScreenVideo, CutMask} {
		b.Run(string(s), func(b *testing.B) {
			p, err := New(s, scratchSetting(b, 1))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				p.Next(face.Instruction{Index: 1, Action: face.ActionTurnLeft})
			}
		})
	}
}

func TestScratchPictures(t *testing.T) {
	for _, i := range Catalogue() {
		for v := range 2 {
			p, err := New(i.Species, scratchSetting(t, v))
			if err != nil {
				t.Fatal(i.Species, err)
			}
			for k := range 22 {
				in := face.Instruction{Index: 1, Action: face.ActionTurnLeft}
				if k < 6 {
					in = face.Instruction{Index: 0, Action: face.ActionCenter}
				}
				f, err := p.Next(in)
				if err != nil {
					t.Fatal(i.Species, err)
				}
				if k == 21 {
					os.WriteFile(fmt.Sprintf("/tmp/wt-pad-tools/s_%s_%d.jpg", i.Species, v), f.JPEG, 0o644)
				}
			}
		}
	}
}

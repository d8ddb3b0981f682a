package face_test

import (
	"math"
	"testing"

	"ipse/face"
)

// measured holds a live sequence's frames beside their ground truth.
func measured(t *testing.T, s *sequence) []face.Measured {
	t.Helper()
	e := engine(t)
	list := make([]face.Measured, len(s.jpeg))
	for i, data := range s.jpeg {
		m, err := e.Measure(t.Context(), data, false)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = m
	}
	return list
}

// Head pose, expressions and eyelids against the ground truth of rendered people.
func TestMeasuresFollowGroundTruth(t *testing.T) {
	t.Parallel()
	for _, p := range some(livePeople(t), 3) {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			s := live(t, p)
			list := measured(t, s)
			var yaw, roll, wrongSign float64
			var columns [8][]float64
			for i, m := range list {
				truth := s.Frames[i]
				if m.Faces != 1 {
					t.Fatalf("frame %d: %d faces", i+1, m.Faces)
				}
				yaw += math.Abs(float64(m.Yaw) - truth.Yaw)
				roll += math.Abs(float64(m.Roll) - truth.Roll)
				if math.Abs(truth.Yaw) > 10 && truth.Yaw*float64(m.Yaw) < 0 {
					wrongSign++
				}
				for c, v := range []float64{float64(m.Pitch), truth.Pitch, float64(m.Lips), truth.MouthOpen, float64(m.Eyes), -truth.EyesClosed, float64(m.Mouth), truth.Smile} {
					columns[c] = append(columns[c], v)
				}
			}
			n := float64(len(list))
			if yaw/n > 4 || roll/n > 2 || wrongSign > 0 {
				t.Errorf("mean error of yaw %.1f, of roll %.1f degrees, %.0f wrong signs", yaw/n, roll/n, wrongSign)
			}
			for c, want := range map[int]float64{0: .75, 2: .5, 4: .6, 6: .6} {
				if r := correlation(columns[c], columns[c+1]); r < want {
					t.Errorf("correlation of measure %d with the truth: %.2f, want %.2f", c/2, r, want)
				}
			}
		})
	}
}

func correlation(a, b []float64) float64 {
	n := float64(len(a))
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		sa, sb = sa+a[i], sb+b[i]
		saa, sbb, sab = saa+a[i]*a[i], sbb+b[i]*b[i], sab+a[i]*b[i]
	}
	return (n*sab - sa*sb) / math.Sqrt((n*saa-sa*sa)*(n*sbb-sb*sb))
}

// The portrait and a live frame of the same person are nearer than those of two.
func TestEmbeddingSeparatesPeople(t *testing.T) {
	t.Parallel()
	e := engine(t)
	people := some(livePeople(t), 4)
	var portraits, frames [][]float32
	for _, p := range people {
		a, err := e.Measure(t.Context(), portrait(t, p), true)
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.Measure(t.Context(), live(t, p).jpeg[2], true)
		if err != nil {
			t.Fatal(err)
		}
		portraits, frames = append(portraits, a.Embedding), append(frames, b.Embedding)
	}
	for i := range people {
		for j := range people {
			c := face.Cosine(portraits[i], frames[j])
			if i == j && c < .7 {
				t.Errorf("%s: cosine %.2f with itself", people[i], c)
			}
			if i != j && c > .6 {
				t.Errorf("%s and %s: cosine %.2f", people[i], people[j], c)
			}
		}
	}
}

// One face, and no second one in hair or furniture, in every portrait kept.
func TestPortraitsHoldOneFace(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, p := range []string{"p01", "p02", "p03", "p04", "p05", "p06", "p07", "p08", "p09", "p10", "p11", "p12"} {
		m, err := e.Measure(t.Context(), portrait(t, p), false)
		if err != nil || m.Faces != 1 || m.EyeDistance < 60 {
			t.Errorf("%s: %d faces, %v", p, m.Faces, err)
		}
	}
}

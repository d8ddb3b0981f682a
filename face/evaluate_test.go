package face_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"ipse/face"
)

func TestScorePairsAgreesWithCompare(t *testing.T) {
	t.Parallel()
	e := engine(t)
	images := [][]byte{portrait(t, "p02"), live(t, "p02").jpeg[2], portrait(t, "p05"), greyJPEG(t, 300, 300)}
	pairs := [][2]int{{0, 1}, {2, 0}, {3, 1}, {1, 2}}
	opened := make([]int, len(images))
	var given [][]byte
	open := func(i int) ([]byte, error) {
		opened[i]++
		given = append(given, slices.Clone(images[i]))
		return given[len(given)-1], nil
	}
	next := 0
	err := e.ScorePairs(t.Context(), face.Photographs(len(images), open), pairs, func(i int, c face.Comparison, cosine float32) error {
		if i != next {
			t.Errorf("pair %d came when %d was due", i, next)
		}
		next++
		want, err := e.Compare(t.Context(), images[pairs[i][0]], images[pairs[i][1]])
		if err != nil || c.Match != want.Match || c.Compared != want.Compared || c.Match != (c.Compared && cosine >= e.Threshold().Cosine) {
			t.Errorf("pair %d: %+v %v, alone %+v, %v", i, c, cosine, want, err)
		}
		return nil
	})
	if err != nil || next != len(pairs) {
		t.Fatalf("%d pairs, %v", next, err)
	}
	if !slices.Equal(opened, []int{1, 1, 1, 1}) {
		t.Errorf("images were read %v times", opened)
	}
	for i, b := range given {
		if slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
			t.Errorf("image %d was not overwritten", i)
		}
	}
}

func TestScorePairsStops(t *testing.T) {
	t.Parallel()
	e := engine(t)
	fault := errors.New("fault")
	open := func(int) ([]byte, error) { return portrait(t, "p02"), nil }
	done := func(int, face.Comparison, float32) error { return nil }
	if err := e.ScorePairs(t.Context(), face.Photographs(2, open), [][2]int{{0, 2}}, done); err == nil {
		t.Error("a number out of range passed")
	}
	if err := e.ScorePairs(t.Context(), face.Photographs(2, func(int) ([]byte, error) { return nil, fault }), [][2]int{{0, 1}}, done); !errors.Is(err, fault) {
		t.Errorf("open: %v", err)
	}
	if err := e.ScorePairs(t.Context(), face.Photographs(2, open), [][2]int{{0, 1}}, func(int, face.Comparison, float32) error { return fault }); !errors.Is(err, fault) {
		t.Errorf("scored: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.ScorePairs(ended, face.Photographs(2, open), [][2]int{{0, 1}}, done); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// Several pictures, and a recorded live check, are compared as one: nearer to the
// person's portrait than the least of them, and not to another's.
func TestScorePairsOfSeveralPictures(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p02")
	single := func(data []byte) face.Sample {
		return face.Sample{Images: 1, Open: func(int) ([]byte, error) { return slices.Clone(data), nil }}
	}
	recorded := face.Sample{Images: len(s.jpeg), Open: func(i int) ([]byte, error) { return slices.Clone(s.jpeg[i]), nil }}
	for _, f := range s.Frames {
		recorded.At = append(recorded.At, time.Duration(f.T)*time.Millisecond)
	}
	for _, a := range s.Actions {
		recorded.Given = append(recorded.Given, face.Given{Action: face.Action(a.Action), At: time.Duration(a.T[0]) * time.Millisecond})
	}
	poor := slices.Clone(s.jpeg[:4])
	for i := range poor {
		poor[i] = blur(t, poor[i], 1+i%2)
	}
	several := face.Sample{Images: len(poor), Open: func(i int) ([]byte, error) { return slices.Clone(poor[i]), nil }}
	nobody := face.Sample{Images: 3, Open: func(i int) ([]byte, error) {
		return slices.Clone([][]byte{greyJPEG(t, 300, 300), s.jpeg[0], greyJPEG(t, 300, 300)}[i]), nil
	}}
	empty := recorded
	empty.Images, empty.At = 2, empty.At[:2]
	samples := []face.Sample{single(portrait(t, "p02")), single(portrait(t, "p05")), recorded, several, single(poor[1]), nobody, empty}
	var cosines []float32
	var made []face.Comparison
	err := e.ScorePairs(t.Context(), samples, [][2]int{{2, 0}, {3, 0}, {4, 0}, {2, 1}, {3, 1}, {5, 0}, {6, 0}}, func(_ int, c face.Comparison, cosine float32) error {
		cosines, made = append(cosines, cosine), append(made, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !made[0].Match || !made[1].Match || cosines[0] < .57 || cosines[1] < cosines[2] {
		t.Errorf("the same person: recorded %.3f, several %.3f, one of these %.3f", cosines[0], cosines[1], cosines[2])
	}
	if made[3].Match || made[4].Match || cosines[3] >= .57 || !made[3].Compared {
		t.Errorf("another person: recorded %.3f, several %.3f", cosines[3], cosines[4])
	}
	for _, c := range made[5:] {
		if c.Compared || len(c.A.Reasons) != 1 || c.A.Reasons[0] != face.QualityTooFew {
			t.Errorf("too few pictures: %+v", c)
		}
	}
	if err := e.ScorePairs(t.Context(), []face.Sample{recorded, {Images: 1, Given: recorded.Given, Open: recorded.Open}}, [][2]int{{0, 1}}, func(int, face.Comparison, float32) error { return nil }); err == nil {
		t.Error("frames without times were played")
	}
}

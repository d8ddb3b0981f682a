package face_test

import (
	"context"
	"errors"
	"slices"
	"testing"

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
	err := e.ScorePairs(t.Context(), len(images), pairs, open, func(i int, c face.Comparison, cosine float32) error {
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
	if err := e.ScorePairs(t.Context(), 2, [][2]int{{0, 2}}, open, done); err == nil {
		t.Error("a number out of range passed")
	}
	if err := e.ScorePairs(t.Context(), 2, [][2]int{{0, 1}}, func(int) ([]byte, error) { return nil, fault }, done); !errors.Is(err, fault) {
		t.Errorf("open: %v", err)
	}
	if err := e.ScorePairs(t.Context(), 2, [][2]int{{0, 1}}, open, func(int, face.Comparison, float32) error { return fault }); !errors.Is(err, fault) {
		t.Errorf("scored: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.ScorePairs(ended, 2, [][2]int{{0, 1}}, open, done); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

package face_test

import (
	"errors"
	"testing"

	"ipse/face"
)

func TestAFaceIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	e := engine(t)
	p, found, err := e.FindFace(t.Context(), portrait(t, "p02"))
	if err != nil || !found {
		t.Fatal(found, err)
	}
	// 480 x 600, the face in the middle: eyes level, nose and mouth below.
	if p.EyeL[0] >= p.EyeR[0] || p.EyeL[1]-p.EyeR[1] > 12 || p.EyeR[1]-p.EyeL[1] > 12 || p.Nose[1] <= p.EyeL[1] || p.MouthL[1] <= p.Nose[1] || p.EyeL[0] < 120 || p.EyeR[0] > 360 {
		t.Errorf("%+v", p)
	}
	if _, found, err := e.FindFace(t.Context(), greyJPEG(t, 480, 600)); found || err != nil {
		t.Errorf("a face in a grey picture: %v, %v", found, err)
	}
	if _, _, err := e.FindFace(t.Context(), []byte("no picture")); !errors.Is(err, face.ErrNotJPEG) {
		t.Errorf("%v", err)
	}
}

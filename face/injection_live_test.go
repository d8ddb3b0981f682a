package face_test

import (
	"testing"

	"ipse/face"
)

// painted takes the surroundings of the head from its first frame, as programs do
// that animate one picture.
type painted struct {
	t     *testing.T
	cam   camera
	first []byte
}

func (p *painted) next(i face.Instruction) []byte {
	data := p.cam.next(i)
	if p.first == nil {
		p.first = data
	}
	back, head := decodeJPEG(p.t, p.first), decodeJPEG(p.t, data)
	for y := 60; y < 420; y++ {
		for x := 200; x < 440; x++ {
			back.SetRGBA(x, y, head.RGBAAt(x, y))
		}
	}
	return encodeJPEG(p.t, back)
}

// A face animated into a picture whose rest never changes is no camera's.
func TestAFaceInAPictureIsRefused(t *testing.T) {
	t.Parallel()
	o := run(t, check(t, engine(t), "p02"), &painted{t: t, cam: newFollower(live(t, "p02"))})
	if o.Accepted || passed(o.report, "sensor_noise") {
		t.Errorf("%+v, unchanged %.3f", o.Decision, o.report.Unchanged)
	}
}

// pieces plays every other instruction from a recording made closer to the camera.
type pieces struct {
	t   *testing.T
	cam camera
}

func (p *pieces) next(i face.Instruction) []byte {
	data := p.cam.next(i)
	if i.Index%2 == 0 {
		return data
	}
	src := decodeJPEG(p.t, data)
	dst := decodeJPEG(p.t, data)
	for y := range 480 {
		for x := range 640 {
			dst.SetRGBA(x, y, src.RGBAAt(320+(x-380)*4/5, 240+(y-240)*4/5))
		}
	}
	return encodeJPEG(p.t, dst)
}

// Pieces of different recordings, joined, are seen by their joins.
func TestPiecesOfRecordingsAreRefused(t *testing.T) {
	t.Parallel()
	o := run(t, check(t, engine(t), "p02"), &pieces{t: t, cam: newFollower(live(t, "p02"))})
	if o.Accepted || passed(o.report, "one_recording") {
		t.Errorf("%+v, %d cuts", o.Decision, o.report.Cuts)
	}
}

// Whoever fails a measure that is not shown learns so at the end alone: the run
// goes through every instruction, in about the time of one that passes.
func TestHiddenSignalsTellNothingBeforeTheEnd(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p02")
	genuine := run(t, check(t, e, "p02"), newFollower(s))
	for name, cam := range map[string]camera{
		"another person": newFollower(live(t, "p05")),
		"a screen":       &changed{newFollower(s), func(b []byte) []byte { return stripes(t, b) }},
	} {
		o := run(t, check(t, e, "p02"), cam)
		if o.Accepted {
			t.Errorf("%s: accepted", name)
		}
		if o.report.StepsDone != len(o.report.Steps) || o.frames < genuine.frames-25 || o.frames > genuine.frames+25 {
			t.Errorf("%s: %d of %d steps in %d frames; a person took %d", name, o.report.StepsDone, len(o.report.Steps), o.frames, genuine.frames)
		}
		if o.hints[face.HintFurther] > 0 {
			t.Errorf("%s: hints %v", name, o.hints)
		}
	}
}

// stripes puts the grid of a screen over a picture.
func stripes(t *testing.T, data []byte) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if (x+y)%5 < 2 {
				c := img.RGBAAt(x, y)
				c.R, c.G, c.B = clampInt(int(c.R)+14), clampInt(int(c.G)+14), clampInt(int(c.B)+14)
				img.SetRGBA(x, y, c)
			}
		}
	}
	return encodeJPEG(t, img)
}

package face_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
)

func TestCompareDecidesWithReasons(t *testing.T) {
	t.Parallel()
	e := engine(t)
	p02, p05 := portrait(t, "p02"), portrait(t, "p05")
	frame := live(t, "p02").jpeg[2]
	same, err := e.Compare(t.Context(), p02, frame)
	if err != nil || !same.Match || !same.Compared || same.FMR != "1:10000" || len(same.A.Reasons) != 0 {
		t.Errorf("same person: %+v, %v", same, err)
	}
	other, err := e.Compare(t.Context(), p05, frame)
	if err != nil || other.Match || !other.Compared {
		t.Errorf("another person: %+v, %v", other, err)
	}
	none, err := e.Compare(t.Context(), p02, greyJPEG(t, 300, 300))
	if err != nil || none.Match || none.Compared || none.B.Reasons[0] != face.QualityNoFace || !none.A.Usable {
		t.Errorf("no face: %+v, %v", none, err)
	}
	broken, err := e.Compare(t.Context(), p02[:1000], p02)
	if err != nil || broken.Match || broken.A.Reasons[0] != face.QualityNotDecodable {
		t.Errorf("broken: %+v, %v", broken, err)
	}
}

// A turned face is not a portrait, nor is one that is hardly there.
func TestCompareRefusesPoorImages(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for name, test := range map[string]struct {
		change func(*testing.T, []byte) []byte
		want   face.QualityReason
	}{
		"dark":      {func(t *testing.T, b []byte) []byte { return repaint(t, b, func(v int) int { return v / 12 }) }, face.QualityTooDark},
		"bright":    {func(t *testing.T, b []byte) []byte { return repaint(t, b, func(v int) int { return 3*v + 60 }) }, face.QualityTooBright},
		"pale":      {func(t *testing.T, b []byte) []byte { return repaint(t, b, func(v int) int { return 120 + v/24 }) }, face.QualityLowContrast},
		"blurred":   {func(t *testing.T, b []byte) []byte { return blur(t, b, 7) }, face.QualityBlurred},
		"thumbnail": {func(t *testing.T, b []byte) []byte { return shrink(t, b, 8) }, face.QualityTooSmall},
	} {
		r, err := e.Compare(t.Context(), test.change(t, portrait(t, "p02")), portrait(t, "p02"))
		if err != nil || r.Match || r.Compared {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		found := false
		for _, q := range r.A.Reasons {
			found = found || q == test.want || q == face.QualityNoFace
		}
		if !found {
			t.Errorf("%s: %v, want %s", name, r.A.Reasons, test.want)
		}
	}
}

func TestNewEngineRefuses(t *testing.T) {
	t.Parallel()
	engine(t)
	p, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	bad := face.DefaultPolicy()
	bad.Count = 2
	for name, cfg := range map[string]face.Config{
		"no pack":      {Inferer: runtime},
		"no inferer":   {Pack: p},
		"many workers": {Pack: p, Inferer: runtime, Workers: 1000},
		"unknown FMR":  {Pack: p, Inferer: runtime, FMR: "1:10000000"},
		"bad policy":   {Pack: p, Inferer: runtime, Policy: bad},
	} {
		if _, err := face.NewEngine(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.NewCheck(t.Context(), portrait(t, "p02")); err == nil {
		t.Error("a challenge was drawn without a source of randomness")
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := e.Compare(t.Context(), nil, nil); !errors.Is(err, face.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A full pool makes callers wait, and no longer than their context allows.
func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	engine(t)
	p, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	release := e.Busy(2)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.Compare(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	release()
	if _, err := e.Compare(t.Context(), portrait(t, "p02"), portrait(t, "p02")); err != nil {
		t.Error(err)
	}
	if err := errors.Join(e.Close(), runtime.Close()); err != nil {
		t.Error(err)
	}
}

func TestPolicyRanges(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*face.Policy){
		"unknown action": func(p *face.Policy) { p.Actions = append(p.Actions[:6:6], "dance") },
		"repeated":       func(p *face.Policy) { p.Actions = append(p.Actions, face.ActionSmile) },
		"no turns":       func(p *face.Policy) { p.Actions, p.Count = p.Actions[2:], 4 },
		"too few":        func(p *face.Policy) { p.Count = 3 },
		"too many":       func(p *face.Policy) { p.Count = 8 },
		"hurried":        func(p *face.Policy) { p.StepFor = time.Second },
		"endless":        func(p *face.Policy) { p.CenterFor = time.Hour },
	} {
		p := face.DefaultPolicy()
		change(&p)
		if p.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

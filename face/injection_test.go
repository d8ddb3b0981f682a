package face

import (
	"testing"
	"time"
)

// at is an observation of a head at a place and a time.
func at(captured time.Duration, yaw, x float32) *observation {
	o := &observation{captured: captured, found: true, pose: pose{yaw: yaw}}
	o.mesh.points[ptNoseTip] = point3{x: x, y: 240}
	o.mesh.points[ptOuterEyeL], o.mesh.points[ptOuterEyeR] = point3{x: x - 45, y: 200}, point3{x: x + 45, y: 200}
	return o
}

// Joins count when head and background jump at the same moment between calm
// frames, and only then.
func TestJoinsOfRecordings(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		step func(n int) (at time.Duration, yaw, x, back float32)
		cuts int
	}{
		"nothing": {func(n int) (time.Duration, float32, float32, float32) { return time.Duration(n) * 66 * ms, 0, 320, 2 }, 0},
		"a piece joined every second": {func(n int) (time.Duration, float32, float32, float32) {
			if n%15 == 14 {
				return time.Duration(n) * 66 * ms, float32(8 * (n / 14 % 2)), 320, 20
			}
			return time.Duration(n) * 66 * ms, float32(8 * ((n + 1) / 15 % 2)), 320, 2
		}, 6},
		"a quick turn": {func(n int) (time.Duration, float32, float32, float32) {
			return time.Duration(n) * 66 * ms, float32(20 * (n / 5 % 2)), 320, 2
		}, 0},
		"exposure steps": {func(n int) (time.Duration, float32, float32, float32) {
			return time.Duration(n) * 66 * ms, 0, 320, float32(2 + 20*(n/15%2)*(1-n%15%2))
		}, 0},
		"a hand that shakes": {func(n int) (time.Duration, float32, float32, float32) {
			if n%15 < 4 {
				return time.Duration(n) * 66 * ms, 0, 320 + float32(30*(n%2)), 20
			}
			return time.Duration(n) * 66 * ms, 0, 320, 2
		}, 0},
		"frames lost on the way": {func(n int) (time.Duration, float32, float32, float32) {
			gap := time.Duration(n/15) * 400 * ms
			return time.Duration(n)*66*ms + gap, float32(12 * (n / 15 % 2)), 320, float32(2 + 20*boolean(n%15 == 0))
		}, 0},
	} {
		var j injection
		for n := range 100 {
			when, yaw, x, back := test.step(n)
			j.join(at(when, yaw, x), back)
		}
		if j.cuts != test.cuts || j.whole() != (test.cuts <= cutsAllowed) {
			t.Errorf("%s: %d joins, want %d", name, j.cuts, test.cuts)
		}
	}
}

func boolean(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// A background that never changes is painted; one that hardly does is a wall.
func TestSensorNoise(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		same func(n int) float32
		want bool
	}{
		"a noisy camera":                {func(int) float32 { return .5 }, true},
		"a wall and a good camera":      {func(n int) float32 { return 1 - .05*boolean(n%6 == 0) }, true},
		"a picture with a face painted": {func(int) float32 { return 1 }, false},
	} {
		var j injection
		for n := range 50 {
			j.same[j.pairs%noisePairs] = test.same(n)
			j.pairs++
		}
		if j.noisy() != test.want {
			t.Errorf("%s: %v at %.2f", name, j.noisy(), j.still())
		}
	}
	if j := (injection{}); !j.noisy() || j.still() != 0 {
		t.Error("nothing seen is a fault")
	}
}

// The page's clock may be late with the line and coarse, never ahead or fast.
func TestClocksKeepPace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		captured func(received time.Duration) time.Duration
		want     bool
	}{
		"together":         {func(r time.Duration) time.Duration { return r }, true},
		"coarse":           {func(r time.Duration) time.Duration { return r.Truncate(100 * time.Millisecond) }, true},
		"first frame late": {func(r time.Duration) time.Duration { return r + 3*time.Second }, true},
		"a slow line":      {func(r time.Duration) time.Duration { return r - min(r, 6*time.Second) }, true},
		"twice as fast":    {func(r time.Duration) time.Duration { return 2 * r }, false},
		"half as fast":     {func(r time.Duration) time.Duration { return r / 2 }, false},
		"from the past":    {func(time.Duration) time.Duration { return 0 }, false},
	} {
		var s stream
		for n := range 300 {
			r := time.Duration(n) * 100 * time.Millisecond
			c := test.captured(r)
			if n == 0 {
				c = 0
			}
			s.arrives([]byte{byte(n), byte(n >> 8)}, c, r)
		}
		if s.paced() != test.want {
			t.Errorf("%s: lead %s, lag %s", name, s.lead, s.lag)
		}
	}
}

// Frames that are mixed from others are found whatever the shares.
func TestMixturesAreFound(t *testing.T) {
	t.Parallel()
	shot := func(n int, seed uint32) *picture { // a wave that moves, with noise
		p := scene(func(x, y int) (float64, float64, float64) {
			return 100 + 60*boolean64((x+7*n)/40%2 == 0), 128, 128
		})
		for i := range p.y {
			seed = seed*1664525 + 1013904223
			p.y[i] += byte(seed >> 30)
		}
		return p
	}
	between := func(a, b *picture, share float64) *picture {
		p := &picture{}
		p.reset(a.w, a.h, 1, 1)
		for i := range p.y {
			p.y[i] = byte(float64(a.y[i])*(1-share) + float64(b.y[i])*share + .5)
		}
		return p
	}
	for name, test := range map[string]struct {
		shares []float64 // between each frame and the next
		want   bool
	}{
		"as taken":      {nil, false},
		"doubled":       {[]float64{.5}, true},
		"tripled":       {[]float64{1. / 3, 2. / 3}, true},
		"not in halves": {[]float64{.3}, true},
	} {
		var s stream
		last := shot(0, 0)
		for n := 1; n < 16; n++ {
			next := shot(n, uint32(n))
			s.look(last)
			for _, share := range test.shares {
				s.look(between(last, next, share))
			}
			last = next
		}
		if s.judged < mixedMin || s.interpolated() != test.want {
			t.Errorf("%s: %d mixed of %d", name, s.mixed, s.judged)
		}
	}
}

// While the exposure adapts every frame lies between its neighbours: before a quiet
// camera and a scene that stands still it is not taken for their mixture.
func TestAdaptingExposureIsNoMixture(t *testing.T) {
	t.Parallel()
	var s stream
	seed := uint32(1)
	for n := range 40 {
		p := scene(func(x, y int) (float64, float64, float64) {
			return 60 + 70*boolean64((x/40+y/30)%2 == 0) + 3*float64(n), 128, 128
		})
		for i := range p.y {
			seed = seed*1664525 + 1013904223
			p.y[i] += byte(seed >> 31)
		}
		s.look(p)
	}
	if s.interpolated() || s.mixed > 0 {
		t.Errorf("%d mixed of %d", s.mixed, s.judged)
	}
}

// A background is compared with that of about a second ago: what a noise filter or
// a compressed stream holds from frame to frame changes over a second, a
// picture into which a face is painted does not.
func TestBackgroundsAreComparedOverASecond(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		back func(n, x, y int) float64 // of frame n, twelve a second
		want bool
	}{
		"painted": {func(_, x, y int) float64 { return 90 + float64((x*3+y*7)%60) }, false},
		"blocks sent again now and then": {func(n, x, y int) float64 {
			sent := (n + x/16*5 + y/16*3) / 40 // each block every 40 frames
			return 90 + float64((x*3+y*7)%60) + float64(sent%2)
		}, true},
		"whole pictures every two seconds": {func(n, x, y int) float64 { return 90 + float64((x*3+y*7)%60) + float64(n/24%2) }, true},
	} {
		var s stream
		var j injection
		for n := range 90 {
			p := scene(func(x, y int) (float64, float64, float64) {
				if x > 200 && x < 440 && y > 100 {
					return 60 + float64((x*5+y*3+37*n)%120), 128, 128 // the head moves
				}
				return test.back(n, x, y), 128, 128
			})
			s.look(p)
			o := at(time.Duration(n)*time.Second/12, 0, 320)
			o.at, o.box = o.captured, detection{x: 240, y: 140, w: 160, h: 240}
			j.look(&s, p, o)
		}
		if j.pairs < noiseNeeded || j.noisy() != test.want {
			t.Errorf("%s: %v at %.3f of %d", name, j.noisy(), j.still(), j.pairs)
		}
	}
}

func boolean64(b bool) float64 { return float64(boolean(b)) }

// A picture that was there before is counted when it comes again, the one before
// it as doubled.
func TestPicturesThatRecur(t *testing.T) {
	t.Parallel()
	var s stream
	var j injection
	shots := map[int]*picture{}
	for i, n := range []int{0, 1, 1, 2, 3, 4, 5, 6, 7, 0, 1} {
		if shots[n] == nil {
			shots[n] = scene(func(x, y int) (float64, float64, float64) { return 80 + float64((x*(n+3)+y*7)%97), 128, 128 })
		}
		s.look(shots[n])
		o := at(time.Duration(i)*100*time.Millisecond, 0, 320)
		o.at, o.box = o.captured, detection{x: 220, y: 120, w: 200, h: 240}
		j.look(&s, shots[n], o)
	}
	if j.twice != 1 || j.recurs != 1 { // the first frame of all has none before it to be compared with
		t.Errorf("%d doubled, %d recurring", j.twice, j.recurs)
	}
}

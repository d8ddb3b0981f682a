package face

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// QualityTooFew means that several pictures, or a recorded live check, hold too few
// in which the face can be compared.
const QualityTooFew QualityReason = "too_few_frames"

// leastTogether is how many pictures of a sample must be usable.
const leastTogether = 2

// Sample is a side of a pair that is evaluated: a photograph, several pictures of one
// person, or a recorded live check.
type Sample struct {
	// Images is how many pictures it has. Of several, the usable ones are averaged.
	Images int
	// Open gives a picture's JPEG bytes, which are overwritten after use.
	Open func(image int) ([]byte, error)
	// Given are the instructions of a recorded live check, and At the times of its
	// frames. The frames are then played to a check, and what it takes of the neutral
	// face is compared as in service.
	Given []Given
	At    []time.Duration
}

// Photographs are samples of one picture each; open gives the bytes of an image.
func Photographs(images int, open func(image int) ([]byte, error)) []Sample {
	list := make([]Sample, images)
	for i := range list {
		list[i] = Sample{Images: 1, Open: func(int) ([]byte, error) { return open(i) }}
	}
	return list
}

// ScorePairs compares labelled pairs for an evaluation report (package face/eval)
// and for nothing that people see. A pair is two numbers of samples. Each sample
// is read once, when its first pair comes, and its embedding is overwritten
// after its last. scored receives the pair's index, whether both samples were
// usable and their qualities (Match and FMR are those of the threshold in
// force for single images), and the cosine similarity, in the order of pairs. Only
// the pairs given are compared, never one sample with all.
//
// A sample that cannot be used is a Comparison with reasons; an error is that of
// Open or scored, of the runtime, or the end of ctx.
func (e *Engine) ScorePairs(ctx context.Context, samples []Sample, pairs [][2]int,
	scored func(pair int, c Comparison, cosine float32) error) error {
	left := make([]int, len(samples)) // pairs that still need a sample
	for _, p := range pairs {
		for _, i := range p {
			if i < 0 || i >= len(samples) {
				return errors.New("face: score pairs: sample number out of range")
			}
			left[i]++
		}
	}
	embeddings, qualities := make([][]float32, len(samples)), make([]ImageQuality, len(samples))
	defer func() {
		for _, v := range embeddings {
			clear(v)
		}
	}()
	for n, p := range pairs {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("face: score pairs: %w", err)
		}
		for _, i := range p {
			if embeddings[i] != nil {
				continue
			}
			embeddings[i] = make([]float32, e.dimensions)
			var err error
			if qualities[i], err = e.embedSample(ctx, embeddings[i], samples[i]); err != nil {
				return fmt.Errorf("face: score pairs: %w", err)
			}
		}
		c, score := Comparison{FMR: e.threshold.FMR, FNMR: e.threshold.FNMR, A: qualities[p[0]], B: qualities[p[1]]}, float32(0)
		if c.Compared = c.A.Usable && c.B.Usable; c.Compared {
			score = cosine(embeddings[p[0]], embeddings[p[1]])
			c.Match = score >= e.threshold.Cosine
		}
		for _, i := range p {
			if left[i]--; left[i] == 0 {
				clear(embeddings[i])
			}
		}
		if err := scored(n, c, score); err != nil {
			return err
		}
	}
	return nil
}

// embedSample embeds a sample into dst.
func (e *Engine) embedSample(ctx context.Context, dst []float32, s Sample) (ImageQuality, error) {
	switch {
	case s.Given != nil:
		return e.embedRecorded(ctx, dst, s)
	case s.Images == 1:
		return e.embedOnce(ctx, dst, s, 0)
	}
	one, usable := make([]float32, len(dst)), 0
	defer clear(one)
	for i := range s.Images {
		q, err := e.embedOnce(ctx, one, s, i)
		if err != nil {
			return ImageQuality{}, err
		}
		if q.Usable {
			usable++
			add(dst, one, 1)
		}
	}
	if usable < leastTogether {
		clear(dst)
		return unusable(QualityTooFew), nil
	}
	unit(dst, dst)
	return ImageQuality{Usable: true, Reasons: []QualityReason{}}, nil
}

func (e *Engine) embedOnce(ctx context.Context, dst []float32, s Sample, image int) (q ImageQuality, err error) {
	data, err := s.Open(image)
	defer func() { clear(data) }()
	if err != nil {
		return q, err
	}
	err = e.with(ctx, func(k *worker) (err error) {
		q, err = k.template(dst, data)
		return err
	})
	return q, err
}

// embedRecorded plays a recorded live check and leaves the mean of its neutral
// samples in dst, whatever the check would decide.
func (e *Engine) embedRecorded(ctx context.Context, dst []float32, s Sample) (ImageQuality, error) {
	if len(s.At) != s.Images {
		return ImageQuality{}, errors.New("face: a recorded check has a time for each frame")
	}
	c, err := e.NewRecordedCheck(ctx, nil, s.Given, nil)
	if err != nil {
		return ImageQuality{}, err
	}
	defer c.Wipe()
	start := time.Unix(0, 0)
	for i := 0; i < s.Images && !c.finished; i++ {
		data, err := s.Open(i)
		if err == nil {
			_, err = c.Push(ctx, Frame{JPEG: data, CapturedAt: s.At[i], ReceivedAt: start.Add(s.At[i])})
		}
		clear(data)
		if err != nil {
			return ImageQuality{}, err
		}
	}
	if !c.identity.enough() {
		return unusable(QualityTooFew), nil
	}
	c.identity.whole(dst)
	return ImageQuality{Usable: true, Reasons: []QualityReason{}}, nil
}

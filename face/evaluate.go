package face

import (
	"context"
	"errors"
	"fmt"
)

// ScorePairs compares labelled pairs for an evaluation report (package face/eval)
// and for nothing that people see. A pair is two numbers of images below images;
// open gives an image's JPEG bytes, which are overwritten after use. Each image
// is read once, when its first pair comes, and its embedding is overwritten
// after its last. scored receives the pair's index, whether both images were
// usable and their qualities (Match and FMR are those of the threshold in
// force), and the cosine similarity, in the order of pairs. Only the pairs given
// are compared, never one image with all.
//
// An image that cannot be used is a Comparison with reasons; an error is that of
// open or scored, of the runtime, or the end of ctx.
func (e *Engine) ScorePairs(ctx context.Context, images int, pairs [][2]int, open func(image int) ([]byte, error),
	scored func(pair int, c Comparison, cosine float32) error) error {
	left := make([]int, images) // pairs that still need an image
	for _, p := range pairs {
		for _, i := range p {
			if i < 0 || i >= images {
				return errors.New("face: score pairs: image number out of range")
			}
			left[i]++
		}
	}
	embeddings, qualities := make([][]float32, images), make([]ImageQuality, images)
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
			if err := e.embedOnce(ctx, embeddings[i], &qualities[i], func() ([]byte, error) { return open(i) }); err != nil {
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

func (e *Engine) embedOnce(ctx context.Context, dst []float32, q *ImageQuality, open func() ([]byte, error)) error {
	data, err := open()
	defer func() { clear(data) }()
	if err != nil {
		return err
	}
	return e.with(ctx, func(k *worker) (err error) {
		*q, err = k.template(dst, data)
		return err
	})
}

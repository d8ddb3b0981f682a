package attack

import "math"

// Random is a small deterministic generator (splitmix64, Steele et al. 2014): the
// same seed gives the same numbers in every version of this program. It makes test
// material and nothing that has to be unpredictable.
type Random struct{ state uint64 }

// NewRandom returns a generator for a seed and labels that tell its use apart.
func NewRandom(seed uint64, labels ...string) *Random {
	r := &Random{seed}
	for _, l := range labels {
		for _, b := range []byte(l) {
			r.state = (r.state ^ uint64(b)) * 0x100000001b3
		}
		r.next()
	}
	return r
}

func (r *Random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Float is uniform in [low, high).
func (r *Random) Float(low, high float64) float64 {
	return low + (high-low)*float64(r.next()>>11)/(1<<53)
}

// Int is uniform in [0, n); n is at least 1.
func (r *Random) Int(n int) int { return int(r.next() % uint64(n)) }

// Chance is true with probability p.
func (r *Random) Chance(p float64) bool { return r.Float(0, 1) < p }

// Normal has mean 0 and standard deviation 1 (Box and Muller).
func (r *Random) Normal() float64 {
	u := r.Float(1e-12, 1)
	return math.Sqrt(-2*math.Log(u)) * math.Cos(r.Float(0, 2*math.Pi))
}

// Pick takes one of a list.
func Pick[T any](r *Random, list ...T) T { return list[r.Int(len(list))] }

// Shuffle puts a list in random order (Fisher and Yates).
func Shuffle[T any](r *Random, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.Int(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

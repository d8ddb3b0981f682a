package eval

import (
	"cmp"
	"math/bits"
	"slices"
)

// Intervals by person: comparisons that share a person rise and fall together.
const (
	leastPeople  = 10          // fewer, drawn again, say nothing
	mostDraws    = 1000        // of people
	leastDraws   = 200         // however many comparisons there are
	drawingWork  = 200_000_000 // comparisons of two people, drawn or not, over all draws
	drawingsSeed = 19795
)

// cell counts the comparisons of two people, or of a person with themselves.
type cell struct {
	people [2]int // positions among those who take part
	Rate
}

// byPerson is the 95 % interval of the FNMR (genuine) or of the FMR that one finds by
// drawing people with replacement: a comparison counts as often as both of its people
// were drawn (for pairs of people: Snijders and Borgatti, Non-parametric standard
// errors and tests for network statistics, 1999), and the interval holds the middle
// 95 % of the rates drawn. It is approximate, and nil with fewer than ten people or
// without an error: where nothing was seen there is nothing to draw. The same trials
// give the same interval.
func (s *Scores) byPerson(threshold float64, genuine bool) *Interval {
	cells, people, errors := s.cells(threshold, genuine)
	if people < leastPeople || errors == 0 {
		return nil
	}
	draws := min(max(drawingWork/len(cells), leastDraws), mostDraws)
	random := drawings(drawingsSeed)
	rates, times := make([]float64, 0, draws), make([]int, people)
	for range draws {
		clear(times)
		for range people {
			times[random.below(people)]++
		}
		wrong, all := 0, 0
		for _, c := range cells {
			w := times[c.people[0]]
			if c.people[1] != c.people[0] {
				w *= times[c.people[1]]
			}
			wrong, all = wrong+w*c.Errors, all+w*c.Trials
		}
		if all > 0 {
			rates = append(rates, float64(wrong)/float64(all))
		}
	}
	if len(rates) < leastDraws/2 {
		return nil
	}
	slices.Sort(rates)
	tail := int((1 - Confidence) / 2 * float64(len(rates)))
	return &Interval{rates[tail], rates[len(rates)-1-tail]}
}

// cells counts the comparisons of one kind for each two people, in their order.
func (s *Scores) cells(threshold float64, genuine bool) (cells []cell, people, errors int) {
	counts, numbers := map[[2]int]Rate{}, map[int]int{}
	number := func(person int) int {
		n, ok := numbers[person]
		if !ok {
			n = len(numbers)
			numbers[person] = n
		}
		return n
	}
	for _, t := range s.trials {
		if t.Failed || t.Genuine != genuine {
			continue
		}
		at := [2]int{number(t.People[0]), number(t.People[1])}
		at = [2]int{min(at[0], at[1]), max(at[0], at[1])}
		c := counts[at]
		c.Trials++
		if (t.Score >= threshold) != genuine {
			c.Errors++
			errors++
		}
		counts[at] = c
	}
	for at, c := range counts {
		cells = append(cells, cell{at, c})
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.people[0], b.people[0]), cmp.Compare(a.people[1], b.people[1]))
	})
	return cells, len(numbers), errors
}

// drawings is a generator of the same numbers each time (SplitMix64, Steele, Lea and
// Flood 2014).
type drawings uint64

// below draws one of n numbers from 0.
func (d *drawings) below(n int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	high, _ := bits.Mul64(z^z>>31, uint64(n))
	return int(high)
}

package eval

import "math"

// Confidence is the level of every interval of a report, two-sided.
const Confidence = .95

// Interval is a two-sided confidence interval of a rate, both ends in 0..1.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Rate is a count of errors among trials.
type Rate struct {
	Errors int `json:"errors"`
	Trials int `json:"trials"`
}

// Value is Errors/Trials as a fraction; NaN without trials.
func (r Rate) Value() float64 {
	if r.Trials == 0 {
		return math.NaN()
	}
	return float64(r.Errors) / float64(r.Trials)
}

// ClopperPearson is the exact interval (Clopper and Pearson 1934): it covers the
// true rate at least as often as promised, whatever that rate is, as long as the
// trials are independent. Without trials it is 0..1.
func (r Rate) ClopperPearson(confidence float64) Interval {
	i := Interval{0, 1}
	alpha := (1 - confidence) / 2
	x, n := float64(r.Errors), float64(r.Trials)
	if r.Errors > 0 {
		i.Low = betaQuantile(alpha, x, n-x+1)
	}
	if r.Errors < r.Trials {
		i.High = betaQuantile(1-alpha, x+1, n-x)
	}
	return i
}

// UpperBound is the one-sided exact bound: the true rate is below it with the
// given confidence. With no error in n trials and 95 % it is close to 3/n, the
// rule of three (ISO/IEC 19795-1).
func (r Rate) UpperBound(confidence float64) float64 {
	if r.Errors >= r.Trials {
		return 1
	}
	return betaQuantile(confidence, float64(r.Errors)+1, float64(r.Trials-r.Errors))
}

// betaQuantile inverts the regularised incomplete beta function by bisection:
// 60 halvings leave an error below 1e-17.
func betaQuantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		mid := (low + high) / 2
		if incompleteBeta(mid, a, b) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// incompleteBeta is I_x(a, b), by the continued fraction of Abramowitz and
// Stegun 26.5.8, evaluated forwards (Lentz's method).
func incompleteBeta(x, a, b float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	if x > (a+1)/(a+b+2) { // the fraction converges fast on the other side: I_x(a,b) = 1 - I_(1-x)(b,a)
		return 1 - incompleteBeta(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	return front * betaFraction(x, a, b)
}

func betaFraction(x, a, b float64) float64 {
	const tiny = 1e-300
	c, d := 1.0, 1-(a+b)*x/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	f := d
	for m := 1.0; m < 10_000; m++ {
		for _, k := range [2]float64{
			m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)),
			-(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1)),
		} {
			d = 1 + k*d
			c = 1 + k/c
			if math.Abs(d) < tiny {
				d = tiny
			}
			if math.Abs(c) < tiny {
				c = tiny
			}
			d = 1 / d
			f *= c * d
		}
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return f
}

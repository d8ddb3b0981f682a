package mrz

import (
	"fmt"
	"strconv"
	"time"
)

// Birth resolves a date of birth YYMMDD to YYYY-MM-DD. The century is the
// latest that does not put the birth after now. Unknown parts, written as
// fillers (Doc 9303-3 §4.8), are left out: "1974-08" or "1974". ok is false
// when not even the year is known.
func Birth(yymmdd string, now time.Time) (date string, ok bool) {
	return resolve(yymmdd, func(yy int) int {
		year := now.Year()/100*100 + yy
		if earliest, known := day(yymmdd, year); year > now.Year() || known && earliest.After(now) {
			year -= 100
		}
		return year
	})
}

// Expiry resolves a date of expiry YYMMDD to YYYY-MM-DD: the century that puts
// it nearest to now.
func Expiry(yymmdd string, now time.Time) (date string, ok bool) {
	return resolve(yymmdd, func(yy int) int {
		year := now.Year()/100*100 + yy
		switch {
		case year > now.Year()+50:
			year -= 100
		case year <= now.Year()-50:
			year += 100
		}
		return year
	})
}

func day(yymmdd string, year int) (time.Time, bool) {
	t, err := time.Parse("20060102", fmt.Sprintf("%04d%s", year, yymmdd[2:]))
	return t, err == nil
}

func resolve(yymmdd string, century func(yy int) int) (string, bool) {
	if len(yymmdd) != 6 {
		return "", false
	}
	yy, err := strconv.ParseUint(yymmdd[:2], 10, 8)
	if err != nil {
		return "", false
	}
	year := century(int(yy))
	month, err := strconv.ParseUint(yymmdd[2:4], 10, 8)
	if err != nil || month < 1 || month > 12 {
		return fmt.Sprintf("%04d", year), true
	}
	if _, known := day(yymmdd, year); !known {
		return fmt.Sprintf("%04d-%02d", year, month), true
	}
	return fmt.Sprintf("%04d-%02d-%s", year, month, yymmdd[4:]), true
}

package app

import (
	"errors"
	"time"

	"ipse/internal/fair"
	"ipse/internal/proofing"
	"ipse/internal/relay"
)

// readers is the relay as proofing sees it.
type readers struct{ *relay.Hub }

// Pair implements proofing.Readers: a full relay is proofing's way of being busy.
func (r readers) Pair(owner string, changed func(connected bool)) (code string, expires time.Time, err error) {
	code, expires, err = r.Hub.Pair(owner, changed)
	var e *relay.Error
	if errors.As(err, &e) && errors.Is(err, relay.ErrBusy) {
		return "", time.Time{}, fair.After(proofing.ErrBusy, e.RetryAfter)
	}
	return code, expires, err
}

package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Timing of the stream of views.
const (
	keepAliveEvery = 15 * time.Second // below the idle timeouts of common proxies
	writeFor       = 10 * time.Second // for one event
	finalFor       = 10 * time.Minute // a stream is kept open after the last view
)

// events streams the session's views as server-sent events: "view", the present
// one first. It stays open after the last, so that the browser does not come
// back for what will not change.
func (a *API) events(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	views, cancel, err := a.cfg.Proofing.Subscribe(r.Context(), token)
	if err != nil {
		return err
	}
	defer cancel()
	ctx, end := a.stream(r.Context())
	defer end()
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("stream views: %w", err)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx: do not hold events back
	if !send(w, control, "retry: 2000\n\n") {
		return nil
	}
	tick := time.NewTicker(keepAliveEvery)
	defer tick.Stop()
	var over <-chan time.Time
	for {
		text := ": still here\n\n"
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			return nil
		case <-tick.C:
		case view, open := <-views:
			if !open {
				if over != nil {
					views = nil // the last view was sent: nothing more comes
					continue
				}
				return nil // let go by the service: the browser comes back
			}
			raw, err := json.Marshal(view)
			if err != nil {
				return fmt.Errorf("encode a view: %w", err)
			}
			text = "event: view\ndata: " + string(raw) + "\n\n"
			if view.State.Final() && over == nil {
				over = time.After(finalFor)
			}
		}
		if !send(w, control, text) {
			return nil
		}
	}
}

// send writes and flushes one event, and reports whether the client took it.
func send(w http.ResponseWriter, control *http.ResponseController, text string) bool {
	if err := control.SetWriteDeadline(time.Now().Add(writeFor)); err != nil {
		return false
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return false
	}
	return control.Flush() == nil
}

package httpapi

import (
	"net/http"

	"ipse/internal/problem"
)

// Logo is the picture of a service.
type Logo struct {
	Type string // media type
	Data []byte
}

// LogoPath is where a service's logo is served.
func LogoPath(service string) string { return "/api/service/" + service + "/logo" }

// logo serves a picture from this server's own address: the pages load nothing from
// elsewhere, and no service learns from the loading of its logo who looks at it. An
// SVG file is an image to the page and nothing where it is opened by itself: the
// policy of every answer here runs nothing.
func (a *API) logo(w http.ResponseWriter, r *http.Request) error {
	logo, ok := a.cfg.Logos[r.PathValue("id")]
	if !ok {
		return problem.New(problem.NotFound, nil)
	}
	w.Header().Set("Content-Type", logo.Type)
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(logo.Data) // the client is gone: nothing left to tell it
	return nil
}

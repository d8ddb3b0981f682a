// Package web holds the pages of Ipse. The TypeScript sources are built by Vite
// into web/dist, which is embedded here and served as a single-page application:
// every address without a file of its own answers with index.html, hashed assets
// are cached for a year, and every answer carries a strict content security
// policy. Without a build the handler says how to make one.
package web

import (
	"bytes"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy is sent with every page and asset. Scripts, styles,
// fonts and connections come from this origin alone; there is no inline script,
// no eval, no frame around the pages and no sink for strings that become markup.
const ContentSecurityPolicy = "default-src 'none'; " +
	"script-src 'self'; " +
	"style-src 'self'; " +
	"font-src 'self'; " +
	"img-src 'self' data: blob:; " +
	"media-src 'self' blob:; " +
	"connect-src 'self'; " +
	"manifest-src 'self'; " +
	"base-uri 'none'; " +
	"form-action 'self'; " +
	"frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; " +
	"trusted-types 'none'"

// PermissionsPolicy leaves the pages the camera and passkeys, and nothing else.
const PermissionsPolicy = "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), " +
	"clipboard-write=(self), accelerometer=(), autoplay=(), browsing-topics=(), display-capture=(), encrypted-media=(), " +
	"fullscreen=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), " +
	"local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), " +
	"screen-wake-lock=(self), serial=(), usb=(), xr-spatial-tracking=()"

// indexFile is the page that starts the application.
const indexFile = "index.html"

// Handler serves the embedded build. See HandlerFS.
func Handler() http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil { // cannot happen: "dist" is a valid path
		return http.HandlerFunc(notBuilt)
	}
	return HandlerFS(built)
}

// HandlerFS serves a build of the pages from files, the root of which holds
// index.html. It answers GET and HEAD only. Assets under /assets/ carry a hash in
// their name and are immutable; all else is revalidated. Files with a .br or .gz
// neighbour are sent compressed to clients that accept it.
func HandlerFS(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		switch {
		case name != "" && serveFile(w, r, files, name):
		case name == "assets" || strings.HasPrefix(name, "assets/"):
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "not found", http.StatusNotFound)
		case serveFile(w, r, files, indexFile):
		default:
			notBuilt(w, r)
		}
	})
}

func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", ContentSecurityPolicy)
	h.Set("Permissions-Policy", PermissionsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Origin-Agent-Cluster", "?1")
}

// serveFile sends the named file if the build has it and reports whether it did.
// The compressed neighbours and hidden files are not addresses of their own.
func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) bool {
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") ||
		strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
		return false
	}
	plain, err := fs.ReadFile(files, name)
	if err != nil {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", cacheControl(name))
	h.Add("Vary", "Accept-Encoding")
	for _, c := range []struct{ token, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(r.Header.Get("Accept-Encoding"), c.token) {
			continue
		}
		packed, err := fs.ReadFile(files, name+c.suffix)
		if err != nil {
			continue
		}
		h.Set("Content-Encoding", c.token)
		h.Set("Content-Length", strconv.Itoa(len(packed)))
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			_, _ = w.Write(packed) // the client is gone: nothing left to tell it
		}
		return true
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(plain))
	return true
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func cacheControl(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

// accepts reads an Accept-Encoding header (RFC 9110 §12.5.3): the coding is
// listed and its weight is not zero.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

// notBuilt explains a program made without the pages (plain `go build`).
func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(notBuiltPage))
}

const notBuiltPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The pages are not built - Ipse</title>
<h1>The pages are not built</h1>
<p>This program was compiled without its web pages. The server and its API work; there is nothing to show here.</p>
<p>To build the pages and the program together, run <code>make build</code> in the source tree, or
<code>npm ci &amp;&amp; npm run build</code> in <code>web/</code> followed by <code>go build ./cmd/ipse</code>.</p>
</html>
`

// Package web holds the pages of Ipse. The TypeScript sources are built by Vite
// into web/dist, which is embedded here and served as a single-page application:
// every address without a file of its own answers with index.html, hashed assets
// are cached for a year, and every answer carries a strict content security
// policy. Without a build the handler says how to make one. Beside the build it
// serves the two networks with which the page guides a person before the camera;
// they are those of package pack, so that the program holds them once.
package web

import (
	"embed"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"ipse/face/pack"
)

//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy is sent with every page and asset. Scripts, styles,
// fonts and connections come from this origin alone; there is no inline script,
// no eval, no frame around the pages and no sink for strings that become markup.
// The one policy of trusted types names the address of the guide's worker.
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
	"trusted-types ipse-guide"

// WorkerSecurityPolicy is sent with the guide's worker, the only script that may
// compile WebAssembly (not evaluate strings). It sees the camera's pictures and
// holds foreign code, so it may load nothing and connect to nothing: what it needs
// is handed to it by the page (Content Security Policy Level 3 §4.2.2: a worker's
// policy is that of its own response).
const WorkerSecurityPolicy = "default-src 'none'; " +
	"script-src 'wasm-unsafe-eval'; " +
	"base-uri 'none'; " +
	"form-action 'none'; " +
	"frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; " +
	"trusted-types 'none'"

// PermissionsPolicy leaves the pages the camera and passkeys, and nothing else.
const PermissionsPolicy = "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), " +
	"clipboard-write=(self), accelerometer=(), autoplay=(), browsing-topics=(), display-capture=(), encrypted-media=(), " +
	"fullscreen=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), " +
	"local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), " +
	"screen-wake-lock=(self), serial=(), usb=(), xr-spatial-tracking=()"

const (
	// indexFile is the page that starts the application.
	indexFile = "index.html"
	// workerPrefix begins the name of the guide's worker, web/src/face/guide-worker.ts.
	workerPrefix = "assets/guide-worker-"
	// modelPrefix begins the name of a network, which is its SHA-256 and .onnx.
	modelPrefix = "assets/models/"
)

// Handler serves the embedded build and the embedded networks. See HandlerFS.
func Handler() http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil { // cannot happen: "dist" is a valid path
		return http.HandlerFunc(notBuilt)
	}
	models, err := pack.ForPages()
	if err != nil { // cannot happen: the pack is embedded; the page does without
		models = nil
	}
	return HandlerFS(built, models)
}

// HandlerFS serves a build of the pages from files, the root of which holds
// index.html, and the networks of models, if any, under /assets/models/. It answers GET and HEAD only. Assets under /assets/ carry a hash in
// their name and are immutable; all else is revalidated. Files with a .br or .gz
// neighbour are sent compressed to clients that accept it.
func HandlerFS(files, models fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		setSecurityHeaders(w.Header(), name)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		switch {
		case serveModel(w, r, models, name):
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

func setSecurityHeaders(h http.Header, name string) {
	h.Set("Content-Security-Policy", ContentSecurityPolicy)
	if strings.HasPrefix(name, workerPrefix) {
		h.Set("Content-Security-Policy", WorkerSecurityPolicy)
	}
	h.Set("Permissions-Policy", PermissionsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Origin-Agent-Cluster", "?1")
}

// serveModel sends the network of that name and reports whether there is one.
func serveModel(w http.ResponseWriter, r *http.Request, models fs.FS, name string) bool {
	file, isModel := strings.CutPrefix(name, modelPrefix)
	return isModel && models != nil && serve(w, r, models, file, name)
}

// serveFile sends the named file if the build has it, compressed where the client
// takes it, and reports whether it did. The compressed neighbours and hidden files
// are not addresses of their own.
func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) bool {
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") ||
		strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
		return false
	}
	if info, err := fs.Stat(files, name); err != nil || info.IsDir() {
		return false
	}
	w.Header().Add("Vary", "Accept-Encoding")
	for _, c := range []struct{ token, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(r.Header.Get("Accept-Encoding"), c.token) {
			continue
		}
		w.Header().Set("Content-Encoding", c.token)
		if serve(w, r, files, name+c.suffix, name) {
			return true
		}
		w.Header().Del("Content-Encoding")
	}
	return serve(w, r, files, name, name)
}

// serve sends a file under the type and the caching of a name, without holding it
// in memory, and reports whether there is one.
func serve(w http.ResponseWriter, r *http.Request, files fs.FS, file, name string) bool {
	f, err := files.Open(file)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	content, seeks := f.(io.ReadSeeker)
	info, err := f.Stat()
	if err != nil || info.IsDir() || !seeks {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", cacheControl(name))
	if h.Get("Content-Encoding") == "" {
		http.ServeContent(w, r, name, time.Time{}, content)
		return true
	}
	h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, content) // the client is gone: nothing left to tell it
	}
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
	case ".wasm":
		return "application/wasm"
	case ".onnx":
		return "application/octet-stream"
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

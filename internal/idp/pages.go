package idp

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

//go:embed page.html
var pageSource string

// pageStyle is the page's style sheet, allowed by its hash.
const pageStyle = `:root{color-scheme:light dark;background:light-dark(#faf8f4,#171614);color:light-dark(#211e1a,#f3efe8)}` +
	`body{font:1.125rem/1.6 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1.25rem}` +
	`h1{font-size:1.75rem;line-height:1.25}details{margin-top:2rem;font-size:1rem}code{overflow-wrap:anywhere}` +
	`a,summary{color:light-dark(#0f4c47,#9cd8cd);display:inline-block;padding:.5rem 0}:focus-visible{outline:3px solid light-dark(#0b57d0,#9cc2ff);outline-offset:2px}`

type pageKind int

const (
	pageBadRequest pageKind = iota
	pageFault
	pageLoggedOut
)

type pageText struct{ Title, Text, Next, Details, Home string }

// pageTexts are the sentences of the few pages that this package shows itself.
// They never repeat anything of the request but the technical reason.
func pageTexts(k pageKind, language string) pageText {
	en := map[pageKind]pageText{
		pageBadRequest: {"This login cannot begin", "The service that sent you here made a request that we cannot answer. You did nothing wrong, and nothing about you was sent.", "Go back to the service and try again. If it happens again, tell the service, and give it the technical reason below.", "Technical reason", "Start page"},
		pageFault:      {"Something went wrong here", "Your login could not be completed. Nothing about you was sent.", "Go back to the service and try again in a few minutes.", "Technical reason", "Start page"},
		pageLoggedOut:  {"You are logged out", "Your session has ended. You can close this page.", "", "", "Start page"},
	}
	fr := map[pageKind]pageText{
		pageBadRequest: {"Cette connexion ne peut pas commencer", "Le service qui vous a envoyé ici a fait une demande à laquelle nous ne pouvons pas répondre. Vous n’y êtes pour rien, et rien vous concernant n’a été transmis.", "Retournez sur le service et réessayez. Si cela se reproduit, prévenez le service en lui donnant la raison technique ci-dessous.", "Raison technique", "Page d’accueil"},
		pageFault:      {"Un problème est survenu chez nous", "Votre connexion n’a pas pu aboutir. Rien vous concernant n’a été transmis.", "Retournez sur le service et réessayez dans quelques minutes.", "Raison technique", "Page d’accueil"},
		pageLoggedOut:  {"Votre session est terminée", "La déconnexion est faite. Vous pouvez fermer cette page.", "", "", "Page d’accueil"},
	}
	if language == "fr" {
		return fr[k]
	}
	return en[k]
}

// page writes one of the pages. reason must not hold anything personal.
func (p *Provider) page(w http.ResponseWriter, r *http.Request, status int, k pageKind, reason string) {
	language := firstLanguage(r.URL.Query().Get("ui_locales"))
	if language == "" {
		language = firstLanguage(r.Header.Get("Accept-Language"))
	}
	if language == "" {
		language = "en"
	}
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		http.Error(w, "page", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256([]byte(pageStyle))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	err = t.Execute(w, map[string]any{
		"Lang": language, "Name": p.cfg.Name, "T": pageTexts(k, language), "Reason": printable(reason),
		"Style": template.CSS(pageStyle), //nolint:gosec // a constant
	})
	if err != nil {
		p.cfg.Logger.DebugContext(r.Context(), "write a page", slog.String("error", err.Error()))
	}
}

// renderError shows an error that must not go back to the service, because the
// request does not say safely where back is.
func (p *Provider) renderError(w http.ResponseWriter, r *http.Request, err error) error {
	_, fault := errors.AsType[*storeError](err)
	oidcErr, known := errors.AsType[goidc.Error](err)
	switch {
	case fault || !known:
		p.page(w, r, http.StatusInternalServerError, pageFault, "the server could not answer")
	default:
		p.page(w, r, max(oidcErr.StatusCode(), http.StatusBadRequest), pageBadRequest, describe(err))
	}
	return nil
}

package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"
)

//go:embed pages text
var files embed.FS

// pages are the pages of one office.
type pages struct {
	template    *template.Template
	text        map[string]map[string]string // by language, by key
	style, icon []byte
}

func loadPages(o Office) (*pages, error) {
	p := &pages{text: map[string]map[string]string{}}
	var err error
	if p.template, err = template.ParseFS(files, "pages/common.html", "pages/"+string(o)+".html"); err != nil {
		return nil, fmt.Errorf("parse the pages: %w", err)
	}
	if p.style, err = files.ReadFile("pages/" + string(o) + ".css"); err != nil {
		return nil, fmt.Errorf("read the style: %w", err)
	}
	if p.icon, err = files.ReadFile("pages/" + string(o) + ".svg"); err != nil {
		return nil, fmt.Errorf("read the icon: %w", err)
	}
	for _, lang := range []string{"en", "fr"} {
		p.text[lang] = map[string]string{}
		for _, part := range []string{"common", string(o)} {
			raw, err := files.ReadFile("text/" + part + "." + lang + ".json")
			if err != nil {
				return nil, fmt.Errorf("read the texts: %w", err)
			}
			texts := map[string]string{}
			if err := json.Unmarshal(raw, &texts); err != nil {
				return nil, fmt.Errorf("decode the texts: %w", err)
			}
			maps.Copy(p.text[lang], texts)
		}
	}
	return p, nil
}

// view is what a page is about.
type view struct {
	Page      string // home, hello, privacy, problem
	Problem   string // key of the problem
	LoggedOut bool
	Visit     *visit
}

// page is what the templates see.
type page struct {
	view
	Lang, OtherLang string
	// Path is where the language links lead.
	Path string
	// Name of the person, as the document writes it.
	Name string
	// ACR is the level needed, or the one reached.
	ACR string
	// Reference is derived from the pairwise subject.
	Reference string
	Rows      []row
	texts     map[string]string
}

// row is an attribute that the office asks for, and what came.
type row struct {
	Number    int
	Name      string
	Essential bool
	Given     bool
	Value     string
}

// T returns a text. Pairs replace {name} by a value.
func (p page) T(key string, pairs ...string) (string, error) {
	text, ok := p.texts[key]
	if !ok {
		return "", fmt.Errorf("no text %q", key)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text, nil
}

// Title is what the browser and screen readers announce.
func (p page) Title() (string, error) {
	if p.Page == "problem" {
		return p.T("problem." + p.Problem + ".title")
	}
	return p.T(p.Page+".title", "name", p.Name)
}

// Need says in words whether the office needs an attribute.
func (p page) Need(r row) (string, error) {
	if r.Essential {
		return p.T("required")
	}
	return p.T("optional")
}

// Retry reports whether another attempt makes sense.
func (p page) Retry() bool { return p.Problem != "not_found" }

// show writes a page.
func (s *Service) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	lang := s.language(r)
	if chosen := r.URL.Query().Get("lang"); chosen == lang {
		s.setCookie(w, "lang", lang, 30*24*time.Hour)
	}
	p := page{view: v, Lang: lang, OtherLang: map[string]string{"en": "fr", "fr": "en"}[lang], Path: "/",
		ACR: s.office.acr, texts: s.pages.text[lang]}
	if v.Page == "privacy" {
		p.Path = "/privacy"
	}
	if v.Visit != nil {
		p.ACR = v.Visit.ACR
		p.Name = s.personName(v.Visit.Claims)
		p.Reference = reference(v.Visit.Subject)
	}
	for i, wish := range s.office.wishes {
		entry := row{Number: i + 1, Name: wish.name, Essential: wish.essential}
		if v.Visit != nil {
			var value any
			if value, entry.Given = v.Visit.Claims[wish.name]; entry.Given {
				entry.Value = p.format(value)
			}
		}
		p.Rows = append(p.Rows, entry)
	}
	var body bytes.Buffer
	if err := s.pages.template.ExecuteTemplate(&body, "layout", p); err != nil {
		s.cfg.Logger.ErrorContext(r.Context(), "demo service: write a page", slog.String("error", "template"))
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", lang)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// personName is how the greeting addresses a person.
func (s *Service) personName(claims map[string]any) string {
	var parts []string
	for _, name := range []string{"given_name", "family_name"} {
		if text, ok := claims[name].(string); ok {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// reference shortens the subject to something that people can read out.
func reference(subject string) string {
	clean := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return r
	}, strings.ToUpper(subject))
	if len(clean) < 8 {
		return clean
	}
	return clean[:4] + "-" + clean[4:8]
}

// format writes a claim for people.
func (p page) format(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return p.texts["yes"]
		}
		return ""
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, p.format(item))
		}
		return strings.Join(parts, ", ")
	case string:
		if country, ok := p.texts["country."+v]; ok {
			return country
		}
		if day, err := time.Parse(time.DateOnly, v); err == nil {
			return p.date(day)
		}
		return v
	default:
		return ""
	}
}

func (p page) date(day time.Time) string {
	if p.Lang != "fr" {
		return day.Format("2 January 2006")
	}
	months := []string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	first := day.Format("2")
	if first == "1" {
		first = "1er"
	}
	return first + " " + months[day.Month()-1] + " " + day.Format("2006")
}

// language is the one chosen, else the browser's first that we speak, else English.
func (s *Service) language(r *http.Request) string {
	choices := []string{r.URL.Query().Get("lang"), s.cookie(r, "lang")}
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ = strings.Cut(strings.TrimSpace(tag), ";")
		base, _, _ := strings.Cut(tag, "-")
		choices = append(choices, strings.ToLower(base))
	}
	for _, c := range choices {
		if c == "en" || c == "fr" {
			return c
		}
	}
	return "en"
}

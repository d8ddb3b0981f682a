package consent

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed texts/en.json texts/fr.json
var textFiles embed.FS

// Language is a BCP 47 tag of a language the consent texts exist in.
type Language string

// The languages of the texts. None is a translation of lower rank.
const (
	English Language = "en"
	French  Language = "fr"
)

// Route is how the person wants to be recognised as the document's holder.
type Route string

// The two routes lead to the same level and the same account.
const (
	// RouteCamera compares live pictures with the portrait of the chip.
	RouteCamera Route = "camera"
	// RouteCounter has an agent look at the person, without a camera.
	RouteCounter Route = "counter"
)

// Text is the exact wording a person sees and agrees to.
type Text struct {
	// Version names the wording, e.g. "2026-11".
	Version string `json:"version"`
	// Language of the wording.
	Language Language `json:"language"`
	// Route the wording is for.
	Route Route `json:"route"`
	// Title is the heading, without markup.
	Title string `json:"title"`
	// Paragraphs in the order shown, without markup.
	Paragraphs []string `json:"paragraphs"`
}

// SHA256 returns the lower-case hexadecimal SHA-256 of the text's JSON (the
// members above, in that order, no white space, no HTML escaping): what a receipt signs.
func (t Text) SHA256() (string, error) {
	raw, err := canonical(t)
	if err != nil {
		return "", fmt.Errorf("hash consent text: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

type textFile struct {
	Version string                 `json:"version"`
	Routes  map[Route]textTemplate `json:"routes"`
}

type textTemplate struct {
	Title      string   `json:"title"`
	Paragraphs []string `json:"paragraphs"`
}

// operatorMark is the only placeholder of the texts.
const operatorMark = "{operator}"

// RenderText returns the text in force for a language and a route with the
// operator's name in place. It fails with ErrUnknownLanguage or ErrUnknownRoute.
func RenderText(language Language, route Route, operatorName string) (Text, error) {
	if language != English && language != French {
		return Text{}, ErrUnknownLanguage
	}
	raw, err := textFiles.ReadFile("texts/" + string(language) + ".json")
	if err != nil {
		return Text{}, fmt.Errorf("read consent text: %w", err)
	}
	var file textFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return Text{}, fmt.Errorf("parse consent text: %w", err)
	}
	template, ok := file.Routes[route]
	if !ok {
		return Text{}, ErrUnknownRoute
	}
	text := Text{Version: file.Version, Language: language, Route: route,
		Title:      strings.ReplaceAll(template.Title, operatorMark, operatorName),
		Paragraphs: make([]string, len(template.Paragraphs))}
	for i, p := range template.Paragraphs {
		text.Paragraphs[i] = strings.ReplaceAll(p, operatorMark, operatorName)
	}
	return text, nil
}

package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"ipse/internal/proofing"
)

//go:embed agent
var agentFiles embed.FS

// demoAgentName is the one agent of the demonstration.
const demoAgentName = "demo-agent"

// demoAgent is the counter of the demonstration: a page on which whoever tries it
// out is the agent as well. It decides through the same door as a real counter:
// the case by its code, the decision signed. Its key lives as long as the process.
type demoAgent struct {
	key   *ecdsa.PrivateKey
	page  *template.Template
	style []byte
	log   *slog.Logger

	proofing *proofing.Service // set when the App is built
}

func newDemoAgent(log *slog.Logger, random io.Reader) (*demoAgent, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("demo: agent's key: %w", err)
	}
	page, err := template.ParseFS(agentFiles, "agent/page.html")
	if err != nil {
		return nil, fmt.Errorf("demo: agent's page: %w", err)
	}
	style, err := agentFiles.ReadFile("agent/page.css")
	if err != nil {
		return nil, fmt.Errorf("demo: agent's page: %w", err)
	}
	return &demoAgent{key: key, page: page, style: style, log: log}, nil
}

// VerifyDecision implements proofing.Agents.
func (d *demoAgent) VerifyDecision(_ context.Context, agent string, decision, signature []byte) error {
	if agent != demoAgentName || !ecdsa.VerifyASN1(&d.key.PublicKey, decision, signature) {
		return errors.New("not the demonstration's agent")
	}
	return nil
}

// agentView is what the page shows: a case, the outcome of one, or neither.
type agentView struct {
	Lang    string
	T       map[string]string
	Problem string
	Done    string
	Case    *agentCase
}

type agentCase struct {
	Code     string
	Portrait template.URL
	Rows     []agentRow
}

type agentRow struct{ Name, Value string }

// Agent implements httpapi.Demo.
func (d *demoAgent) Agent(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".css") {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(d.style) // the client is gone: nothing left to tell it
		return
	}
	view := agentView{Lang: "en"}
	if strings.HasPrefix(r.Header.Get("Accept-Language"), "fr") {
		view.Lang = "fr"
	}
	view.T = agentTexts(view.Lang)
	if r.Method == http.MethodPost {
		d.act(w, r, &view)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer a form would not name its origin
	if err := d.page.Execute(w, view); err != nil {
		d.log.InfoContext(r.Context(), "agent's page", "error", err)
	}
}

const maxAgentForm = 4 << 10

// act opens the case of a code, or decides it.
func (d *demoAgent) act(w http.ResponseWriter, r *http.Request, view *agentView) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAgentForm)
	if err := r.ParseForm(); err != nil {
		view.Problem = view.T["unreadable"]
		return
	}
	code, decision := r.PostForm.Get("code"), r.PostForm.Get("decision")
	opened, err := d.proofing.CounterCase(demoAgentName, code)
	if err != nil {
		view.Problem = view.T["nocase"]
		return
	}
	defer opened.Wipe()
	approved := decision == "approve"
	if decision == "" || (approved && (r.PostForm.Get("person") == "" || r.PostForm.Get("document") == "")) {
		view.Case = d.show(view, code, opened)
		return
	}
	if err := d.decide(r.Context(), code, opened.Nonce, approved); err != nil {
		d.log.InfoContext(r.Context(), "agent's decision not taken", "error", err)
		view.Problem = view.T["nocase"]
		return
	}
	view.Done = view.T["refused"]
	if approved {
		view.Done = view.T["approved"]
	}
}

func (d *demoAgent) decide(ctx context.Context, code string, nonce [32]byte, approved bool) error {
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, proofing.DecisionBytes(nonce, approved))
	if err != nil {
		return fmt.Errorf("sign the decision: %w", err)
	}
	return d.proofing.CounterDecide(ctx, proofing.CounterDecision{Agent: demoAgentName, Code: code, Approved: approved, Signature: signature})
}

// show lays the portrait beside what the document says.
func (d *demoAgent) show(view *agentView, code string, opened *proofing.Case) *agentCase {
	a := opened.Attributes
	c := &agentCase{Code: code, Portrait: template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(opened.Portrait.Reveal()))} //nolint:gosec // base64 of our own
	for _, row := range []agentRow{{"family_name", a.FamilyName.Reveal()}, {"given_name", a.GivenName.Reveal()}, {"birthdate", a.BirthDate.Reveal()},
		{"document_number", a.DocumentNumber.Reveal()}, {"document_expiry", a.DocumentExpiry.Reveal()}} {
		c.Rows = append(c.Rows, agentRow{view.T[row.Name], row.Value})
	}
	return c
}

// agentTexts are the page's texts in a language.
func agentTexts(language string) map[string]string {
	if language == "fr" {
		return map[string]string{"title": "Guichet", "office": "Guichet de l’agence numérique d’Utopie", "demo": "Démonstration : ici, l’agent, c’est vous",
			"ask": "Demandez son code à la personne", "code": "Code du dossier", "open": "Ouvrir le dossier", "look": "Regardez la personne, puis le portrait",
			"portrait": "Portrait enregistré dans la puce", "same": "La personne devant moi est celle du portrait", "intact": "Le document est le sien et il est intact",
			"approve": "Confirmer et signer", "refuse": "Refuser et signer", "approved": "Confirmé", "refused": "Refusé",
			"handback": "Rendez son téléphone à la personne : la suite s’y affiche. Rien de ce dossier ne reste ici.", "next": "Personne suivante",
			"nocase":      "Aucun dossier ouvert n’a ce code : il a déjà servi, il a expiré, ou il est mal copié. Demandez celui qui s’affiche maintenant.",
			"unreadable":  "La demande est illisible. Recommencez.",
			"family_name": "Nom", "given_name": "Prénoms", "birthdate": "Date de naissance", "document_number": "Numéro du document", "document_expiry": "Valable jusqu’au"}
	}
	return map[string]string{"title": "Counter", "office": "Counter of the Utopia Digital Agency", "demo": "Demonstration: here you are the agent",
		"ask": "Ask the person for their code", "code": "Case code", "open": "Open the case", "look": "Look at the person, then at the portrait",
		"portrait": "Portrait stored in the chip", "same": "The person before me is the one of the portrait", "intact": "The document is theirs and is intact",
		"approve": "Confirm and sign", "refuse": "Refuse and sign", "approved": "Confirmed", "refused": "Refused",
		"handback": "Hand the phone back: the person goes on there. Nothing of this case stays here.", "next": "Next person",
		"nocase":      "No open case has this code: it was used, it has expired, or it is mistyped. Ask for the one that is shown now.",
		"unreadable":  "The request cannot be read. Try again.",
		"family_name": "Family name", "given_name": "Given names", "birthdate": "Date of birth", "document_number": "Document number", "document_expiry": "Valid until"}
}

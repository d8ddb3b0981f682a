package demo

import (
	"crypto/sha256"
	"encoding/hex"

	"ipse/internal/idp"
)

// Office is one of the two services.
type Office string

// The offices.
const (
	// Tax is the Utopia Revenue Service: it needs to find a person's file, so it
	// asks for the name and the date of birth.
	Tax Office = "tax"
	// Family is the Utopia Family Fund: it needs to know that an adult asks, and
	// how to address them, and no more.
	Family Office = "family"
)

// wish is an attribute that an office asks for. Why is the key of the reason in
// the office's texts ("why.family_name").
type wish struct {
	name      string
	essential bool
}

// office is what distinguishes the two.
type office struct {
	clientID   string
	name       idp.Text
	purpose    idp.Text
	legalBasis idp.Text
	acr        string
	alg        string
	wishes     []wish
}

func offices(o Office) (office, bool) {
	switch o {
	case Tax:
		return office{
			clientID:   "utopia-revenue",
			name:       idp.Text{EN: "Utopia Revenue Service", FR: "Service des impôts d’Utopie"},
			purpose:    idp.Text{EN: "To find your tax file and show it to nobody but you", FR: "Retrouver votre dossier fiscal et ne le montrer qu’à vous"},
			legalBasis: idp.Text{EN: "Utopia Tax Code, article 12", FR: "Code des impôts d’Utopie, article 12"},
			acr:        "eidas2", alg: "ES256",
			wishes: []wish{{"family_name", true}, {"given_name", true}, {"birthdate", true}, {"nationalities", false}, {"document_number", false}},
		}, true
	case Family:
		return office{
			clientID:   "utopia-family",
			name:       idp.Text{EN: "Utopia Family Fund", FR: "Caisse des familles d’Utopie"},
			purpose:    idp.Text{EN: "To open your allowance, which only an adult can ask for", FR: "Ouvrir vos droits, que seule une personne majeure peut demander"},
			legalBasis: idp.Text{EN: "Utopia Family Act, article 3", FR: "Loi d’Utopie sur la famille, article 3"},
			acr:        "eidas1", alg: "RS256",
			wishes: []wish{{"given_name", true}, {"age_over_18", true}, {"nationalities", false}},
		}, true
	default:
		return office{}, false
	}
}

// Registration is what the provider must know of the service: idp.Config.Services.
// Both offices run on one host; the sector keeps their subjects apart.
func (s *Service) Registration() idp.Service {
	sum := sha256.Sum256([]byte(s.cfg.ClientSecret))
	out := idp.Service{
		ID: s.cfg.ClientID, Name: s.office.name, Purpose: s.office.purpose, LegalBasis: s.office.legalBasis,
		PolicyURL:              s.cfg.BaseURL + "/privacy",
		RedirectURIs:           []string{s.cfg.BaseURL + "/callback"},
		PostLogoutRedirectURIs: []string{s.cfg.BaseURL + "/"},
		RequiredACR:            s.office.acr, IDTokenAlg: s.office.alg,
		SecretHash: hex.EncodeToString(sum[:]), SectorIdentifier: s.cfg.ClientID,
	}
	for _, w := range s.office.wishes {
		out.Attributes = append(out.Attributes, idp.Attribute{Name: w.name, Essential: w.essential})
	}
	return out
}

// Services returns the registrations of several services.
func Services(services ...*Service) []idp.Service {
	var out []idp.Service
	for _, s := range services {
		out = append(out, s.Registration())
	}
	return out
}

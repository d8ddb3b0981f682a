package idp

import (
	"slices"
	"strings"
)

// trustFramework is the framework named in verified_claims (OpenID Identity
// Assurance, registry of trust frameworks).
const trustFramework = "eidas"

// wantedAttribute is an attribute that this request asks for and that the
// service's registration allows.
type wantedAttribute struct {
	Name      string `json:"n"`
	Essential bool   `json:"e,omitempty"`
	// Where it goes if the person agrees.
	UserInfo         bool `json:"u,omitempty"`
	IDToken          bool `json:"i,omitempty"`
	VerifiedUserInfo bool `json:"vu,omitempty"`
	VerifiedIDToken  bool `json:"vi,omitempty"`
}

// wanted is what an authorization request comes down to.
type wanted struct {
	Attributes []wantedAttribute `json:"a,omitempty"`
	// Floor is the rank below which the login is refused; 0: none.
	Floor int `json:"f,omitempty"`
	// Asked is the rank that the service asks for, essential or not.
	Asked int `json:"r,omitempty"`
	// Passkey: the service prefers the class phr to a level.
	Passkey bool `json:"p,omitempty"`
	// Subject is the subject that the service expects, if it named one.
	Subject string `json:"s,omitempty"`
}

// want resolves scopes, the claims parameter and acr_values against the
// registration. An attribute that the registration does not list is left out,
// even when essential: claims that cannot be given are omitted, not an error
// (OpenID Connect Core 5.5.1).
func want(s *Service, scope, acrValues string, c claimsAsked) wanted {
	var w wanted
	scoped := map[string]bool{}
	for name := range strings.FieldsSeq(scope) {
		for _, a := range scopeAttributes(name) {
			scoped[a] = true
		}
	}
	for _, name := range attributeNames() {
		registered, ok := s.attribute(name)
		if !ok {
			continue
		}
		ui, inUI := c.UserInfo[name]
		it, inIT := c.IDToken[name]
		vu, inVU := c.VerifiedUserInfo[name]
		vi, inVI := c.VerifiedIDToken[name]
		if !scoped[name] && !inUI && !inIT && !inVU && !inVI {
			continue
		}
		w.Attributes = append(w.Attributes, wantedAttribute{
			Name:      name,
			Essential: registered.Essential || ui.Essential || it.Essential || vu.Essential || vi.Essential,
			UserInfo:  scoped[name] || inUI, IDToken: inIT, VerifiedUserInfo: inVU, VerifiedIDToken: inVI,
		})
	}
	w.levels(s, acrValues, c.IDToken["acr"])
	if sub := c.IDToken["sub"]; len(sub.Values) == 1 {
		w.Subject = sub.Values[0]
	}
	return w
}

// levels resolves the level. acr_values and a voluntary acr claim are wishes;
// the registration's level and an essential acr claim are conditions (OpenID
// Connect Core 5.5.1.1). Among several acceptable values the lowest suffices,
// and a higher level always satisfies a lower one.
func (w *wanted) levels(s *Service, acrValues string, claim claimAsked) {
	values := strings.Fields(acrValues)
	if len(claim.Values) > 0 {
		values = claim.Values
	}
	w.Passkey = len(values) > 0 && values[0] == acrPasskey
	lowest := 0
	for _, v := range values {
		if r := acrRank(v); r > 0 && (lowest == 0 || r < lowest) {
			lowest = r
		}
	}
	w.Floor = acrRank(s.RequiredACR)
	w.Asked = max(w.Floor, lowest)
	if claim.Essential && !slices.Contains(values, acrPasskey) {
		w.Floor = w.Asked
	}
}

func (w wanted) names() []string {
	out := make([]string, 0, len(w.Attributes))
	for _, a := range w.Attributes {
		out = append(out, a.Name)
	}
	return out
}

// acr is the class put into the ID token for a person of the given rank.
func (w wanted) acr(rank int) string {
	if w.Passkey {
		return acrPasskey
	}
	return rankACR(rank)
}

// released is what the person agreed to, ready for the tokens.
type released struct {
	ACR      string         `json:"acr"`
	AuthTime int64          `json:"auth_time"`
	SID      string         `json:"sid,omitempty"` // of services that are told of logouts
	UserInfo map[string]any `json:"userinfo,omitempty"`
	IDToken  map[string]any `json:"id_token,omitempty"`
}

// release sorts what was presented into the places where it was asked. Names
// that were not asked are dropped, whatever the verifier returned; ok is false
// and missing says how many essential attributes were withheld otherwise.
func (w wanted) release(presented map[string]any, rank int) (out released, missing []string) {
	out = released{ACR: w.acr(rank), UserInfo: map[string]any{}, IDToken: map[string]any{}}
	verifiedUI, verifiedIT := map[string]any{}, map[string]any{}
	for _, a := range w.Attributes {
		value, ok := presented[a.Name]
		if !ok {
			if a.Essential {
				missing = append(missing, a.Name)
			}
			continue
		}
		for _, place := range []struct {
			wanted bool
			m      map[string]any
		}{{a.UserInfo, out.UserInfo}, {a.IDToken, out.IDToken}, {a.VerifiedUserInfo, verifiedUI}, {a.VerifiedIDToken, verifiedIT}} {
			if place.wanted {
				place.m[a.Name] = value
			}
		}
	}
	if len(verifiedUI) > 0 {
		out.UserInfo["verified_claims"] = verified(verifiedUI, rank)
	}
	if len(verifiedIT) > 0 {
		out.IDToken["verified_claims"] = verified(verifiedIT, rank)
	}
	return out, missing
}

func verified(claims map[string]any, rank int) map[string]any {
	return map[string]any{
		"verification": map[string]any{"trust_framework": trustFramework, "assurance_level": rankLevel(rank)},
		"claims":       claims,
	}
}

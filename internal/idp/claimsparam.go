package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// maxClaimsParam bounds the claims parameter, in bytes.
const maxClaimsParam = 8192

// claimAsked is one member of the claims parameter (OpenID Connect Core 5.5.1).
type claimAsked struct {
	Essential bool
	Values    []string
}

// claimsAsked is the claims parameter (OpenID Connect Core 5.5), reduced to
// what this provider knows. Names it does not know are ignored, as the
// specification asks.
type claimsAsked struct {
	UserInfo, IDToken map[string]claimAsked
	// VerifiedUserInfo and VerifiedIDToken are the claims asked inside
	// verified_claims (OpenID Identity Assurance Schema Definition 1.0).
	VerifiedUserInfo, VerifiedIDToken map[string]claimAsked
}

// parseClaimsParam reads the claims parameter. Its errors name what is wrong
// without repeating the input.
func parseClaimsParam(raw string) (claimsAsked, error) {
	var out claimsAsked
	if raw == "" {
		return out, nil
	}
	if len(raw) > maxClaimsParam {
		return out, fmt.Errorf("claims must not exceed %d bytes", maxClaimsParam)
	}
	var doc struct {
		UserInfo map[string]json.RawMessage `json:"userinfo"`
		IDToken  map[string]json.RawMessage `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		return out, errors.New("claims must be a JSON object with the members userinfo and id_token")
	}
	var err error
	if out.UserInfo, out.VerifiedUserInfo, err = parseClaimsMember(doc.UserInfo); err != nil {
		return claimsAsked{}, fmt.Errorf("claims, member userinfo: %w", err)
	}
	if out.IDToken, out.VerifiedIDToken, err = parseClaimsMember(doc.IDToken); err != nil {
		return claimsAsked{}, fmt.Errorf("claims, member id_token: %w", err)
	}
	return out, nil
}

func parseClaimsMember(member map[string]json.RawMessage) (plain, verified map[string]claimAsked, err error) {
	plain = map[string]claimAsked{}
	for name, raw := range member {
		if name == "verified_claims" {
			if verified, err = parseVerified(raw); err != nil {
				return nil, nil, err
			}
			continue
		}
		if !slices.Contains(attributeNames(), name) && name != "acr" && name != "sub" && name != "auth_time" {
			continue
		}
		asked, err := parseClaim(raw)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		plain[name] = asked
	}
	return plain, verified, nil
}

func parseClaim(raw json.RawMessage) (claimAsked, error) {
	var doc *struct {
		Essential bool  `json:"essential"`
		Value     any   `json:"value"`
		Values    []any `json:"values"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return claimAsked{}, errors.New("must be null or an object with essential, value, values")
	}
	if doc == nil {
		return claimAsked{}, nil
	}
	asked := claimAsked{Essential: doc.Essential}
	for _, v := range append([]any{doc.Value}, doc.Values...) {
		if s, ok := v.(string); ok {
			asked.Values = append(asked.Values, s)
		}
	}
	return asked, nil
}

// parseVerified reads verified_claims, an object or a list of objects. An entry
// that insists on a trust framework other than eidas is passed over: the answer
// would not be what the service asked for.
func parseVerified(raw json.RawMessage) (map[string]claimAsked, error) {
	type entry struct {
		Verification struct {
			TrustFramework json.RawMessage `json:"trust_framework"`
		} `json:"verification"`
		Claims map[string]json.RawMessage `json:"claims"`
	}
	var list []entry
	if err := json.Unmarshal(raw, &list); err != nil {
		var one entry
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, errors.New("verified_claims must be an object with verification and claims, or a list of them")
		}
		list = []entry{one}
	}
	out := map[string]claimAsked{}
	for _, e := range list {
		if len(e.Verification.TrustFramework) > 0 {
			framework, err := parseClaim(e.Verification.TrustFramework)
			if err != nil {
				return nil, fmt.Errorf("verified_claims, trust_framework: %w", err)
			}
			if len(framework.Values) > 0 && !slices.Contains(framework.Values, trustFramework) {
				continue
			}
		}
		claims, _, err := parseClaimsMember(e.Claims)
		if err != nil {
			return nil, fmt.Errorf("verified_claims: %w", err)
		}
		for name, asked := range claims {
			if slices.Contains(attributeNames(), name) {
				out[name] = asked
			}
		}
	}
	return out, nil
}

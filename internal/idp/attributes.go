package idp

import (
	"slices"
	"strings"
)

// attributeNames are the attributes that an Ipse account can hold, in the order
// in which people see them.
func attributeNames() []string {
	return []string{
		"family_name", "given_name", "birthdate", "nationalities", "age_over_18",
		"document_type", "document_issuer", "document_number", "document_expiry", "verified_on",
	}
}

// scopeAttributes says which attributes a scope asks for (OpenID Connect Core
// 5.4; identity and age are Ipse's own).
func scopeAttributes(scope string) []string {
	switch scope {
	case "profile":
		return []string{"family_name", "given_name", "birthdate"}
	case "identity":
		return []string{"nationalities", "document_type", "document_issuer", "document_number", "document_expiry", "verified_on"}
	case "age":
		return []string{"age_over_18"}
	default:
		return nil
	}
}

func knownScopes() []string { return []string{"openid", "profile", "identity", "age"} }

// grantedScopes keeps the scopes that mean something here, each once. Others
// that client libraries ask for by habit (email, phone, address,
// offline_access) are accepted and dropped: nothing stands behind them.
func grantedScopes(asked string) string {
	var out []string
	for s := range strings.FieldsSeq(asked) {
		if slices.Contains(knownScopes(), s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// acrPasskey is the authentication context class of a phishing-resistant login
// (OpenID Connect Extended Authentication Profile ACR Values 1.0): every login
// here uses a passkey, so it always holds.
const acrPasskey = "phr"

// acrRank orders the levels of assurance of regulation (EU) 2015/1502; 0 means
// that the value names no level.
func acrRank(acr string) int {
	return slices.Index([]string{"eidas1", "eidas2", "eidas3"}, acr) + 1
}

// rankACR is the inverse of acrRank.
func rankACR(rank int) string {
	if rank < 1 || rank > 3 {
		return ""
	}
	return []string{"eidas1", "eidas2", "eidas3"}[rank-1]
}

// levelRank ranks the level that a claims issuer wrote: low, substantial, high.
func levelRank(level string) int {
	return slices.Index([]string{"low", "substantial", "high"}, level) + 1
}

// rankLevel is the inverse of levelRank.
func rankLevel(rank int) string {
	if rank < 1 || rank > 3 {
		return ""
	}
	return []string{"low", "substantial", "high"}[rank-1]
}

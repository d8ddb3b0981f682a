package demo

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"
)

// visit is what the service remembers of who is logged in.
type visit struct {
	Subject string // ours alone: another service sees another
	ACR     string
	// Claims are what the person agreed to, by attribute.
	Claims  map[string]any
	idToken string
	ends    time.Time
}

const (
	sessionLifetime = 30 * time.Minute
	// maxSessions bounds the memory; the demonstration is for a few people.
	maxSessions = 1000
)

// sessions is in memory: when the process ends, everybody is logged out.
type sessions struct {
	mu   sync.Mutex
	byID map[[32]byte]visit // guarded by mu; by the SHA-256 of the cookie
}

func (s *sessions) put(token string, v visit, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[[32]byte]visit{}
	}
	for id, old := range s.byID {
		if !now.Before(old.ends) {
			delete(s.byID, id)
		}
	}
	for id := range s.byID { // any will do: there are a thousand
		if len(s.byID) < maxSessions {
			break
		}
		delete(s.byID, id)
	}
	s.byID[sha256.Sum256([]byte(token))] = v
}

func (s *sessions) get(token string, now time.Time) (visit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byID[sha256.Sum256([]byte(token))]
	return v, ok && now.Before(v.ends)
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, sha256.Sum256([]byte(token)))
}

// Cookies of one host are shared by its ports: the name tells the offices apart.
func (s *Service) cookieName(what string) string { return string(s.cfg.Office) + "_" + what }

func (s *Service) setCookie(w http.ResponseWriter, what, value string, lifetime time.Duration) {
	c := &http.Cookie{Name: s.cookieName(what), Value: value, Path: "/", MaxAge: int(lifetime / time.Second),
		Secure: strings.HasPrefix(s.cfg.BaseURL, "https:"), HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (s *Service) cookie(r *http.Request, what string) string {
	c, err := r.Cookie(s.cookieName(what))
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *Service) session(r *http.Request) (visit, bool) {
	return s.sessions.get(s.cookie(r, "session"), s.cfg.Now())
}

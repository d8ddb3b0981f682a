package proofing

import "context"

// SetReceipt replaces the receipt of a session in memory, as no caller can.
func (s *Service) SetReceipt(token, receipt string) {
	l, _, err := s.acquire(context.Background(), token)
	if err != nil {
		panic(err)
	}
	defer l.mu.Unlock()
	l.sess.Receipt = receipt
}

// InMemory reports how many sessions the service holds.
func (s *Service) InMemory() int { return len(s.snapshot()) }

// OpenSealed opens a row with its token, for tests of what it holds.
func OpenSealed(token string, sess Session) (string, error) {
	raw, _, err := parseToken(token)
	if err != nil {
		return "", err
	}
	key, err := sealKey(raw, sess.ID)
	if err != nil {
		return "", err
	}
	plain, err := open(key, sess.ID, sess.Sealed)
	return string(plain.Reveal()), err
}

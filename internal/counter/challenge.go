package counter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"
)

// challengeFor is how long a passkey may take to answer.
const challengeFor = 5 * time.Minute

// challenges issues and checks the challenges of sign-in and enrolment without
// keeping them: 16 random bytes, the end, and a MAC over both and the purpose. So
// asking for one costs the server nothing. A challenge that was answered rightly
// is remembered until it ends, and serves no more. A restart forgets all.
type challenges struct {
	key [32]byte

	mu    sync.Mutex
	spent map[[32]byte]time.Time // by hash, when it ends. Guarded by mu.
}

const challengeSize = 16 + 8 + sha256.Size

func newChallenges(rand io.Reader) (*challenges, error) {
	c := &challenges{spent: map[[32]byte]time.Time{}}
	if _, err := io.ReadFull(rand, c.key[:]); err != nil {
		return nil, fmt.Errorf("counter: draw a key: %w", err)
	}
	return c, nil
}

// issue returns a challenge for a purpose.
func (c *challenges) issue(rand io.Reader, purpose string, now time.Time) ([]byte, error) {
	random, err := draw(rand, 16)
	if err != nil {
		return nil, err
	}
	body := binary.BigEndian.AppendUint64(random, uint64(now.Add(challengeFor).Unix()))
	return append(body, c.mac(purpose, body)...), nil
}

func (c *challenges) mac(purpose string, body []byte) []byte {
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write(body) // of one length, so that what follows is unambiguous
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// valid reports whether the challenge is of this purpose, not over and not spent.
func (c *challenges) valid(challenge []byte, purpose string, now time.Time) bool {
	if len(challenge) != challengeSize || !hmac.Equal(challenge[24:], c.mac(purpose, challenge[:24])) || !now.Before(ends(challenge)) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, spent := c.spent[sha256.Sum256(challenge)]
	return !spent
}

// spend makes a valid challenge serve no more; false when it was spent before.
func (c *challenges) spend(challenge []byte, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.spent, func(_ [32]byte, end time.Time) bool { return !now.Before(end) })
	key := sha256.Sum256(challenge)
	if _, spent := c.spent[key]; spent {
		return false
	}
	c.spent[key] = ends(challenge)
	return true
}

func ends(challenge []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(challenge[16:])), 0)
}

func hashOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }

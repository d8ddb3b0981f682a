package mrtd

import (
	"fmt"

	"ipse/mrtd/cms"
)

// verifyCA recomputes a chip authentication from its transcript.
func verifyCA(_ []byte, _ *Session) (string, error) {
	return "", fmt.Errorf("chip authentication transcript: %w", cms.ErrUnsupported)
}

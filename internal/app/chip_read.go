package app

import (
	"context"
	"errors"
	"time"

	"ipse/internal/proofing"
	"ipse/mrtd"
)

// readEvidence drives the chip. The reader is not part of this build yet: every
// document is answered as one that cannot be read.
func readEvidence(context.Context, proofing.Card, proofing.ReadRequest, func() time.Time) (*mrtd.Evidence, error) {
	return nil, &proofing.ReadError{Code: proofing.FailureUnsupported, Err: errors.New("no reader in this build")}
}

package cms

import (
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/ec"
	"ipse/mrtd/tlv"
)

// ParseCurve reads ECParameters (RFC 3279 §2.3.5), as keys and the domain parameters
// of access protocols carry them: a name, or parameters equal to a known curve's.
func ParseCurve(params []byte) (*ec.Curve, []deviation.Deviation, error) {
	curve, ds, err := parseCurve(tlv.Element{}, span{b: params})
	if err != nil {
		return nil, nil, tlv.Refuse("curve", "RFC 3279 2.3.5", err)
	}
	return curve, ds, nil
}

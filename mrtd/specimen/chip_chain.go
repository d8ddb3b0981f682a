package specimen

import (
	"errors"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/tlv"
)

// Chaining (ISO/IEC 7816-4 §5.3.3, §5.3.4): how a chip without extended length takes
// long commands and gives long answers.

// maxChain bounds the data of a chain of commands: the longest key, with its id.
const maxChain = 2048

// chain is a chain of commands under way.
type chain struct {
	head apdu.Command // without data
	data []byte
}

// gather adds a command to the chain under way. held is true while more of the
// chain is to come; otherwise the command returned holds all of its data.
func (c *Chip) gather(cmd *apdu.Command) (whole *apdu.Command, held bool, sw apdu.Status) {
	before := c.s.chain
	c.s.chain = nil
	chained := cmd.CLA&apdu.Chained != 0
	switch {
	case before == nil && !chained:
		return cmd, false, apdu.OK
	case before != nil && (before.head.INS != cmd.INS || before.head.P1 != cmd.P1 || before.head.P2 != cmd.P2):
		return nil, false, apdu.ChainOpen
	case cmd.INS != apdu.GeneralAuthenticate && cmd.INS != apdu.ManageSecurity:
		return nil, false, apdu.ChainingNotSupported
	}
	now := &chain{head: *cmd}
	if before != nil {
		now.data = before.data
	}
	now.data = append(now.data, cmd.Data...)
	if len(now.data) > maxChain {
		return nil, false, apdu.WrongLength
	}
	if chained && !c.endsStep(cmd.INS, now.data) {
		if c.has(FaultNoChaining) {
			return nil, false, apdu.ChainingNotSupported
		}
		c.s.chain = now
		return nil, true, apdu.OK
	}
	out := *cmd
	out.Data = now.data
	return &out, false, apdu.OK
}

// endsStep reports that a chained command is whole by itself: the steps of PACE are a
// chain already (9303-11 §4.4.4.2), so the length of its data says where each ends.
func (c *Chip) endsStep(ins byte, data []byte) bool {
	if ins != apdu.GeneralAuthenticate || c.s.ca != nil {
		return false
	}
	_, _, err := tlv.ParsePrefix(data)
	return c.s.agreement == nil || !errors.Is(err, tlv.ErrTruncated)
}

// cut gives what fits an answer to a command of short length, and keeps the rest
// for GET RESPONSE.
func (c *Chip) cut(cmd *apdu.Command, r apdu.Response) apdu.Response {
	if cmd.Extended || len(r.Data) <= apdu.MaxShortNe {
		return r
	}
	c.s.rest = &r
	return c.getResponse(apdu.MaxShortNe)
}

// getResponse gives the next part of a long answer. It stands outside secure
// messaging, which protects the answer as a whole.
func (c *Chip) getResponse(ne int) apdu.Response {
	rest := c.s.rest
	c.s.rest = nil
	if rest == nil {
		return status(apdu.ConditionsOfUse)
	}
	n := min(len(rest.Data), ne)
	part, left := rest.Data[:n], rest.Data[n:]
	if len(left) == 0 {
		return apdu.Response{Data: part, SW: rest.SW}
	}
	c.s.rest = &apdu.Response{Data: left, SW: rest.SW}
	return apdu.Response{Data: part, SW: apdu.MoreData | apdu.Status(min(len(left), 256)&0xFF)}
}

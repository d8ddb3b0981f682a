package specimen

import "ipse/mrtd/internal/apdu"

type agreement struct{}

func (*agreement) wipe() {}

type caSelection struct{}

func (c *Chip) readCardAccess() error { return nil }

func (c *Chip) manageSecurity(*apdu.Command) apdu.Response { return status(apdu.UnknownINS) }

func (c *Chip) generalAuthenticate(*apdu.Command, bool) apdu.Response {
	return status(apdu.UnknownINS)
}

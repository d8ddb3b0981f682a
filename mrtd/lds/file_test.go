package lds

import "testing"

func TestFileIdentifiersFollowTheStandard(t *testing.T) {
	t.Parallel()
	// ICAO Doc 9303-10 tables 37 and 38.
	for _, c := range []struct {
		f   FileID
		fid uint16
		sfi byte
		tag byte
	}{
		{COM, 0x011E, 0x1E, 0x60}, {SOD, 0x011D, 0x1D, 0x77}, {DG1, 0x0101, 0x01, 0x61}, {DG2, 0x0102, 0x02, 0x75},
		{DG14, 0x010E, 0x0E, 0x6E}, {DG15, 0x010F, 0x0F, 0x6F}, {DG16, 0x0110, 0x10, 0x70}, {CardAccess, 0x011C, 0x1C, 0x31},
	} {
		if c.f.FID() != c.fid || c.f.SFI() != c.sfi || c.f.Tag() != c.tag {
			t.Errorf("%s: %04X %02X %02X", c.f, c.f.FID(), c.f.SFI(), c.f.Tag())
		}
	}
	for n := 1; n <= 16; n++ {
		f := DataGroup(n)
		if got, ok := f.Number(); !ok || got != n || ByTag(f.Tag()) != f {
			t.Errorf("data group %d does not round-trip", n)
		}
	}
	for _, bad := range []FileID{"", "DG", "DG0", "DG01", "DG17", "DG-1", "DG1x", "com"} {
		if bad.Valid() {
			t.Errorf("%q counts as a file", bad)
		}
	}
}

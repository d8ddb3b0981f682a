//go:build linux || darwin

package pcsc

import (
	"errors"
	"slices"
	"testing"
)

func TestNamesAreSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{"": nil, "\x00": nil, "a\x00\x00": {"a"}, "a b\x00c\x00\x00junk": {"a b", "c"}, "cut": {"cut"}} {
		if got := splitNames([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// The system's own library is called: whatever is installed, the answer is a
// context or one of the reasons.
func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	c, err := Open()
	if err != nil {
		if !errors.Is(err, ErrNoLibrary) && !errors.Is(err, ErrNoService) {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if _, err := c.Readers(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

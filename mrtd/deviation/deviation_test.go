package deviation

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestPoliciesNest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy Policy
		want   [3]bool // tolerates Strict, ICAO, Lenient
	}{{Strict, [3]bool{true, false, false}}, {ICAO, [3]bool{true, true, false}}, {Lenient, [3]bool{true, true, true}}} {
		for i, least := range []Policy{Strict, ICAO, Lenient} {
			if got := c.policy.Tolerates(least); got != c.want[i] {
				t.Errorf("%s tolerates what needs %s: %v", c.policy, least, got)
			}
		}
		if again, err := ParsePolicy(c.policy.String()); err != nil || again != c.policy {
			t.Errorf("%s does not round-trip", c.policy)
		}
	}
	if _, err := ParsePolicy("anything"); !errors.Is(err, ErrPolicy) {
		t.Errorf("unknown policy: %v", err)
	}
}

func TestTableIsCompleteAndFreeOfDoubles(t *testing.T) {
	t.Parallel()
	seen := map[Code]bool{}
	for _, i := range Table() {
		if seen[i.Code] || i.Text == "" || i.Clause == "" {
			t.Errorf("%s: doubled or incomplete", i.Code)
		}
		seen[i.Code] = true
	}
}

func TestUnknownDeviationsAreRefusedUnlessLenient(t *testing.T) {
	t.Parallel()
	ds := []Deviation{{Code: CertNamedCurve}, {Code: SODIndefinite}, {Code: "new"}}
	for policy, want := range map[Policy]int{Strict: 2, ICAO: 1, Lenient: 0} {
		if got := Refused(policy, ds); len(got) != want {
			t.Errorf("%s refuses %d, want %d", policy, len(got), want)
		}
	}
	if at := At("SOD", []Deviation{{Code: "a"}, {Code: "b", Where: "DS"}}); at[0].Where != "SOD" || at[1].Where != "DS" {
		t.Error("At places wrongly")
	}
}

func TestEveryDeviationIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/verdict.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range Table() {
		line := fmt.Sprintf("| `%s` | %s | %s | %s |\n", i.Code, i.Least, i.Text, i.Clause)
		if !strings.Contains(string(doc), line) {
			t.Errorf("docs/verdict.md lacks the line %s", line)
		}
	}
}

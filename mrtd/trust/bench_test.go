package trust

import "testing"

// BenchmarkLoadGermanList parses 588 certificates and verifies the list's
// signature (target: 10 ms).
func BenchmarkLoadGermanList(b *testing.B) {
	data := read(b, "DE_ML_2026-05-28.ml")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Load([]Source{{"de", data}}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

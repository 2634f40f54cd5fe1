package calibration

import (
	"math/rand/v2"
	"testing"

	"ngebm/ngebm/bootstrap"
)

// Goals: Measure and FitTemperature of 1,000,000 × 10 logits in under 1 s and
// 3 s on one core (go test -bench . -cpu 1).

func million() Sample { return drawn(rand.New(rand.NewPCG(1, 1)), 1_000_000, 10, 2) }

func BenchmarkMeasureMillion(b *testing.B) {
	s := million()
	b.ReportAllocs()
	for b.Loop() {
		measured(b, s, Options{})
	}
}

func BenchmarkFitTemperatureMillion(b *testing.B) {
	s := million()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FitTemperature(s); err != nil {
			b.Fatal(err)
		}
	}
}

// Intervals for a test set of the usual size, temperature's included.
func BenchmarkBootstrap(b *testing.B) {
	s := drawn(rand.New(rand.NewPCG(1, 1)), 10_000, 10, 2)
	for b.Loop() {
		measured(b, s, Options{Validation: &s, Bootstrap: bootstrap.Options{Resamples: 1000}})
	}
}

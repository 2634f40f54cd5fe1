package attack_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"ngebm/data/progress"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

type counter struct {
	t       *testing.T
	last    progress.Report
	reports int
	cancel  func()
}

func (c *counter) Report(r progress.Report) {
	if r.Done < c.last.Done || r.Done > r.Total || c.last.Finished {
		c.t.Errorf("%+v after %+v", r, c.last)
	}
	c.last = r
	if c.reports++; c.cancel != nil && c.reports == 3 {
		c.cancel()
	}
}

func TestProgressAndInterrupt(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 50)
	seen := &counter{t: t}
	a := attacker(t, m, attack.Options{Batch: 20, Report: seen})
	run(t, a, d, attack.Ensemble(all(attack.Linf)), .02, .05)
	if !seen.last.Finished || seen.last.Done != 100 || seen.reports < 20 {
		t.Errorf("%d reports, the last %+v", seen.reports, seen.last)
	}
	for _, what := range all(attack.Linf)[1:] {
		ctx, cancel := context.WithCancel(context.Background())
		*seen = counter{t: t, cancel: cancel}
		_, err := a.Run(ctx, d, what, []float64{.02})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// PGD with 40 steps on 200 images of the digits, at one ε.
//
//	go test -run - -bench PGD40 ./ngebm/attack
func BenchmarkPGD40(b *testing.B) {
	d := referenceDigits(b, 200)
	for _, norm := range []attack.Norm{attack.Linf, attack.L2} {
		b.Run(fmt.Sprint(norm), func(b *testing.B) {
			a := attacker(b, referenceMLP(b, testdevice.Open(b, "cpu")), attack.Options{Batch: 200})
			pgd := attack.PGD{Norm: norm, Steps: 40, Step: .1, RandomStart: true}
			run(b, a, d, pgd, .1) // compiles
			for b.Loop() {
				run(b, a, d, pgd, .1)
			}
		})
	}
}

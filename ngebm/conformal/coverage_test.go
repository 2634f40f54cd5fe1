package conformal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"ngebm/ngebm/internal/softmax"
)

// world draws exchangeable examples of a model that is over-confident and wrong about the
// rarer classes.
type world struct{ rng *rand.Rand }

func (w world) draw(n, classes int) (p [][]float64, labels []int32, u []float64) {
	for range n {
		truth, row := make([]float64, classes), make([]float64, classes)
		for k := range truth {
			truth[k] = 1.5*w.rng.NormFloat64() - .2*float64(k)
			row[k] = 2*truth[k] + .5*w.rng.NormFloat64()
		}
		softmax.Replace(truth, slices.Max(truth))
		softmax.Replace(row, slices.Max(row))
		label, left := 0, w.rng.Float64()
		for left -= truth[0]; left > 0 && label < classes-1; left -= truth[label] {
			label++
		}
		p, labels, u = append(p, row), append(labels, int32(label)), append(u, w.rng.Float64())
	}
	return p, labels, u
}

const repetitions = 2000

// Over many draws of held-out and new examples, the right class is in the set with
// probability 1-α to 1-α + 1/(n+1).
func TestCoverage(t *testing.T) {
	const held, shown, alpha = 49, 20, .125
	for _, o := range []Options{
		{Method: LAC}, {Method: APS}, {Method: APS, Randomized: true},
		{Method: RAPS, Penalty: .1, Rank: 1}, {Method: RAPS, Penalty: .1, Rank: 1, Randomized: true},
	} {
		t.Run(fmt.Sprintf("%s randomized=%v", o.Method, o.Randomized), func(t *testing.T) {
			t.Parallel()
			o.Alpha = alpha
			w, covered, size := world{rand.New(rand.NewPCG(1, 2))}, 0, 0
			for range repetitions {
				p, labels, u := w.draw(held+shown, 4)
				random := u[:held]
				if !o.Randomized {
					random = nil
				}
				s, err := Fit(p[:held], labels[:held], random, o)
				if err != nil {
					t.Fatal(err)
				}
				for i := held; i < held+shown; i++ {
					set := s.Of(p[i], u[i])
					size += len(set)
					if slices.Contains(set, int(labels[i])) {
						covered++
					}
				}
			}
			n := float64(repetitions * shown)
			between(t, "coverage", float64(covered)/n, 1-alpha, 1-alpha+1./(held+1), coverageError(alpha, held, shown))
			t.Logf("%.2f classes a set", float64(size)/n)
		})
	}
}

// With a threshold for each class, the same holds for each class.
func TestClassConditionalCoverage(t *testing.T) {
	const held, shown, classes, alpha = 150, 20, 3, .1
	w := world{rand.New(rand.NewPCG(3, 4))}
	var covered, seen, excess [classes]float64
	for range repetitions {
		p, labels, _ := w.draw(held+shown, classes)
		s, err := Fit(p[:held], labels[:held], nil, Options{Alpha: alpha, PerClass: true})
		if err != nil {
			t.Fatal(err)
		}
		for k, n := range s.Examples {
			excess[k] += 1 / float64(n+1) / repetitions
		}
		for i := held; i < held+shown; i++ {
			k := labels[i]
			seen[k]++
			if slices.Contains(s.Of(p[i], 0), int(k)) {
				covered[k]++
			}
		}
	}
	for k := range classes {
		between(t, fmt.Sprintf("coverage of class %d", k), covered[k]/seen[k], 1-alpha, 1-alpha+excess[k], coverageError(alpha, int(1/excess[k]), int(seen[k]/repetitions)))
	}
}

// The next score is below the threshold with a probability of at most the rate, and of not
// much less.
func TestFalseAlarms(t *testing.T) {
	const held, shown, rate = 60, 50, .1
	rng, below := rand.New(rand.NewPCG(5, 6)), 0
	for range repetitions {
		scores := make([]float64, held)
		for i := range scores {
			scores[i] = rng.ExpFloat64()
		}
		threshold, err := Threshold(scores, rate)
		if err != nil {
			t.Fatal(err)
		}
		for range shown {
			if rng.ExpFloat64() < threshold {
				below++
			}
		}
	}
	between(t, "false alarms", float64(below)/repetitions/shown, rate-1./(held+1), rate, coverageError(rate, held, shown))
}

// coverageError is the standard deviation of the mean over all repetitions: that of the
// coverage, which has a Beta distribution over draws of n held-out examples, and of counting.
func coverageError(alpha float64, n, shown int) float64 {
	return math.Sqrt(alpha * (1 - alpha) * (1/float64(n+2) + 1/float64(shown)) / repetitions)
}

// between allows for four standard deviations.
func between(t *testing.T, what string, got, low, high, deviation float64) {
	t.Helper()
	t.Logf("%s: %.4f, from %.4f to %.4f", what, got, low, high)
	if got < low-4*deviation || got > high+4*deviation {
		t.Errorf("%s is %.4f ± %.4f, not from %.4f to %.4f", what, got, deviation, low, high)
	}
}

// Of answers above the threshold more than the share r is wrong for at most the share δ of
// draws, and a good part of what could be answered is.
func TestRisk(t *testing.T) {
	const held, level, delta = 400, .2, .2
	rng := rand.New(rand.NewPCG(7, 8))
	broken, coverage, none := 0, 0., 0
	for range repetitions {
		confidence, right := make([]float64, held), make([]bool, held)
		for i := range held {
			confidence[i] = rng.Float64()
			right[i] = rng.Float64() > .5*(1-confidence[i]) // wrong with probability (1-c)/2
		}
		r, err := FitRisk(confidence, right, level, delta)
		if err != nil {
			none++
			continue
		}
		// Above θ a share (1-θ)/4 is wrong.
		if (1-r.Threshold)/4 > level {
			broken++
		}
		coverage += 1 - r.Threshold
	}
	if share := float64(broken) / repetitions; share > delta {
		t.Errorf("a share of %.3f of thresholds breaks the risk, want %g or less", share, delta)
	}
	mean := coverage / float64(repetitions-none)
	t.Logf("%d thresholds of %d break the risk; coverage %.3f of the possible .8; %d found none", broken, repetitions, mean, none)
	if mean < .5 || none > repetitions/20 {
		t.Errorf("coverage %.3f, want .5 or more; %d draws have no threshold", mean, none)
	}
}

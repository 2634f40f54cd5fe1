package attack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ngebm/ngebm/bootstrap"
)

// Point is the robust accuracy at one ε.
type Point struct {
	Epsilon   float64 `json:"epsilon"`   // see the package's Units
	Surviving int     `json:"surviving"` // images still classified correctly
	Accuracy  float64 `json:"accuracy"`  // Surviving / N: the robust accuracy
	// Wilson's score interval of the accuracy, 95 %: over the draw of the images,
	// not of the attack's random choices.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Curve is the robust accuracy of a classifier under one attack against ε.
type Curve struct {
	Attack   string  `json:"attack"` // with its parameters
	Kind     Kind    `json:"kind,omitempty"`
	Norm     Norm    `json:"norm"`
	Seed     uint64  `json:"seed"`
	Dataset  string  `json:"dataset"`
	Split    string  `json:"split"`
	Checksum string  `json:"checksum"` // of the dataset
	N        int     `json:"n"`        // images, including misclassified ones
	Clean    Point   `json:"clean"`    // without a perturbation
	Points   []Point `json:"points"`   // ε ascending, so Accuracy never rises
	// Broken holds for each image the index in Points of the smallest ε at which
	// an adversarial example was found: -1 where the classifier is wrong without a
	// perturbation, len(Points) where the image survived them all.
	Broken []int `json:"broken"`
	// Warnings are what the checks of [Standard] found; other attacks make none.
	Warnings []Warning `json:"warnings,omitempty"`

	adversarial map[int][]float32
}

// Adversarial returns the adversarial example that was found for image i at the
// smallest ε that broke it, as the network sees inputs (pixels in [-1,1]; see
// data.Dataset.Example), and false where there is none: the image survived, was
// wrong from the start, or broken before an interruption (see [Attacker.Resume]), or the curve was read
// from a file.
func (c *Curve) Adversarial(i int) ([]float32, bool) {
	x, ok := c.adversarial[i]
	return x, ok
}

// count fills in the points from Broken.
func (c *Curve) count(epsilons []float64) {
	c.Points = c.Points[:0]
	surviving := func(from int) int {
		n := 0
		for _, b := range c.Broken {
			if b >= from {
				n++
			}
		}
		return n
	}
	c.Clean = newPoint(0, surviving(0), c.N)
	for j, epsilon := range epsilons {
		c.Points = append(c.Points, newPoint(epsilon, surviving(j+1), c.N))
	}
}

// newPoint computes the accuracy and its interval.
func newPoint(epsilon float64, surviving, n int) Point {
	p := float64(surviving) / float64(n)
	i := bootstrap.Wilson(p, n)
	return Point{Epsilon: epsilon, Surviving: surviving, Accuracy: p, Low: i.Low, High: i.High}
}

// WorstOf combines curves of the same images, norm, seed and ε into the per-image worst case: an
// image survives an ε only if it survives it in every curve. It returns an error if the
// curves differ in these.
func WorstOf(curves ...*Curve) (*Curve, error) {
	if len(curves) == 0 {
		return nil, errors.New("attack: WorstOf needs at least one curve")
	}
	if i := slices.Index(curves, nil); i >= 0 {
		return nil, fmt.Errorf("attack: curve %d (from 0) of WorstOf is nil", i)
	}
	first := curves[0]
	worst := *first
	worst.Points = nil
	worst.Broken, worst.adversarial = slices.Clone(first.Broken), maps.Clone(first.adversarial)
	if worst.adversarial == nil {
		worst.adversarial = map[int][]float32{}
	}
	epsilons, names := first.epsilons(), []string{first.Attack}
	for _, c := range curves[1:] {
		if c.Checksum != first.Checksum || len(c.Broken) != len(first.Broken) || c.Norm != first.Norm || !slices.Equal(c.epsilons(), epsilons) {
			return nil, fmt.Errorf("attack: %s and %s differ in dataset, norm or ε: measure both on the same", first.Attack, c.Attack)
		}
		if c.Seed != first.Seed {
			return nil, fmt.Errorf("attack: %s has the seed %d and %s %d: measure both with one seed; more random starts are Restarts", first.Attack, first.Seed, c.Attack, c.Seed)
		}
		names = append(names, c.Attack)
		worst.Warnings = append(slices.Clip(worst.Warnings), c.Warnings...)
		for i, b := range c.Broken {
			if b < worst.Broken[i] {
				worst.Broken[i] = b
				delete(worst.adversarial, i)
				if x, ok := c.adversarial[i]; ok {
					worst.adversarial[i] = x
				}
			}
		}
	}
	worst.Kind = KindEnsemble
	worst.Attack = "worst of " + strings.Join(names, "; ")
	worst.count(epsilons)
	return &worst, nil
}

func (c *Curve) epsilons() []float64 {
	epsilons := make([]float64, len(c.Points))
	for j, p := range c.Points {
		epsilons[j] = p.Epsilon
	}
	return epsilons
}

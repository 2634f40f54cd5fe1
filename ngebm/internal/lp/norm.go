package lp

import (
	"fmt"
	"math"
)

// Norm says how large a perturbation is.
type Norm string

// The norms over all values of an example, as results spell them.
const (
	Linf Norm = "Linf" // the largest change of a value
	L2   Norm = "L2"   // the Euclidean length of the change
)

// Parse returns the norm that a configuration calls "linf" or "l2".
func Parse(name string) (Norm, error) {
	switch name {
	case "linf":
		return Linf, nil
	case "l2":
		return L2, nil
	}
	return "", fmt.Errorf("lp: norm %q is not known: use linf or l2", name)
}

// Valid reports whether n is one of the norms.
func (n Norm) Valid() bool { return n == Linf || n == L2 }

// Scale is the size of ε = 1 in the network's units: 2 for images, whose pixels are in
// [-1,1] in place of [0,1]; 1 for points in the plane.
func Scale(images bool) float64 {
	if images {
		return 2
	}
	return 1
}

// ThreatModel says what counts as a perturbed example: a point at most Radius away from the
// original in the norm, with all values in [Lo,Hi]. Its units are the network's.
type ThreatModel struct {
	Norm Norm
	// Radius is ε for attacks: never above Epsilon, so that a difference that rounds to it
	// is at most ε for one who has ε in float64. Epsilon is ε for training.
	Radius  float32
	Epsilon float64
	Lo, Hi  float32 // range of a value; infinite for points in the plane
}

// New converts ε, a fraction of the pixel range or in the units of points, to the network's
// units.
func New(norm Norm, epsilon float64, images bool) ThreatModel {
	t := ThreatModel{Norm: norm, Epsilon: Scale(images) * epsilon, Lo: float32(math.Inf(-1)), Hi: float32(math.Inf(1))}
	if images {
		t.Lo, t.Hi = -1, 1
	}
	t.Radius = float32(t.Epsilon)
	if float64(t.Radius) > t.Epsilon {
		t.Radius = math.Nextafter32(t.Radius, 0)
	}
	return t
}

// bounded reports whether values have a range, as pixels do.
func (t ThreatModel) bounded() bool { return !math.IsInf(float64(t.Hi), 1) }

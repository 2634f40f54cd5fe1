package data

import (
	"math"
	"testing"
)

// Each set has its classes equally often, lies where the landscapes look, and
// follows the seed.
func TestToy2D(t *testing.T) {
	for _, p := range toy2DSets() {
		t.Run(p.name, func(t *testing.T) {
			train, test := open(t, p.name, Options{Seed: 1})
			if train.Len() != 1000 || test.Len() != 1000 || train.Checksum == test.Checksum {
				t.Errorf("got %v and %v", train, test)
			}
			for class, n := range classCounts(train) {
				if want := 1000 / len(p.classes); n != want {
					t.Errorf("%d points of class %d, want %d", n, class, want)
				}
			}
			inside := 0
			for i := range train.Len() {
				if math.Hypot(float64(train.Points[2*i]), float64(train.Points[2*i+1])) < 2*math.Sqrt2 {
					inside++
				}
			}
			if inside < 990 {
				t.Errorf("%d of 1000 points are in range", inside)
			}
			again, _ := open(t, p.name, Options{Seed: 1})
			other, _ := open(t, p.name, Options{Seed: 2})
			if again.Checksum != train.Checksum || other.Checksum == train.Checksum {
				t.Error("the points do not follow the seed")
			}
			if few, fewTest := open(t, p.name+":40", Options{}); few.Len() != 40 || fewTest.Len() != 40 {
				t.Errorf("asked for 40 points, got %d and %d", few.Len(), fewTest.Len())
			}
		})
	}
}

// The share of points whose class is that of the shape they were drawn around
// tells that formula and labels belong together. The noise alone decides the
// rest, so the bounds are near 1.
func TestToy2DShape(t *testing.T) {
	angle := func(x, y float64) float64 { return math.Mod(math.Atan2(y, x)+2*math.Pi, 2*math.Pi) }
	halfCircle := func(x, y float64) (distance float64) {
		if y >= 0 {
			return math.Abs(math.Hypot(x, y) - 1)
		}
		return math.Hypot(math.Abs(x)-1, y)
	}
	for name, class := range map[string]func(x, y float64) int{
		"moons": func(x, y float64) int {
			x, y = x*3/4+.5, y*3/4+.25 // scikit-learn's units
			if halfCircle(1-x, .5-y) < halfCircle(x, y) {
				return 1
			}
			return 0
		},
		"circles": func(x, y float64) int {
			if math.Hypot(x, y) > 1.5 {
				return 0
			}
			return 1
		},
		"spirals": func(x, y float64) int {
			// On the first arm, -x = r cos t and y = r sin t at r = 2t/3π.
			turn := math.Mod(angle(-x, y)-1.5*math.Pi*math.Hypot(x, y), 2*math.Pi)
			if math.Cos(turn) > 0 {
				return 0
			}
			return 1
		},
		"pinwheel": func(x, y float64) int {
			turned := -angle(x, y) - math.Exp(math.Hypot(x, y))/4
			return int(math.Mod(math.Round(turned/(2*math.Pi/5))+100, 5))
		},
		"checkerboard": func(x, y float64) int {
			return int(math.Floor(x)+math.Floor(y)+8) % 2
		},
		"eight-gaussians": func(x, y float64) int { return int(math.Round(angle(x, y)/(math.Pi/4))) % 8 },
	} {
		d, _ := open(t, name+":4000", Options{})
		right := 0
		for i, label := range d.Labels {
			if class(float64(d.Points[2*i]), float64(d.Points[2*i+1])) == int(label) {
				right++
			}
		}
		least := .98
		if name == "checkerboard" {
			least = 1
		}
		if share := float64(right) / 4000; share < least {
			t.Errorf("%s: the class of %.4f of the points is that of their place, want %v or more", name, share, least)
		}
	}
}

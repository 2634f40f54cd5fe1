package attack_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

var _ attack.Model = (*ngebm.Classifier)(nil)

// all is every kind of attack of a norm.
func all(norm attack.Norm) []attack.Attack {
	return []attack.Attack{
		attack.FGSM(norm),
		attack.PGD{Norm: norm, Steps: 10, Step: .25},
		attack.PGD{Norm: norm, Steps: 5, Step: .5, RandomStart: true, Restarts: 2},
		attack.PGD{Norm: norm, Steps: 5, Step: .5, Samples: 3, Noise: .01},
		attack.APGD{Norm: norm, Steps: 20, Restarts: 2},
		attack.TargetedAPGD{Norm: norm, Steps: 20, Targets: 2},
		attack.TargetedFAB{Norm: norm, Steps: 10, Targets: 2},
		attack.Square{Norm: norm, Queries: 50},
	}
}

func attacker(t testing.TB, m attack.Model, o attack.Options) *attack.Attacker {
	t.Helper()
	a, err := attack.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func run(t testing.TB, a *attack.Attacker, d *data.Dataset, what attack.Attack, epsilons ...float64) *attack.Curve {
	t.Helper()
	c, err := a.Run(context.Background(), d, what, epsilons)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// noise is a set of random images, with many pixels at the ends of the range.
func noise(t testing.TB, n int) *data.Dataset {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 0))
	d := data.Dataset{Info: data.Info{Name: "noise", Classes: []string{"a", "b", "c", "d", "e"}}, Shape: []int{6, 5, 3}, MaxPixel: 255}
	for range n * 6 * 5 * 3 {
		d.Pixels = append(d.Pixels, uint8(min(max(r.IntN(400)-70, 0), 255)))
	}
	for range n {
		d.Labels = append(d.Labels, r.Int32N(5))
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// untrained is a network with weights from a seed.
func untrained(t testing.TB, spec, name string, classes int) *stored {
	t.Helper()
	net, err := nets.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	nets.Seed(store, 1)
	return &stored{backend: testdevice.Open(t, spec), store: store, logits: func(scope *model.Scope, x *Node) *Node { return net.Logits(scope, x, classes) }}
}

// Every adversarial example of every attack is in the Lp ball and in the range to
// the last bit; accuracy never rises. Another ε, step size, number of steps or
// restarts compiles nothing.
func TestAdversarialExamples(t *testing.T) {
	d, m := noise(t, 40), untrained(t, "cpu", "mlp-32", 5)
	a := attacker(t, m, attack.Options{Batch: 16})
	for norm, epsilons := range map[attack.Norm][]float64{attack.Linf: {8. / 255, 1. / 255, .3, .0123}, attack.L2: {.1, 1, .3}} {
		for _, what := range append(all(norm), attack.Ensemble(all(norm))) {
			c := run(t, a, d, what, epsilons...)
			found, x := 0, make([]float32, d.Size())
			for i, at := range c.Broken {
				y, ok := c.Adversarial(i)
				if ok != (at >= 0 && at < len(c.Points)) {
					t.Errorf("%s: image %d is broken at %d, has an adversarial example: %v", what, i, at, ok)
				}
				if !ok {
					continue
				}
				found++
				d.Example(i, x)
				limit, largest, square := 2*c.Points[at].Epsilon, 0., 0.
				for j := range x {
					if !(y[j] >= -1 && y[j] <= 1) {
						t.Fatalf("%s: image %d has the pixel %v", what, i, y[j])
					}
					largest = max(largest, math.Abs(float64(y[j])-float64(x[j])), float64(y[j]-x[j]), float64(x[j]-y[j]))
					square += math.Pow(float64(y[j])-float64(x[j]), 2)
				}
				if norm == attack.Linf && largest > limit || norm == attack.L2 && math.Sqrt(square) > limit {
					t.Fatalf("%s: image %d is %v or %v away at ε %v", what, i, largest, math.Sqrt(square), limit)
				}
			}
			if found == 0 {
				t.Errorf("%s found nothing: %v", what, c.Points)
			}
			before := c.Clean
			for _, p := range c.Points {
				if p.Epsilon <= before.Epsilon || p.Surviving > before.Surviving || !(p.Low <= p.Accuracy && p.Accuracy <= p.High) {
					t.Errorf("%s: %+v after %+v", what, p, before)
				}
				before = p
			}
		}
	}
	// Graphs are built once for each size of a batch, and again after Close.
	again := func() int64 {
		run(t, a, d, attack.PGD{Norm: attack.Linf, Steps: 3, Step: .7, RandomStart: true}, .02)
		run(t, a, d, attack.APGD{Norm: attack.L2, Steps: 7}, .02)
		return m.builds.Load()
	}
	built := again()
	if more := again(); more != built {
		t.Errorf("%d graphs were built, and %d more for the same attacks", built, more-built)
	}
	a.Close()
	if more := again(); more == built {
		t.Error("no graph was built after Close")
	}
}

// A linear classifier of two classes is broken at ε exactly where |w·x+b| ≤ ε‖w‖*,
// with the dual norm: L1 for L∞, L2 for L2. Points in the plane have ε in their
// own units.
func TestLinearClassifierInThePlane(t *testing.T) {
	w, b := [2]float64{3, -1}, .5
	m := &stored{backend: testdevice.Open(t, "cpu"), store: model.NewStore(), logits: func(_ *model.Scope, x *Node) *Node {
		f := AddScalar(ReduceSum(Mul(x, Const(x.Graph(), [][]float32{{float32(w[0]), float32(w[1])}})), -1), b)
		return Stack([]*Node{f, Neg(f)}, -1)
	}}
	r := rand.New(rand.NewPCG(7, 0))
	d := data.Dataset{Info: data.Info{Name: "line", Classes: []string{"left", "right"}}, Shape: []int{2}}
	var sides []float64
	for range 150 {
		x, y := 4*r.Float32()-2, 4*r.Float32()-2
		d.Points = append(d.Points, x, y)
		side := w[0]*float64(x) + w[1]*float64(y) + b
		label := int32(0)
		if side < 0 {
			label = 1
		}
		d.Labels = append(d.Labels, label)
		sides = append(sides, math.Abs(side))
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	a := attacker(t, m, attack.Options{Batch: 64})
	for norm, dual := range map[attack.Norm]float64{attack.Linf: 4, attack.L2: math.Sqrt(10)} {
		for _, what := range []attack.Attack{
			attack.FGSM(norm),
			attack.PGD{Norm: norm, Steps: 10, Step: .25, Samples: 4, Noise: .1},
			attack.APGD{Norm: norm, Steps: 10},
			attack.TargetedFAB{Norm: norm, Steps: 10},
			attack.Square{Norm: norm, Queries: 200},
		} {
			c := run(t, a, set, what, .05, .2, .7)
			if c.Clean.Surviving != len(sides) {
				t.Fatalf("%d of %d points are classified right", c.Clean.Surviving, len(sides))
			}
			for _, p := range c.Points {
				want := 0
				for _, side := range sides {
					if side > p.Epsilon*dual {
						want++
					}
				}
				// Square L2 comes near the right direction, not onto it.
				slack := 0
				if _, ok := what.(attack.Square); ok && norm == attack.L2 {
					slack = 8
				}
				// FAB's nearest point is a little beyond the boundary.
				if _, ok := what.(attack.TargetedFAB); ok {
					slack = 2
				}
				if p.Surviving < want || p.Surviving > want+slack {
					t.Errorf("%s at %v: %d points survive, want %d", what, p.Epsilon, p.Surviving, want)
				}
			}
		}
	}
	// The DLR loss has no meaning for two classes.
	if _, err := a.Run(context.Background(), set, attack.TargetedAPGD{Norm: attack.L2, Steps: 5}, []float64{.1}); err == nil || !strings.Contains(err.Error(), "use attack.APGD") {
		t.Errorf("error %v", err)
	}
}

// Batch size and other ε change nothing, the seed does.
func TestRandomChoices(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: three times all attacks")
	}
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 51)
	a, cut, reseeded := attacker(t, m, attack.Options{Seed: 3}), attacker(t, m, attack.Options{Seed: 3, Batch: 17}), attacker(t, m, attack.Options{Seed: 4})
	for _, what := range append(all(attack.Linf)[2:], attack.Square{Norm: attack.L2, Queries: 30}) {
		small, middle, large := .04, .06, .1
		if what == attack.Attack(attack.Square{Norm: attack.L2, Queries: 30}) {
			small, middle, large = .3, .5, .8
		}
		one := run(t, a, d, what, small, large)
		other := run(t, cut, d, what, large, small, middle, small)
		if len(other.Points) != 3 {
			t.Fatalf("%d points", len(other.Points))
		}
		for i := range one.Broken {
			if one.Broken[i] == 0 && other.Broken[i] != 0 || (one.Broken[i] < 2) != (other.Broken[i] < 3) && !(one.Broken[i] == 2 && other.Broken[i] == 1) {
				t.Errorf("%s: image %d is broken at %d and %d", what, i, one.Broken[i], other.Broken[i])
			}
			// Sums over a batch of another size may round in another way.
			if x, ok := one.Adversarial(i); ok && one.Broken[i] == 0 {
				if y, _ := other.Adversarial(i); distance(x, y) > 1e-4 {
					t.Errorf("%s: adversarial examples of image %d differ by %v", what, i, distance(x, y))
				}
			}
		}
		if p, ok := what.(attack.PGD); ok && p.Samples > 0 {
			continue // no random start, too little noise to matter
		}
		if _, ok := what.(attack.TargetedAPGD); ok {
			continue // starts as APGD
		}
		if _, ok := what.(attack.TargetedFAB); ok {
			continue // draws nothing
		}
		third := run(t, reseeded, d, what, small, large)
		same := true
		for i := range one.Broken {
			x, _ := one.Adversarial(i)
			y, _ := third.Adversarial(i)
			same = same && slices.Equal(x, y)
		}
		if same {
			t.Errorf("%s: two seeds give the same adversarial examples", what)
		}
	}
}

// A batch that shrinks as images are broken, or run out, finds what one of a single image finds.
func TestShrinkingBatch(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 75)
	shrinking, single := attacker(t, m, attack.Options{Seed: 3}), attacker(t, m, attack.Options{Seed: 3, Batch: 1})
	for _, what := range []attack.Attack{
		attack.Square{Norm: attack.Linf, Queries: 300}, attack.Square{Norm: attack.L2, Queries: 300},
		attack.PGD{Norm: attack.Linf, Steps: 40, Step: .1, RandomStart: true, Restarts: 3},
	} {
		epsilon := .1
		if what == attack.Attack(attack.Square{Norm: attack.L2, Queries: 300}) {
			epsilon = .7
		}
		many, one := run(t, shrinking, d, what, epsilon), run(t, single, d, what, epsilon)
		if !slices.Equal(many.Broken, one.Broken) {
			t.Errorf("%s: broken %v, one by one %v", what, many.Broken, one.Broken)
		}
		if n := many.Points[0].Surviving; n == 0 || n > 32 {
			t.Errorf("%s leaves %d of %d images: the batch did not shrink to 32", what, n, many.Clean.Surviving)
		}
		for i := range many.Broken {
			x, found := many.Adversarial(i)
			if y, _ := one.Adversarial(i); found && distance(x, y) > 1e-4 {
				t.Errorf("%s: adversarial examples of image %d differ by %v", what, i, distance(x, y))
			}
		}
	}
}

func distance(x, y []float32) float64 {
	if len(x) != len(y) {
		return math.Inf(1)
	}
	largest := 0.
	for j := range x {
		largest = max(largest, math.Abs(float64(x[j])-float64(y[j])))
	}
	return largest
}

// The pure-Go backend gives XLA's results. Values whose gradient is nearly zero
// may take the other sign, so a few images may differ.
func TestBackendsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: pure Go, all attacks")
	}
	d := referenceDigits(t, 51) // the batch that TestRandomChoices compiles for
	a, b := attacker(t, referenceMLP(t, testdevice.Open(t, "cpu")), attack.Options{}), attacker(t, referenceMLP(t, testdevice.Open(t, "go")), attack.Options{})
	for norm, epsilons := range map[attack.Norm][]float64{attack.Linf: {.04, .1}, attack.L2: {.3, .6}} {
		for _, what := range all(norm) {
			xla, pure := run(t, a, d, what, epsilons...), run(t, b, d, what, epsilons...)
			apart := 0
			for i := range xla.Broken {
				x, _ := xla.Adversarial(i)
				y, _ := pure.Adversarial(i)
				if xla.Broken[i] != pure.Broken[i] || distance(x, y) > 1e-3 {
					apart++
				}
			}
			t.Logf("%s: %d of %d images differ", what, apart, d.Len())
			if apart > 2 {
				t.Errorf("%s: %d of %d images differ: %v and %v", what, apart, d.Len(), xla.Points, pure.Points)
			}
		}
	}
}

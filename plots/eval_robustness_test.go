package plots

import (
	"math"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
)

// falling is a made-up curve: accuracy halves every so many ε, of n images.
func falling(name string, norm attack.Norm, n int, clean, half float64, epsilons ...float64) *attack.Curve {
	point := func(epsilon float64) attack.Point {
		surviving := math.Round(float64(n) * clean * math.Exp2(-math.Pow(epsilon/half, 1.5)))
		p := attack.Point{Epsilon: epsilon, Surviving: int(surviving), Accuracy: surviving / float64(n)}
		i := bootstrap.Wilson(p.Accuracy, n)
		p.Low, p.High = i.Low, i.High
		return p
	}
	c := &attack.Curve{Attack: name, Norm: norm, N: n, Clean: point(0)}
	for _, e := range epsilons {
		c.Points = append(c.Points, point(e))
	}
	return c
}

func TestRobustnessGolden(t *testing.T) {
	names := []string{"cross-entropy", "label smoothing", "NG-EBM β=γ=.01", "NG-EBM β=γ=1"}
	half := []float64{0.02, 0.025, 0.035, 0.06}
	panel := func(title string, norm attack.Norm, scale float64, unit EpsilonUnit) RobustPanel {
		p := RobustPanel{Title: title, Unit: unit}
		for i, name := range names {
			for seed := range 3 {
				h := half[i] * scale * (1 + 0.08*float64(seed-1))
				var epsilons []float64
				for k := range 8 {
					epsilons = append(epsilons, scale*float64(2*(k+1))/255)
				}
				p.Runs = append(p.Runs, RobustRun{Name: name, Color: methodColor(name), Curve: falling("PGD, 40 steps", norm, 360, 0.97, h, epsilons...)})
				p.Worst = append(p.Worst, RobustRun{Name: name, Color: methodColor(name), Curve: falling("APGD, DLR, Square", norm, 200, 0.97, h*0.85, scale*8/255)})
			}
		}
		return p
	}
	t.Run("two norms", func(t *testing.T) {
		f, err := Robustness(panel("L∞", attack.Linf, 1, In255ths), panel("L2", attack.L2, 10, In255ths))
		golden(t, "robustness", f, err)
	})
	t.Run("plane", func(t *testing.T) {
		p := panel("moons, L2", attack.L2, 10, DataUnits)
		p.Worst = nil
		f, err := Robustness(p)
		golden(t, "robustness-plane", f, err)
	})
}

// The band of one seed is another thing than that of several.
func TestHaveSeeds(t *testing.T) {
	for want, names := range map[bool][]string{false: {"a", "b"}, true: {"a", "b", "a"}} {
		var attacked []RobustRun
		for _, name := range names {
			attacked = append(attacked, RobustRun{Name: name})
		}
		if got := haveSeeds(attacked, RobustRun.name); got != want {
			t.Errorf("runs of %q: %v, want %v", names, got, want)
		}
	}
}

func TestRobustnessDegenerate(t *testing.T) {
	run := func(c *attack.Curve) RobustPanel {
		return RobustPanel{Title: "L∞", Runs: []RobustRun{{Name: "run", Curve: c}}}
	}
	other := run(falling("PGD", attack.Linf, 10, 1, 0.1, 0.1, 0.2))
	other.Runs = append(other.Runs, RobustRun{Name: "run", Curve: falling("FGSM", attack.Linf, 10, 1, 0.1, 0.1, 0.2)})
	shifted := run(falling("PGD", attack.Linf, 10, 1, 0.1, 0.1, 0.2))
	shifted.Runs = append(shifted.Runs, RobustRun{Name: "run", Curve: falling("PGD", attack.Linf, 10, 1, 0.1, 0.1, 0.3)})
	alone := run(falling("PGD", attack.Linf, 10, 1, 0.1, 0.1))
	alone.Worst = []RobustRun{{Name: "another run", Curve: falling("Square", attack.Linf, 1, 1, 0.1, 0.1)}}
	for _, test := range []struct {
		name  string
		panel RobustPanel
		err   string
	}{
		{"one ε", run(falling("PGD", attack.Linf, 10, 1, 0.1, 0.1)), ""},
		{"one image", run(falling("PGD", attack.Linf, 1, 1, 0.1, 0.1, 0.2)), ""},
		{"nothing survives", run(falling("PGD", attack.Linf, 10, 0, 0.1, 0.1, 0.2)), ""},
		{"worst of another name", alone, ""},
		{"no runs", RobustPanel{Title: "L∞"}, `"L∞" has no runs`},
		{"no curve", run(nil), `"run" has no accuracy`},
		{"no ε", run(falling("PGD", attack.Linf, 10, 1, 0.1)), `"run" has no accuracy`},
		{"NaN", run(falling("PGD", attack.Linf, 10, math.NaN(), 0.1, 0.1)), "is no accuracy"},
		{"falling ε", run(falling("PGD", attack.Linf, 10, 1, 0.1, 0.2, 0.1)), "must ascend, but 0.1 is at index 1"},
		{"seeds under other attacks", other, "PGD at 2 and FGSM at 2"},
		{"seeds at other ε", shifted, "ε = 0.2 and 0.3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Robustness(test.panel)
			expect(t, f, err, test.err)
		})
	}
	f, err := Robustness()
	expect(t, f, err, "no accuracy against ε")
}

// Of seeds the line is the mean and the band the hull of their intervals.
func TestPoolSeeds(t *testing.T) {
	a := &attack.Curve{Clean: attack.Point{Accuracy: 1, Low: 0.9, High: 1}, Points: []attack.Point{{Epsilon: 0.1, Accuracy: 0.5, Low: 0.4, High: 0.6}}}
	b := &attack.Curve{Clean: attack.Point{Accuracy: 0.8, Low: 0.7, High: 0.9}, Points: []attack.Point{{Epsilon: 0.1, Accuracy: 0.7, Low: 0.6, High: 0.8}}}
	got, err := poolSeeds(group[RobustRun]{"run", []RobustRun{{Name: "run", Curve: a}, {Name: "run", Curve: b}}}, 255)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][4]float64{{0, 0.9, 0.7, 1}, {25.5, 0.6, 0.4, 0.8}} {
		for k, v := range [4]float64{got.x[i], got.mean[i], got.low[i], got.high[i]} {
			if math.Abs(v-want[k]) > 1e-12 {
				t.Errorf("point %d: %v, want %v", i, v, want[k])
			}
		}
	}
}

func ExampleRobustness() {
	// In earnest, curves of an attack.Attacker.
	curve := falling("PGD, 40 steps", attack.Linf, 360, 0.97, 0.03, 2./255, 4./255, 8./255)
	worst := falling("worst of three", attack.Linf, 200, 0.97, 0.025, 8./255)
	figure, err := Robustness(RobustPanel{
		Title: "digits, L∞",
		Runs:  []RobustRun{{Name: "cross-entropy", Color: methodColor("cross-entropy"), Curve: curve}},
		Worst: []RobustRun{{Name: "cross-entropy", Color: methodColor("cross-entropy"), Curve: worst}},
	})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

package attack_test

import (
	"context"
	"fmt"
	"os"

	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// Train a classifier, let its accuracy fall, and look for signs that the figures
// flatter it.
func Example() {
	dev, err := device.Open("cpu", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	runs, err := os.MkdirTemp("", "runs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(runs)
	ctx := context.Background()
	cfg := ngebm.DefaultConfig("moons", "mlp-32-32")
	cfg.Epochs = 20
	trained, err := train.Run(ctx, dev.Backend, cfg, train.Options{Runs: runs})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, points, err := trained.Test.RandomSplit(100, 1, "rest", "test") // 100 are enough for an example
	if err != nil {
		fmt.Println(err)
		return
	}

	attacker, err := attack.New(trained.Classifier, attack.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer attacker.Close()
	// Cheap attacks first: the others see only what is left.
	worstCase := attack.Ensemble{
		attack.PGD{Norm: attack.L2, Steps: 40, Step: .1, RandomStart: true},
		attack.APGD{Norm: attack.L2, Steps: 50},
	}
	// The moons' own units; for images these would be fractions of the pixel range.
	curve, err := attacker.Run(ctx, points, worstCase, []float64{.05, .2, .8})
	if err != nil {
		fmt.Println(err)
		return
	}
	before := curve.Clean.Accuracy
	for _, p := range curve.Points {
		fmt.Println("ε", p.Epsilon, "breaks more:", p.Accuracy < before)
		before = p.Accuracy
	}

	masking, err := attacker.CheckMasking(ctx, points, attack.L2, .2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("warnings:", len(masking.Warnings))
	// Output:
	// ε 0.05 breaks more: true
	// ε 0.2 breaks more: true
	// ε 0.8 breaks more: true
	// warnings: 0
}

// FGSM is one step, and one of the weakest attacks; every attack prints its
// parameters.
func ExampleFGSM() {
	fmt.Println(attack.FGSM(attack.Linf))
	fmt.Println(attack.PGD{Norm: attack.L2, Steps: 40, Step: .1, RandomStart: true, Restarts: 5})
	fmt.Println(attack.Ensemble{attack.APGD{Norm: attack.Linf, Steps: 100}, attack.TargetedAPGD{Norm: attack.Linf, Steps: 100}, attack.Square{Norm: attack.Linf, Queries: 5000}})
	// Output:
	// FGSM Linf
	// PGD L2, 40 steps of 0.1ε, random start, 5 restarts
	// worst case of APGD-CE Linf, 100 steps; APGD-DLR targeted Linf, 100 steps, at most 9 targets; Square Linf, 5000 queries, p 0.8
}

// The worst case of curves that were measured apart, for a figure with all of them.
func ExampleWorstOf() {
	point := func(surviving int) attack.Point { return attack.Point{Epsilon: .1, Surviving: surviving} }
	white := &attack.Curve{Attack: "A", Norm: attack.Linf, N: 4, Broken: []int{-1, 0, 1, 1}, Points: []attack.Point{point(2)}}
	black := &attack.Curve{Attack: "B", Norm: attack.Linf, N: 4, Broken: []int{-1, 1, 0, 1}, Points: []attack.Point{point(2)}}
	worst, err := attack.WorstOf(white, black)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d of %d survive ε %v\n", worst.Attack, worst.Points[0].Surviving, worst.N, worst.Points[0].Epsilon)
	// Output:
	// worst of A; B: 1 of 4 survive ε 0.1
}

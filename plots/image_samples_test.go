package plots

import (
	"context"
	"fmt"
	"os"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// chainsOf is four chains of two steps from an untrained network, with their values
// replaced: a stripe that moves to the right, for a picture that no device changes.
func chainsOf(t testing.TB) *ngebm.Samples {
	t.Helper()
	dev, err := device.Open("go", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := ngebm.DefaultConfig("digits", "mlp-4")
	cfg.Epochs, cfg.Limit = 1, 64
	run, err := train.Run(t.Context(), dev.Backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := run.Classifier.Sample(t.Context(), run.Train, ngebm.Sampling{Count: 4, Steps: 2, Every: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k, x := range s.X {
		for i := range x {
			x[i] = -1
			if i%8 == k+i/64 {
				x[i] = 1
			}
		}
		for i := range s.Energy[k] {
			s.Energy[k][i] = float64(k) - 1.25*float64(i)
		}
	}
	return s
}

func TestSamples(t *testing.T) {
	s := chainsOf(t)
	f, err := Samples("chains of an untrained network", s, []int{0, 3}, []string{"first", "last"})
	golden(t, "samples", f, err)

	for _, test := range []struct {
		name   string
		s      *ngebm.Samples
		chains []int
		names  []string
		err    string
	}{
		{"numbers for names", s, []int{1, 1, 2}, nil, ""},
		{"no samples", nil, []int{1}, nil, "no samples"},
		{"no such chain", s, []int{0, 4}, nil, "there is no chain 4: there are 4"},
		{"too few names", s, []int{0, 1}, []string{"a"}, "1 names for 2 chains"},
		{"no chains", s, nil, nil, "needs a row"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Samples("title", test.s, test.chains, test.names)
			expect(t, f, err, test.err)
		})
	}
	points := &ngebm.Samples{Shape: []int{2}, Steps: []int{0}, X: [][]float32{{1, 2}}, Energy: [][]float64{{0}}, Labels: []int32{0}}
	_, err = Samples("points", points, []int{0}, nil)
	expect(t, nil, err, "plots: ")
}

func ExampleSamples() {
	dev, err := device.Open("go", nil)
	if err != nil {
		panic(err)
	}
	runs, err := os.MkdirTemp("", "runs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(runs)
	cfg := ngebm.DefaultConfig("digits", "mlp-4") // in earnest, a JEM run of more than an epoch
	cfg.Epochs, cfg.Limit = 1, 64
	run, err := train.Run(context.Background(), dev.Backend, cfg, train.Options{Runs: runs})
	if err != nil {
		panic(err)
	}
	samples, err := run.Classifier.Sample(context.Background(), run.Train, ngebm.Sampling{Count: 4, Steps: 20, Every: 10})
	if err != nil {
		panic(err)
	}
	figure, err := Samples("chains from noise", samples, []int{0, 1}, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: chains from noise: a table of images. From top to bottom: chain 0, chain 1. From left to right: start, step 10, 20.
}

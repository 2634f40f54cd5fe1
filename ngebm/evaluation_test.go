package ngebm

import (
	"math"
	"runtime"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
)

// An evaluation keeps a few numbers of each example, however many classes there are: the
// logits of 10,000 examples in 10,000 classes would take 800 MB.
func TestEvaluationOfManyClasses(t *testing.T) {
	const classes, batch, batches = 10000, 100, 50
	logits, labels := make([]float32, batch*classes), make([]int32, batch)
	for i := range labels { // the label's logit is log 3, the others are 0; every second example is wrong
		labels[i] = int32(i)
		logits[i*classes+i+i%2] = float32(math.Log(3))
	}
	var o outcomes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range batches {
		o.add([][]float32{logits, twos(batch)}, labels)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d bytes were allocated", took)
	}
	h := &History{Terms: []string{energy.NameCrossEntropy, energy.NameVariance, energy.NameGradientNorm}, Weights: []float64{1, 1, .5}}
	e := o.evaluation(h, 0)
	ce := math.Log(classes+2) - math.Log(3)/2
	for i, want := range []float64{ce, 0, 2} {
		if math.Abs(e.Values[i]-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", h.Terms[i], e.Values[i], want)
		}
	}
	if e.Accuracy != .5 || math.Abs(e.Loss-ce-1) > 1e-6 {
		t.Errorf("accuracy %v, loss %v", e.Accuracy, e.Loss)
	}
}

// An evaluation's terms and loss are those that a training step records of the same examples.
func TestEvaluationHasTrainingTerms(t *testing.T) {
	logits := [][]float32{{2, -1, .5}, {0, 3, 3}, {-2, -2, 4}, {5, 5, -5}}
	labels := []int32{0, 2, 1, 1}
	for _, set := range []string{"", "label_smoothing=.1", "label_smoothing=.5,z_loss=.2", "focal=2", "logitnorm=.5", "logitnorm=.5,label_smoothing=.1"} {
		cfg := DefaultConfig("digits", "mlp-4")
		cfg.Beta = .3
		if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		h := &History{}
		out := MustExecOnceN(testdevice.Open(t, "go"), func(f, y *Node) []*Node {
			var nodes []*Node
			terms := cfg.Objective([]int{3}).Terms(energy.Inputs{Logits: func(x *Node) *Node { return x }, X: f, Labels: y})
			for _, term := range terms {
				h.Terms, h.Weights = append(h.Terms, term.Name), append(h.Weights, term.Weight)
				nodes = append(nodes, term.Value)
			}
			return append(nodes, energy.Total(terms, nil))
		}, logits, labels)
		o := outcomes{smoothing: cfg.LabelSmoothing, logitNorm: cfg.LogitNorm}
		o.add([][]float32{slices.Concat(logits...)}, labels)
		e := o.evaluation(h, cfg.Focal)
		for i, got := range append(slices.Clone(e.Values), e.Loss) {
			if want := float64(tensors.ToScalar[float32](out[i])); math.Abs(got-want) > 1e-5*max(1, want) {
				t.Errorf("%q: %s is %v, in training %v", set, append(h.Terms, "loss")[i], got, want)
			}
		}
	}
}

// twos are n norms of 2.
func twos(n int) []float32 {
	norms := make([]float32, n)
	for i := range norms {
		norms[i] = 2
	}
	return norms
}

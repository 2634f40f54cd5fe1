package ngebm

import (
	"math"
	"runtime"
	"testing"

	"ngebm/ngebm/energy"
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

// twos are n norms of 2.
func twos(n int) []float32 {
	norms := make([]float32, n)
	for i := range norms {
		norms[i] = 2
	}
	return norms
}

package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

func TestBenchRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"-shape 32by32":                          `-shape is "32by32"; give height, width and channels`,
		"-compare tensorflow":                    `-compare is "tensorflow"; it can be torch, jax or onnxruntime`,
		"-python no-such-python":                 "no no-such-python has torch; name a Python that has it with -python",
		"-rows sgd":                              `unknown row "sgd" (did you mean PGD?); rows are cross-entropy, NG-EBM`,
		"-rows logits,JEM -reference-device cpu": `reference-device is "cpu", but none of the rows has losses to compare; add cross-entropy or NG-EBM`,
		"-model wrn-11-2":                        "a Wide ResNet's depth is 6n+4",
		"-worker nothing -model mlp":             `invalid task "nothing"`,
	} {
		err := benchmark(context.Background(), strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("bench %s: %v, want %q", args, err, want)
		}
	}
}

package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ngebm/ngebm/bench"
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

// Files of the current folder are neither the library nor run by the search for it.
func TestFindPeerInAnyFolder(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3 on the PATH")
	}
	find := func() (all []bool) {
		for _, library := range []string{"torch", "jax", bench.ONNXRuntime} {
			all = append(all, findPeer(t.Context(), &bench.Plan{Library: library, Python: "python3"}) == nil)
		}
		return all
	}
	t.Chdir(t.TempDir())
	want := find()
	for _, name := range []string{"torch", "jax", bench.ONNXRuntime, "contextlib", "importlib"} {
		if err := os.WriteFile(name+".py", []byte("open('ran', 'w')\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := find(); !slices.Equal(got, want) {
		t.Errorf("torch, jax and onnxruntime are found: %v, want %v", got, want)
	}
	if _, err := os.Stat("ran"); err == nil {
		t.Error("a file of the current folder is run")
	}
}

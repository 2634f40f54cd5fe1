package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"ngebm/data/progress"
	"ngebm/ngebm/bench"
	"ngebm/ngebm/environment"
)

func benchmark(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("bench", `Time training steps, evaluation and an attack on this machine, each in a process of its own, with random
weights and images. With -peer, PyTorch or JAX do the same work from the same weights, taking turns with
this program, and the table has the ratios and says how far their first losses are apart (expect 1e-5 or
less in float32, 1e-2 in bfloat16). Peak memory is the process's; a GPU's own is not in it. Quote ratios of
one run: absolute times drift with whatever else the machine does.

What a GPU reaches with the paper's network, beside PyTorch on it and the CPU's losses (989 TFLOP/s is an
H100's peak in bfloat16; the whole takes minutes; it has not yet been run on a GPU):

  ngebm bench -net wrn-28-10 -batch 256 -rows cross-entropy,NG-EBM -times 20 -precision bfloat16 -device cuda -peak 989 -peer torch -compile -against cpu`,
		"ngebm bench -net wrn-10-2 -batch 64 -peer torch")
	p := bench.Plan{}
	fs.StringVar(&p.Net, "net", "wrn-10-2", "network: wrn-10-2, convnet, mlp-128-128 …")
	fs.IntVar(&p.Batch, "batch", 64, "examples in a training step")
	shape := fs.String("shape", "32x32x3", "shape of an example: height x width x channels, or the size of a point, as in 2")
	fs.IntVar(&p.Classes, "classes", 10, "classes")
	fs.IntVar(&p.Images, "images", 256, "examples that are evaluated and attacked")
	fs.IntVar(&p.PGDSteps, "pgd-steps", 40, "steps of the attack")
	var rows string
	listVar(fs, &rows, "rows", strings.Join(bench.Rows(), ","), ",", "what to time")
	fs.IntVar(&p.StepsPerCall, "at-once", 1, "training steps that one call takes, in a loop on the device (with JAX's lax.scan, too)")
	fs.IntVar(&p.Repeats, "times", 3, "how often each work is done in a round, after a warm-up")
	fs.IntVar(&p.Rounds, "rounds", 3, "rounds, in which the programs take turns")
	fs.StringVar(&p.Precision, "precision", "", "of training steps: float32 or bfloat16")
	fs.StringVar(&p.Device, "device", "", "cpu, cuda or go (default: $GOMLX_BACKEND, $NGEBM_DEVICE, else the best there is)")
	fs.IntVar(&p.Devices, "devices", 1, "share each training step among so many devices")
	fs.StringVar(&p.Library, "peer", "", "compare with torch or jax")
	fs.StringVar(&p.Python, "python", "", "the Python that has the peer (default: the first of python3 and python on the PATH that has it)")
	fs.BoolVar(&p.Compile, "compile", false, "let PyTorch compile what it can (not second derivatives)")
	fs.StringVar(&p.ReferenceDevice, "against", "", "compute the first 5 losses on this device too, as in cpu, and say how far apart they are")
	fs.Float64Var(&p.Peak, "peak", 0, "the device's peak in TFLOP/s, to say what fraction of it is reached")
	asJSON := fs.String("json", "", "write everything that was timed there too, as JSON")
	worker := fs.String("worker", "", "for the command itself: be the process that works on this task")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *worker != "" {
		return bench.Work(ctx, *worker, environment.Device(), os.Stdin, stdout)
	}
	var err error
	if p.Shape, err = parseShape(*shape); err != nil {
		return err
	}
	p.Rows = strings.Split(rows, ",")
	if err := findPeer(&p); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("ngebm bench: %w", err)
	}
	p.Progress = progress.ForTerminal(os.Stderr)
	table, err := p.Run(ctx, []string{self, "bench", "-worker"})
	if err != nil {
		return err
	}
	if *asJSON != "" {
		b, err := json.MarshalIndent(table, "", "  ")
		if err == nil {
			err = os.WriteFile(*asJSON, append(b, '\n'), 0o644)
		}
		if err != nil {
			return fmt.Errorf("ngebm bench: %w", err)
		}
	}
	return table.Print(stdout)
}

func parseShape(s string) ([]int, error) {
	var shape []int
	for _, part := range strings.Split(s, "x") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > 1<<12 {
			return nil, fmt.Errorf("ngebm bench: -shape is %q; give height, width and channels, as in 32x32x3, or the size of a point, as in 2", s)
		}
		shape = append(shape, n)
	}
	return shape, nil
}

// findPeer finds a Python that has the library.
func findPeer(p *bench.Plan) error {
	switch p.Library {
	case "":
		if p.Python == "" {
			return nil
		}
		p.Library = "torch"
	case "torch", "jax":
	default:
		return fmt.Errorf("ngebm bench: -peer is %q; it can be torch or jax", p.Library)
	}
	candidates := []string{"python3", "python"}
	if p.Python != "" {
		candidates = []string{p.Python}
	}
	for _, python := range candidates {
		if exec.Command(python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('"+p.Library+"') is None)").Run() == nil {
			p.Python = python
			return nil
		}
	}
	return fmt.Errorf("ngebm bench: no %s has %s; name a Python that has it with -python, or install it (pip install %s numpy)", strings.Join(candidates, " nor "), p.Library, p.Library)
}

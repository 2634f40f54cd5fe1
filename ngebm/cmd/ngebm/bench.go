package main

import (
	"context"
	"errors"
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

const benchAbout = `Time training steps, evaluation and an attack on this machine, with random weights and images, each in its
own process. With -compare, PyTorch, JAX or ONNX Runtime do the same work from the same weights, in turns with this
program: in the fastest of their ways, which are tried first (PyTorch: NCHW and channels_last, compiled and not,
but NG-EBM not compiled; JAX: NHWC and NCHW; to try and to compile takes minutes). The table then has the ratios
and the difference of the first losses (expect up to 3e-5 in float32, 1e-2 in bfloat16). The rows latency N
compute the logits of N images at a time. After an error, or when it is stopped, the rows before are printed, and written to -o if
that file is new. Peak memory is the process's, without GPU memory. Quote ratios within one table: absolute
times change with the load of the machine.

On a GPU, with the paper's network, against PyTorch, losses checked against the CPU's (989 TFLOP/s is an
H100's peak in bfloat16; this takes minutes):

  ngebm bench -model wrn-28-10 -batch 256 -rows cross-entropy,NG-EBM -repeats 20 -precision bfloat16 -device cuda -peak 989 -compare torch -reference-device cpu`

func benchmark(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("bench", benchAbout, "ngebm bench -model wrn-10-2 -batch 64 -compare torch")
	p := bench.Plan{}
	fs.StringVar(&p.Net, "model", "wrn-10-2", "`network`: wrn-10-2, convnet, mlp-128-128 …")
	fs.IntVar(&p.Batch, "batch", 64, "batch size of a training step")
	shape := fs.String("shape", "32x32x3", "`shape` of an example: height x width x channels, or the dimension of a point, as in 2")
	fs.IntVar(&p.Classes, "classes", 10, "number of classes")
	fs.IntVar(&p.Images, "images", 256, "number of examples to evaluate and attack")
	fs.IntVar(&p.PGDSteps, "pgd-steps", 40, "steps of the PGD attack")
	var rows string
	listVar(fs, &rows, "rows", strings.Join(bench.Rows(), ","), ",", "what to time")
	fs.IntVar(&p.StepsPerCall, "steps-per-call", 1, "training steps in one call, as a loop on the device (in JAX lax.scan)")
	fs.IntVar(&p.Repeats, "repeats", 3, "repeats in a round, after a warm-up")
	fs.IntVar(&p.Rounds, "rounds", 3, "rounds, in which the programs take turns")
	fs.StringVar(&p.Precision, "precision", "", "`precision` of training steps: float32 or bfloat16")
	fs.StringVar(&p.Device, "device", "", deviceUsage)
	fs.IntVar(&p.Devices, "devices", 1, "number of devices for data parallelism")
	fs.StringVar(&p.Library, "compare", "", "`library` to compare with: torch, jax or onnxruntime (for the rows logits and latency N)")
	fs.StringVar(&p.Python, "python", "", "`command` of a Python that has the library (default: the first of python3 and python on the PATH that has it)")
	fs.StringVar(&p.ReferenceDevice, "reference-device", "", "also compute the first 5 losses on this `device`, as in cpu, and print the difference")
	fs.Float64Var(&p.Peak, "peak", 0, "the device's peak in TFLOP/s; prints the fraction of it that is reached")
	out := outFlag(fs)
	worker := fs.String("worker", "", "") // the task of a process that this command starts
	if err := parse(fs, args); err != nil {
		return err
	}
	if *worker != "" {
		o := environment.Device()
		o.CompileCache = "" // a loaded program needs half of the memory, so the second table would be another
		return bench.Work(ctx, *worker, o, os.Stdin, stdout)
	}
	var err error
	if p.Shape, err = parseShape(*shape); err != nil {
		return err
	}
	p.Rows = strings.Split(rows, ",")
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm bench: unexpected argument %q", fs.Arg(0))
	}
	if err := checkOut("bench", *out); err != nil {
		return err
	}
	if err := findPeer(ctx, &p); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("ngebm bench: %w", err)
	}
	p.Progress = progress.ForTerminal(os.Stderr)
	table, err := p.Run(ctx, []string{self, "bench", "-worker"})
	if table == nil {
		return err
	}
	if err != nil {
		*out = forPart(*out)
	}
	return errors.Join(output(stdout, "bench", *out, table, table.Print), err) // rows before an error are not lost
}

func parseShape(s string) ([]int, error) {
	var shape []int
	for _, part := range strings.Split(s, "x") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > 1<<12 {
			return nil, fmt.Errorf("ngebm bench: -shape is %q; give height, width and channels, as in 32x32x3, or the dimension of a point, as in 2", s)
		}
		shape = append(shape, n)
	}
	return shape, nil
}

// findPeer finds a Python that has the library to compare with.
func findPeer(ctx context.Context, p *bench.Plan) error {
	switch p.Library {
	case "":
		if p.Python == "" {
			return nil
		}
		p.Library = "torch"
	case "torch", "jax", bench.ONNXRuntime:
	default:
		return fmt.Errorf("ngebm bench: -compare is %q; it can be torch, jax or onnxruntime", p.Library)
	}
	candidates := []string{"python3", "python"}
	if p.Python != "" {
		candidates = []string{p.Python}
	}
	// Without the current folder, where Python looks first: no file of it is the library, or is run.
	find := "import sys; sys.path = [p for p in sys.path if p]; import importlib.util; sys.exit(importlib.util.find_spec('" + p.Library + "') is None)"
	for _, python := range candidates {
		if exec.CommandContext(ctx, python, "-c", find).Run() == nil {
			p.Python = python
			return nil
		}
	}
	return fmt.Errorf("ngebm bench: no %s has %s; name a Python that has it with -python, or install it (pip install %s numpy)", strings.Join(candidates, " nor "), p.Library, p.Library)
}

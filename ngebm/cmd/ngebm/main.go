// Command ngebm trains and evaluates non-generative energy-based models from the
// shell. It is one file: build it and copy it to the machine with the GPU.
//
//	go run ./ngebm/cmd/ngebm train -preset digits
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"ngebm/data/nearest"
	_ "ngebm/ngebm/device/heap"
	"ngebm/ngebm/environment"
)

// command is one subcommand.
type command struct {
	name, about, example string
	run                  func(ctx context.Context, args []string, stdout io.Writer) error
}

func commands() []command {
	return []command{
		{"train", "train a model, resume it, or load it if it is complete", "ngebm train -preset digits -set beta=.1,gamma=.1", trainRun},
		{"sweep", "train a grid of settings with several seeds and compare them on validation data", "ngebm sweep -preset digits-few -grid 'beta=0,.01,.1;gamma=0,.01,.1'", sweep},
		{"experiment", "compare training methods: several seeds each, the same measurements, one file of results", "ngebm experiment -preset cifar10-cpu -seeds 101,202,303 -o results.json", runExperiment},
		{"merge", "merge result files of ngebm experiment from several machines", "ngebm merge -o all.json a.json b.json", merge},
		{"fetch", "download datasets, or list those that are known", "ngebm fetch svhn", fetchSets},
		{"measure", "calibration and OOD metrics of any model's logits or scores", "ngebm measure -logits L.csv -labels y.csv -ood noise=N.csv", measure},
		{"predict", "decide about images or rows with a run: a class, a set of classes, or a refusal", "ngebm predict runs/digits-0123456789ab image.png", predictFiles},
		{"serve", "answer HTTP requests with a run's decisions", "ngebm serve runs/digits-0123456789ab", serveRun},
		{"export", "write a trained run as ONNX, or its weights for PyTorch", "ngebm export runs/digits-0123456789ab -onnx digits.onnx", export},
		{"bench", "time training, evaluation and an attack, optionally against PyTorch or JAX", "ngebm bench -model wrn-10-2 -batch 64 -compare torch", benchmark},
		{"devices", "list the devices that XLA finds, and the plugins that it uses", "ngebm devices", devices},
	}
}

func main() {
	ctx, stop := environment.Interruptible(context.Background())
	defer stop()
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errRefused):
		os.Exit(refusedStatus)
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(130) // as a shell reports SIGINT
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" || args[0] == "help" {
		usage(stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdout)
		}
	}
	usage(os.Stderr)
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return fmt.Errorf("ngebm: unknown command %q%s", args[0], nearest.Hint(args[0], names))
}

func usage(w io.Writer) {
	fmt.Fprint(w, "ngebm trains and evaluates energy-based classifiers.\n\nusage: ngebm COMMAND [flags]; ngebm COMMAND -h explains the flags\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n             %s\n", c.name, c.about, c.example)
	}
}

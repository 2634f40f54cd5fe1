// Command ngebm trains and measures non-generative energy-based models from the
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

// verb is one thing that the command does.
type verb struct {
	name, about, example string
	run                  func(ctx context.Context, args []string, stdout io.Writer) error
}

func verbs() []verb {
	return []verb{
		{"train", "train a configuration, go on with it, or load it if it is done", "ngebm train -preset digits -set beta=.1,gamma=.1", train},
		{"sweep", "choose settings: train a grid of them with several seeds, and judge on validation data", "ngebm sweep -preset digits-few -grid 'beta=0,.01,.1;gamma=0,.01,.1' -seeds 1,2,3", sweep},
		{"experiment", "compare methods: train several with several seeds, measure all alike, write one file of results", "ngebm experiment -preset cifar10-cpu -seeds 101,202,303 -o results.json", runExperiment},
		{"fetch", "get data sets, or list what there is to get", "ngebm fetch svhn", fetchSets},
		{"measure", "calibration and out-of-distribution figures of anyone's logits or scores", "ngebm measure -logits L.csv -labels y.csv -ood noise=N.csv", measure},
		{"bench", "time steps, evaluation and an attack, and PyTorch or JAX beside them", "ngebm bench -net wrn-10-2 -batch 64 -peer torch", benchmark},
		{"devices", "say what XLA finds to run on, and where it comes from", "ngebm devices", devices},
	}
}

func main() {
	ctx, stop := environment.Interruptible(context.Background())
	defer stop()
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
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
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(ctx, args[1:], stdout)
		}
	}
	usage(os.Stderr)
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return fmt.Errorf("ngebm: there is no verb %q%s", args[0], nearest.Hint(args[0], names))
}

func usage(w io.Writer) {
	fmt.Fprint(w, "ngebm trains and measures energy-based classifiers.\n\nusage: ngebm VERB [flags]; ngebm VERB -h explains the flags\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-10s %s\n             %s\n", v.name, v.about, v.example)
	}
}

package serve_test

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"ngebm/ngebm/device"
	"ngebm/ngebm/serve"
)

// A service of the run in a folder, with the predictor that is stored there. SIGTERM and Ctrl-C stop it
// after all accepted requests are answered.
func Example() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dev, err := device.Open("", nil) // CUDA, else CPU, else pure Go
	check(err)
	handler, err := serve.Load(ctx, dev.Backend, flag.Arg(0), serve.Options{}) // "ngebm predict RUN" has stored its predictor
	check(err)
	check(serve.ListenAndServe(ctx, "127.0.0.1:8080", handler))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

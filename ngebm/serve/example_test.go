package serve_test

import (
	"context"
	"log"
	"net/http"
	"os"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/serve"
)

// A service of the run in a folder, with the predictor that is stored there.
func ExampleOpen() {
	dev, err := device.Open("", nil) // CUDA, else CPU, else pure Go
	if err != nil {
		log.Fatal(err)
	}
	run, err := ngebm.Load(context.Background(), dev.Backend, os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	handler, err := serve.Open(run, serve.Options{})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", handler))
}

package serve_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"context"

	"golang.org/x/sync/errgroup"

	"ngebm/data"
	"ngebm/data/testdisk"
	"ngebm/ngebm"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/serve"
	"ngebm/ngebm/train"
)

func TestMain(m *testing.M) { os.Exit(testdevice.RunFast(m)) }

// trained is a run after one epoch, and its predictor.
func trained(t *testing.T, set, net string, limit, validation int) (*ngebm.Run, *predict.Predictor) {
	t.Helper()
	cfg := ngebm.DefaultConfig(set, net)
	cfg.Limit, cfg.Validation, cfg.Epochs, cfg.LearningRate = limit, validation, 1, 1e-3
	run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	p, err := predict.Fit(t.Context(), run, predict.Options{Sets: conformal.Options{Alpha: .2}, FalseAlarms: .1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return run, p
}

// started serves a run until the test ends.
func started(t *testing.T, run *ngebm.Run, p *predict.Predictor) (address string) {
	t.Helper()
	h, err := serve.ForRun(run, p, serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve.Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// files are a dataset's images as PNG.
func files(t *testing.T, d *data.Dataset, n int) [][]byte {
	t.Helper()
	var all [][]byte
	for i := range min(n, d.Len()) {
		height, width, channels := d.Shape[0], d.Shape[1], d.Shape[2]
		img := image.NewNRGBA(image.Rect(0, 0, width, height))
		for j := range height * width {
			for k := range 3 {
				img.Pix[4*j+k] = uint8(int(d.Pixels[i*d.Size()+j*channels+k%channels]) * 255 / int(d.MaxPixel))
			}
			img.Pix[4*j+3] = 255
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		all = append(all, b.Bytes())
	}
	return all
}

const goroutines = 64

// load posts n files in all from many goroutines, and returns how long each took. Any answer but a
// decision is an error.
func load(t *testing.T, address string, files [][]byte, n int) []time.Duration {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: goroutines}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, n)
	var g errgroup.Group
	for first := range goroutines {
		g.Go(func() error {
			for i := first; i < n; i += goroutines {
				began := time.Now()
				r, err := client.Post(address+"/predict", "image/png", bytes.NewReader(files[i%len(files)]))
				if err != nil {
					return err
				}
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || r.StatusCode != http.StatusOK || !bytes.HasPrefix(body, []byte(`{"decisions":[{"class":`)) {
					return fmt.Errorf("status %d: %s (%v)", r.StatusCode, body, err)
				}
				took[i] = time.Since(began)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	return took
}

// memory is the heap in use and what the process has in memory, in MB.
func memory(t *testing.T) (heap, resident float64) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if status, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, pages float64
		fmt.Sscan(string(status), &size, &pages)
		resident = pages * float64(os.Getpagesize()) / 1e6
	}
	return float64(m.HeapAlloc) / 1e6, resident
}

// Many clients at the same time: no error, flat memory, and as many inputs a second as the classifier
// itself does in batches of 128, but for a fifth. The share counts with a network of some size, and is
// printed for one so small that HTTP takes most of the time.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("long: it trains")
	}
	for _, c := range []struct {
		set, net  string
		few, full int
		share     float64
	}{
		{"digits", "convnet", 640, 20_000, 0},
		{"digits@32x32x3", "wrn-10-2", 0, 20_000, .8},
	} {
		t.Run(c.net, func(t *testing.T) {
			n := testdisk.Times(c.few, c.full)
			if n == 0 {
				t.Skip("long: NGEBM_LONG=1 runs it")
			}
			run, p := trained(t, c.set, c.net, 400, 200)
			address := started(t, run, p)
			images := files(t, run.Test, 256)
			load(t, address, images, n/10) // all is compiled, all connections were open once
			heap, resident := memory(t)
			var took []time.Duration
			var served, alone time.Duration
			const rounds = 5
			for range rounds { // by turns, since others use the machine as well
				began := time.Now()
				took = append(took, load(t, address, images, n/rounds)...)
				served += time.Since(began)
				alone += classify(t, run, n/rounds)
			}
			heapAfter, residentAfter := memory(t)
			slices.Sort(took)
			share := float64(alone) / float64(served)
			t.Logf("%s, %d requests from %d goroutines: %.0f a second, p50 %v, p99 %v; %.2f of the classifier's %.0f", c.net, n, goroutines,
				float64(n)/served.Seconds(), took[len(took)/2].Round(100*time.Microsecond), took[len(took)*99/100].Round(100*time.Microsecond), share, float64(n)/alone.Seconds())
			t.Logf("heap %.0f MB before and %.0f MB after, in memory %.0f and %.0f MB", heap, heapAfter, resident, residentAfter)
			if heapAfter > heap+20 || residentAfter > 1.2*resident+50 {
				t.Error("the memory grows")
			}
			if share < c.share {
				t.Errorf("the service computes %.2f of what the classifier does, want %.2f", share, c.share)
			}
			metrics := get(t, address+"/metrics")
			for line := range strings.Lines(metrics) {
				if strings.HasPrefix(line, "ngebm_batch_inputs_sum") || strings.HasPrefix(line, "ngebm_batch_inputs_count") || strings.HasPrefix(line, "ngebm_requests_total") {
					t.Log(strings.TrimSpace(line))
				}
			}
			if strings.Contains(metrics, `code="5`) || strings.Contains(metrics, `code="4`) {
				t.Errorf("some requests failed:\n%s", metrics)
			}
		})
	}
}

// classify is how long the classifier takes for n examples in batches of 128.
func classify(t *testing.T, run *ngebm.Run, n int) time.Duration {
	t.Helper()
	size := run.Test.Size()
	batch := make([]float32, 128*size)
	for i := range 128 {
		run.Test.Example(i%run.Test.Len(), batch[i*size:(i+1)*size])
	}
	began := time.Now()
	for done := 0; done < n; done += 128 {
		if _, err := run.Classifier.LogitsAt(t.Context(), batch[:min(128, n-done)*size]); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

func get(t *testing.T, address string) string {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

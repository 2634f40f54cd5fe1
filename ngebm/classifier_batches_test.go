package ngebm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/floats"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// Every example is in one batch, in order, and fewer than 8 places of a batch are unused where
// the set does not fill the largest.
func TestCut(t *testing.T) {
	for _, test := range []struct {
		batch, n int
		sizes    []int
	}{
		{128, 1, []int{1}},
		{128, 4, []int{1, 1, 1, 1}},
		{128, 5, []int{8}},
		{128, 9, []int{8, 8}},
		{128, 25, []int{32}},
		{128, 40, []int{32, 8}},
		{128, 100, []int{32, 32, 32, 8}},
		{128, 121, []int{128}},
		{128, 300, []int{128, 128, 128}}, // as sets are evaluated in training
		{60, 50, []int{32, 8, 8, 8}},
		{60, 57, []int{60}},
		{20, 9, []int{8, 8}},
		{20, 17, []int{20}},
		{8, 5, []int{8}},
		{2, 1, []int{1}}, // where memory allows no more than two
		{2, 3, []int{2, 2}},
		{1, 3, []int{1, 1, 1}},
		{128, 0, nil},
	} {
		spans := (&Classifier{batch: test.batch}).cut(test.n)
		var sizes []int
		next := 0
		for _, s := range spans {
			sizes = append(sizes, s.size)
			if s.start != next || s.count < 1 || s.count > s.size {
				t.Errorf("%d of %d: batch %+v, want one from %d on", test.n, test.batch, s, next)
			}
			next += s.count
		}
		if next != test.n || !slices.Equal(sizes, test.sizes) {
			t.Errorf("%d of %d: %d in %v, want %v", test.n, test.batch, next, sizes, test.sizes)
		}
	}
}

// random returns a classifier with random weights, and n inputs.
func random(t testing.TB, kind, net string, shape []int, n int) (*Classifier, []float32) {
	t.Helper()
	network, err := nets.Parse(net)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewClassifier(testdevice.Open(t, kind), network, 1, shape, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n*nets.Size(shape))
	for i := range x {
		x[i] = 2*rng.Float32() - 1
	}
	return c, x
}

// The logits and norms of an input do not depend on the batch that it is computed in, up to
// rounding: alone, in 8, 32 or 128.
func TestLogitsByBatchSize(t *testing.T) {
	const n, most = 128, 1e-6
	for _, kind := range []string{"cpu", "go"} {
		t.Run(kind, func(t *testing.T) {
			c, x := random(t, kind, "convnet", []int{8, 8, 1}, n)
			defer c.Close()
			want, norms, err := c.GradientNormsAt(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{1, 8, 32} {
				differ, largest := 0, 0.
				for start := 0; start < n; start += size {
					got, norm, err := c.GradientNormsAt(t.Context(), x[start*64:(start+size)*64])
					if err != nil || len(got) != size || len(norm) != size {
						t.Fatalf("%d inputs: %d logits, %d norms (%v)", size, len(got), len(norm), err)
					}
					for i := range got {
						if !slices.Equal(got[i], want[start+i]) || norm[i] != norms[start+i] {
							differ++
						}
						largest = max(largest, math.Abs(norm[i]-norms[start+i]), floats.Distance(got[i], want[start+i], math.Inf(1)))
					}
				}
				if t.Logf("batches of %d: %d of %d inputs differ from those in a batch of %d, by %.1e at most", size, differ, n, n, largest); largest > most {
					t.Errorf("batches of %d give other logits", size)
				}
			}
		})
	}
}

// Goroutines that ask for few inputs and many get what one gets that asks alone. A closed
// classifier finishes what runs and refuses the rest.
func TestManyGoroutines(t *testing.T) {
	for _, kind := range []string{"cpu", "go"} {
		t.Run(kind, func(t *testing.T) {
			counts := []int{1, 3, 6, 20, 130}
			c, x := random(t, kind, "mlp-16", []int{2}, counts[len(counts)-1])
			want := map[int][][]float64{}
			for _, n := range counts {
				f, err := c.LogitsAt(t.Context(), x[:2*n])
				if err != nil {
					t.Fatal(err)
				}
				want[n] = f
			}
			var clients sync.WaitGroup
			var served, refused atomic.Int64
			for i := range 8 {
				clients.Go(func() {
					for n := counts[i%len(counts)]; ; {
						f, err := c.LogitsAt(t.Context(), x[:2*n])
						if errors.Is(err, ErrClosed) {
							refused.Add(1)
							return
						}
						if err != nil || !slices.EqualFunc(f, want[n], slices.Equal) {
							t.Errorf("%d inputs: %v", n, err)
							return
						}
						if served.Add(1) == 200 {
							go c.Close()
						}
					}
				})
			}
			clients.Wait()
			c.Close() // again
			if _, _, err := c.GradientNormsAt(t.Context(), x); !errors.Is(err, ErrClosed) || fmt.Sprint(err) != "ngebm: the classifier was closed; load its run again" {
				t.Errorf("after closing: %v", err)
			}
			t.Logf("served %d requests, refused %d", served.Load(), refused.Load())
		})
	}
}

// Close waits for a call that runs, which finishes all of its batches.
func TestCloseWaits(t *testing.T) {
	c, _ := random(t, "go", "mlp-4", []int{2}, 0)
	started, closed := make(chan struct{}), make(chan struct{})
	go func() {
		<-started
		c.Close()
		close(closed)
	}()
	out, err := c.apply(t.Context(), c.forward, "examples", c.whole(300), func(i int, dst []float32) {
		if i == 0 {
			close(started)
		}
		select {
		case <-closed:
			t.Error("closed during a call")
		default:
		}
	}, nil)
	if err != nil || len(out[0]) != 300*3 {
		t.Errorf("%d logits: %v", len(out[0]), err)
	}
	<-closed
}

// closeAtOnce closes a classifier at the first report.
type closeAtOnce struct {
	c      *Classifier
	once   sync.Once
	closed chan struct{}
}

func (r *closeAtOnce) Report(progress.Report) {
	r.once.Do(func() {
		go func() {
			r.c.Close()
			close(r.closed)
		}()
		for refused := false; !refused; runtime.Gosched() {
			r.c.calls.mu.Lock()
			refused = r.c.calls.closed
			r.c.calls.mu.Unlock()
		}
	})
}

// Close waits for Sample, whose chains use the weights.
func TestCloseWaitsForSample(t *testing.T) {
	c, _ := random(t, "go", "mlp-4", []int{2}, 0)
	moons, _, err := data.Open(t.Context(), "moons:20", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reporter := &closeAtOnce{c: c, closed: make(chan struct{})}
	if _, err := c.Sample(t.Context(), moons, Sampling{Count: 3, Steps: 4, Every: 1, Progress: reporter}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	<-reporter.closed
}

// A call ends with its context.
func TestPredictionsEndWithTheirContext(t *testing.T) {
	c, x := random(t, "go", "mlp-4", []int{2}, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := c.LogitsAt(ctx, x); !errors.Is(err, context.Canceled) || f != nil {
		t.Errorf("%v, %v", f, err)
	}
}

// The time of one request, and its memory: go test -bench OneImage -benchmem.
func BenchmarkOneImage(b *testing.B) {
	c, x := random(b, "cpu", "wrn-10-2", []int{32, 32, 3}, 1)
	if _, err := c.LogitsAt(b.Context(), x); err != nil { // compiles
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.LogitsAt(b.Context(), x); err != nil {
			b.Fatal(err)
		}
	}
}

package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"ngebm/ngebm"
)

// Requests of many goroutines are predicted together, each gets its own answers, and no batch is larger
// than allowed.
func TestBatches(t *testing.T) {
	e := &echo{}
	h := newHandler(t, e, func(o *Options) { o.Delay, o.MaxWaiting = 20*time.Millisecond, 120 })
	var g errgroup.Group
	for i := range 40 {
		g.Go(func() error {
			body := fmt.Appendf(nil, `{"inputs":[[%g,0,0,0],[%g,0,0,0],[%g,0,0,0]]}`, float64(i)/1000, float64(i+100)/1000, float64(i+200)/1000)
			got, err := labels(post(h, "application/json", body))
			if want := []int{i, i + 100, i + 200}; err != nil || !slices.Equal(got, want) {
				return fmt.Errorf("the labels are %v (%w), want %v", got, err, want)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	total, largest := 0, 0
	for _, n := range e.batches {
		total, largest = total+n, max(largest, n)
	}
	if total != 120 || largest > 8 || largest < 6 {
		t.Errorf("the batches are %v, want all of 120 inputs, and some of two requests", e.batches)
	}
}

// A predictor that has just answered three inputs waits for three more, but not for ever.
func TestWaitsForThoseJustAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		patience time.Duration
		jobs     int
	}{"as many": {time.Hour, 3}, "fewer": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			b := &batcher{largest: 8, most: 8, wake: make(chan struct{}, 1), expected: 3, until: time.Now().Add(c.patience)}
			taken := make(chan int)
			go func() { b.ready(); taken <- len(b.take()) }()
			for range c.jobs {
				if err := b.add(&job{ctx: t.Context(), inputs: make([][]float32, 1)}); err != nil {
					t.Fatal(err)
				}
			}
			if n := <-taken; n != c.jobs {
				t.Errorf("%d jobs are in a batch, want %d", n, c.jobs)
			}
		})
	}
}

// slow is a predictor that takes 10 ms for each input.
type slow struct{}

func (slow) Predict(_ context.Context, inputs [][]float32) ([]Decision, error) {
	time.Sleep(time.Duration(len(inputs)) * 10 * time.Millisecond)
	return make([]Decision, len(inputs)), nil
}

// A client alone does not wait for others, whatever the size of its requests; two clients that wait for
// their answers are soon predicted together. The time is synctest's, and exact.
func TestAloneWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches []int
		b := newBatcher(slow{}, Options{MaxBatch: 64, MaxWaiting: 128, Timeout: time.Minute}, func(inputs int) { batches = append(batches, inputs) })
		ask := func(inputs int) time.Duration {
			began := time.Now()
			if _, err := b.predict(t.Context(), make([][]float32, inputs)); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		for _, inputs := range []int{32, 1, 2, 1, 64, 1} {
			if took, want := ask(inputs), time.Duration(inputs)*10*time.Millisecond; took != want {
				t.Errorf("%d inputs took %v, want %v", inputs, took, want)
			}
		}
		batches = nil
		var clients sync.WaitGroup
		for range 2 {
			clients.Go(func() {
				for range 4 {
					ask(2)
				}
			})
		}
		clients.Wait()
		if len(batches) > 5 { // of 2, 4, 4, 4 and 2 inputs, or four of 4
			t.Errorf("two clients have the batches %v", batches)
		}
		if err := b.close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An input that the predictor fails on does not fail the requests that it was gathered with, and what
// the predictor says stays in the log.
func TestErrorsAreOfOneRequest(t *testing.T) {
	var log bytes.Buffer
	for name, fails := range map[string]func(){"error": func() {}, "panic": func() { panic("no such layer") }} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			e := &echo{err: func(inputs [][]float32) error {
				for _, x := range inputs {
					if x[0] == 1 {
						fails()
						return errors.New("logit is NaN in /home/me/runs")
					}
				}
				return nil
			}}
			h := newHandler(t, e, func(o *Options) {
				o.Delay, o.Logger = 20*time.Millisecond, slog.New(slog.NewJSONHandler(&log, nil))
			})
			var g errgroup.Group
			for i := range 4 {
				g.Go(func() error {
					w := post(h, "application/json", fmt.Appendf(nil, `{"inputs":[[%d,0,0,0]]}`, i%2))
					if want := []int{200, 500}[i%2]; w.Code != want || strings.Contains(w.Body.String(), "home") {
						return fmt.Errorf("status %d: %s, want %d", w.Code, w.Body, want)
					}
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
			if text := log.String(); !strings.Contains(text, "logit is NaN") && !strings.Contains(text, "no such layer") {
				t.Errorf("the log is %s", text)
			}
		})
	}
}

// An input that the network cannot take is its client's error, and found among many in a few batches.
func TestInputTooFarAway(t *testing.T) {
	var calls atomic.Int64
	e := &echo{err: func(inputs [][]float32) error {
		calls.Add(1)
		for _, x := range inputs {
			if x[0] == 1 {
				return fmt.Errorf("predict: logit 0 is +Inf; %w", ngebm.ErrNotFinite)
			}
		}
		return nil
	}}
	h := newHandler(t, e, func(o *Options) { o.Delay = 200 * time.Millisecond })
	var g errgroup.Group
	for i := range 64 {
		g.Go(func() error {
			w := post(h, "application/json", fmt.Appendf(nil, `{"inputs":[[%d,0,0,0]]}`, i/63))
			if want := []int{200, 422}[i/63]; w.Code != want || want == 422 && !strings.Contains(w.Body.String(), "too far from the training data") {
				return fmt.Errorf("status %d: %s, want %d", w.Code, w.Body, want)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if n := calls.Load(); n > 40 { // 13 if all are one batch
		t.Errorf("%d batches for 64 requests", n)
	}
}

// Beyond its bounds a service refuses at once, and works again once there is room.
func TestBackPressure(t *testing.T) {
	input := []byte(`{"inputs":[[0,0,0,0],[0,0,0,0],[0,0,0,0],[0,0,0,0]]}`)
	for name, c := range map[string]struct {
		change func(*Options)
		fits   int
		want   string
	}{
		"inputs that wait":   {func(o *Options) { o.MaxWaiting = 8 }, 3, "more than 8 inputs wait or are read; send it again later"},
		"requests in flight": {func(o *Options) { o.MaxRequests = 2 }, 2, "too many requests at the same time"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &echo{block: make(chan struct{})}
			h := newHandler(t, e, func(o *Options) { o.MaxBatch = 4; c.change(o) })
			var g errgroup.Group
			for i := range c.fits {
				g.Go(func() error { _, err := labels(post(h, "application/json", input)); return err })
				waitFor(t, func() bool {
					e.mu.Lock()
					defer e.mu.Unlock()
					return len(e.batches) == 1 && h.batches.length() == 4*i
				})
			}
			wantError(t, post(h, "application/json", input), 503, c.want)
			wantError(t, post(h, "image/png", []byte("no image: it is not decoded")), 503, c.want)
			close(e.block)
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
			if _, err := labels(post(h, "application/json", input)); err != nil {
				t.Error(err)
			}
		})
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("it does not happen")
		}
	}
}

func TestTimeout(t *testing.T) {
	e := &echo{block: make(chan struct{})}
	h := newHandler(t, e, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	wantError(t, post(h, "", square(t, 1)), 503, "no decision within 50ms")
	close(e.block)
}

// late is a predictor that takes longer than anybody waits.
type late struct{ calls atomic.Int64 }

func (l *late) Predict(ctx context.Context, _ [][]float32) ([]Decision, error) {
	l.calls.Add(1)
	<-ctx.Done()
	return nil, fmt.Errorf("late: %w", ctx.Err())
}

// What nobody waits for any more is not predicted again, in halves.
func TestTimeoutOfABatch(t *testing.T) {
	l := &late{}
	h := newHandler(t, l, func(o *Options) { o.Delay, o.Timeout = 50*time.Millisecond, 200*time.Millisecond })
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			if w := post(h, "application/json", []byte(`{"inputs":[[0,0,0,0]]}`)); w.Code != 503 {
				return fmt.Errorf("status %d: %s", w.Code, w.Body)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := l.calls.Load(); n > 4 { // 1 if all are one batch, 15 with halves
		t.Errorf("%d batches for 8 requests", n)
	}
}

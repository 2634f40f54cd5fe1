package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"ngebm/data"
	"ngebm/data/tabular"
)

// Predictor decides on inputs, each the values of one example, flat, in the network's units. It
// returns one decision for each, in order. It is called by one goroutine at a time.
type Predictor interface {
	Predict(ctx context.Context, inputs [][]float32) ([]Decision, error)
}

// Options configures [New].
type Options struct {
	// Shape is that of one input: [height, width, channels] of images, [n] of n numbers.
	Shape []int
	// Fit is how image files become inputs, as in training; see [data.FitOf]. "" takes numbers only.
	Fit data.Fit
	// Encoder makes inputs of the rows of a table; see [ngebm/ngebm.Classifier]. With it, requests have
	// {"rows": [{"column": value, …}, …]}. Nil takes images and numbers.
	Encoder *tabular.Encoder
	// MaxBatch is the most inputs that are predicted together, and the most of one request,
	// at most 4096. 0 is 128.
	MaxBatch int
	// Delay is how long an input waits for others before its batch is predicted. With 0 inputs gather while
	// the predictor is busy, and for at most a quarter of that time after it has answered several.
	Delay time.Duration
	// MaxWaiting is the most inputs that wait for the predictor; 503 beyond. 0 is 8·MaxBatch. With those that
	// are decoded or predicted there are at most MaxBatch more.
	MaxWaiting int
	// MaxRequests is the most requests to predict that are decoded or wait for their answer at the same
	// time, and also of those whose answer is being sent; 503 beyond. Those whose body has not yet come do not
	// count. 0 is 256.
	MaxRequests int
	// MaxBody is the most bytes of a request's body; 413 beyond. 0 is 16 MiB.
	MaxBody int64
	// Timeout is how long a request may take once its header is read; 503 after that. 0 is 30 s.
	Timeout time.Duration
	// Hosts are the names, without port, that the Host header may have, so that a web page cannot
	// reach a local service by another name (DNS rebinding). Nil allows any, as behind a proxy.
	Hosts []string
	// Logger receives one record a request, and one for each error of the predictor. Nil logs nothing.
	Logger *slog.Logger
}

// The defaults of [Options], and bounds that are not options.
const (
	defaultBatch    = 128
	defaultRequests = 256
	defaultBody     = 16 << 20
	defaultTimeout  = 30 * time.Second
	maxBatch        = 4096
	stallTime       = 5 * time.Second // or Options.Timeout, if that is less
	maxBodies       = 256 << 20       // bytes of all bodies that are read at the same time
)

func (o Options) withDefaults() (Options, error) {
	if o.MaxBatch == 0 {
		o.MaxBatch = defaultBatch
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 8 * o.MaxBatch
	}
	if o.MaxRequests == 0 {
		o.MaxRequests = defaultRequests
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultBody
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(o.Shape) == 0 || slices.Min(o.Shape) < 1:
		return o, fmt.Errorf("serve: the shape of an input is %v; give that of the classifier", o.Shape)
	case o.Encoder != nil && o.Fit != "":
		return o, fmt.Errorf("serve: fit %q is for images, and the inputs are rows of a table; leave it out", o.Fit)
	case o.Encoder != nil && (len(o.Shape) != 1 || o.Shape[0] != o.Encoder.Size()):
		return o, fmt.Errorf("serve: the encoder makes %d inputs, but the shape is %v; give those of one classifier", o.Encoder.Size(), o.Shape)
	case o.MaxBatch < 1 || o.MaxBatch > maxBatch:
		return o, fmt.Errorf("serve: MaxBatch is %d; give 1 to %d inputs", o.MaxBatch, maxBatch)
	case o.MaxWaiting < o.MaxBatch || o.MaxRequests < 1:
		return o, fmt.Errorf("serve: MaxWaiting is %d and MaxRequests %d; give positive numbers, and room for a batch to wait", o.MaxWaiting, o.MaxRequests)
	case o.MaxBody < 1 || o.MaxBody > maxBodies:
		return o, fmt.Errorf("serve: MaxBody is %d; give 1 to %d bytes", o.MaxBody, maxBodies)
	case o.Delay < 0 || o.Timeout < 0:
		return o, fmt.Errorf("serve: Delay is %v and Timeout %v; give positive times, or 0", o.Delay, o.Timeout)
	case o.Delay >= o.Timeout:
		return o, fmt.Errorf("serve: Delay is %v and Timeout %v: requests would be given up before their batch is predicted; give a shorter delay", o.Delay, o.Timeout)
	}
	return o, nil
}

// Handler answers requests; see the package. Close it after the server that uses it.
type Handler struct {
	options  Options
	images   *data.ImageDecoder // nil if files are not taken
	columns  map[string]bool    // of rows, where there is an encoder
	batches  *batcher
	metrics  *metrics
	requests *semaphore.Weighted
	answers  *semaphore.Weighted // that are being sent
	bodies   *semaphore.Weighted // bytes
	inputs   *semaphore.Weighted // that are decoded, wait or are predicted
	origins  *http.CrossOriginProtection
	mux      *http.ServeMux
	draining atomic.Bool
	stall    time.Duration // without a byte of a body, until the client is given up
	free     func()        // what Load opened; nil if that is the caller's
	freed    sync.Once
}

// New returns a handler that serves a predictor.
func New(p Predictor, o Options) (*Handler, error) {
	if p == nil {
		return nil, errors.New("serve: the predictor is nil")
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Handler{
		options: o, requests: semaphore.NewWeighted(int64(o.MaxRequests)), answers: semaphore.NewWeighted(int64(o.MaxRequests)), bodies: semaphore.NewWeighted(maxBodies),
		inputs:  semaphore.NewWeighted(int64(o.MaxWaiting + o.MaxBatch)),
		origins: http.NewCrossOriginProtection(), mux: http.NewServeMux(), stall: min(stallTime, o.Timeout),
	}
	if o.Fit != "" {
		if h.images, err = data.NewImageDecoder(o.Shape, o.Fit); err != nil {
			return nil, err
		}
	}
	if o.Encoder != nil {
		h.columns = map[string]bool{}
		for _, c := range o.Encoder.Columns {
			h.columns[c.Name] = true
		}
	}
	h.metrics = newMetrics(func() float64 { return float64(h.batches.length()) })
	h.batches = newBatcher(p, o, func(inputs int) { h.metrics.batches.Observe(float64(inputs)) })
	h.mux.HandleFunc("POST /predict", h.predict)
	h.mux.HandleFunc("GET /healthz", h.health)
	h.mux.Handle("GET /metrics", h.metrics.handler())
	return h, nil
}

// Warm predicts batches of zeros, of 1, 2, 4 … inputs, so that what is compiled when it is first needed
// does not keep a client waiting. Call it before the first request.
func (h *Handler) Warm(ctx context.Context) error {
	for n := 1; ; n = min(2*n, h.options.MaxBatch) {
		inputs := make([][]float32, n)
		for i := range inputs {
			inputs[i] = make([]float32, h.size())
		}
		// Without the batches' time limit, which is not for compiling.
		if _, err := safely(ctx, h.batches.predictor, inputs); err != nil {
			return fmt.Errorf("serve: a batch of %d: %w", n, err)
		}
		if n == h.options.MaxBatch {
			return nil
		}
	}
}

// Options returns the options with their defaults filled in.
func (h *Handler) Options() Options { return h.options }

// Close refuses further predictions, waits for those that were accepted, until ctx ends, and frees what
// [Load] opened.
func (h *Handler) Close(ctx context.Context) error {
	h.draining.Store(true)
	if err := h.batches.close(ctx); err != nil {
		return fmt.Errorf("serve: the predictor has not finished: %w", err)
	}
	if h.free != nil {
		h.freed.Do(h.free)
	}
	return nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	answer := &recorder{ResponseWriter: w}
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		w.Header().Set(name, value)
	}
	if h.draining.Load() {
		w.Header().Set("Connection", "close") // the client's next request needs another server
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			h.options.Logger.Error("panic", "what", fmt.Sprint(panicked), "stack", string(debug.Stack()))
			fail(answer, &requestError{http.StatusInternalServerError, "internal error; the log has more"})
		}
		h.metrics.observe(r, answer.status, time.Since(began))
		h.options.Logger.Info("request", "method", r.Method, "path", r.URL.Path, "status", answer.status,
			"seconds", time.Since(began).Seconds(), "inputs", answer.inputs, "remote", r.RemoteAddr)
	}()
	if err := h.admit(answer, r); err != nil {
		fail(answer, err)
		return
	}
	h.mux.ServeHTTP(answer, r)
}

// admit refuses what no handler takes.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(strings.ToLower(host), "[]")
	if h.options.Hosts != nil && !slices.ContainsFunc(h.options.Hosts, func(known string) bool { return strings.EqualFold(known, host) }) {
		return &requestError{http.StatusForbidden, fmt.Sprintf("the host %.100q is not one of this service; use %s", host, strings.Join(h.options.Hosts, ", "))}
	}
	// As a POST, since Check lets every GET pass, and there is no page here that others could link to.
	asPost := &http.Request{Method: http.MethodPost, Header: r.Header, Host: r.Host}
	if err := h.origins.Check(asPost); err != nil {
		return &requestError{http.StatusForbidden, "a browser sent this for a page of another site; send it from a program"}
	}
	taken := map[string][]string{"/predict": {http.MethodPost}, "/healthz": {http.MethodGet, http.MethodHead}, "/metrics": {http.MethodGet, http.MethodHead}}
	methods, known := taken[r.URL.Path]
	switch {
	case !known:
		return &requestError{http.StatusNotFound, fmt.Sprintf("there is no %.100q; POST to /predict, or GET /healthz or /metrics", r.URL.Path)}
	case !slices.Contains(methods, r.Method):
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return &requestError{http.StatusMethodNotAllowed, fmt.Sprintf("%s takes %s, not %.20q", r.URL.Path, methods[0], r.Method)}
	}
	return nil
}

func (h *Handler) health(w http.ResponseWriter, _ *http.Request) {
	if h.draining.Load() {
		fail(w, &requestError{http.StatusServiceUnavailable, errClosed.Error()})
		return
	}
	write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// predict answers POST /predict.
func (h *Handler) predict(w http.ResponseWriter, r *http.Request) {
	h.metrics.inFlight.Inc()
	defer h.metrics.inFlight.Dec()
	decisions, err := h.decide(w, r)
	if err != nil {
		fail(w, err)
		return
	}
	if !h.answers.TryAcquire(1) {
		fail(w, errBusy)
		return
	}
	defer h.answers.Release(1)
	for _, d := range decisions {
		h.metrics.decided(d)
	}
	write(w, http.StatusOK, map[string][]Decision{"decisions": decisions})
}

// decide reads a request and decides about its inputs. When it returns, the request has no room for inputs
// any more: a client that does not read its answer has only that.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request) ([]Decision, error) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), h.options.Timeout, errTimeout)
	defer cancel()
	body, err := h.receive(w, r)
	defer body.release()
	if err != nil {
		return nil, h.explain(err)
	}
	if !h.requests.TryAcquire(1) {
		return nil, errBusy
	}
	defer h.requests.Release(1)
	room := inputRoom{of: h.inputs}
	defer room.release()
	inputs, err := h.read(ctx, r.Header.Get("Content-Type"), body, &room)
	if err != nil {
		return nil, h.explain(err)
	}
	if answer, ok := w.(*recorder); ok {
		answer.inputs = len(inputs)
	}
	decisions, err := h.batches.predict(ctx, inputs)
	if err != nil {
		return nil, h.explain(err)
	}
	return decisions, nil
}

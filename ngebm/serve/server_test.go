package serve

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// serving starts a server and returns its address, and what stops it and waits.
func serving(t *testing.T, h *Handler) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, h) }()
	return "http://" + l.Addr().String(), func() error {
		cancel()
		return <-ended
	}
}

// lateListener takes a moment to say that it is closed, as on a busy machine.
type lateListener struct{ net.Listener }

func (l lateListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		time.Sleep(50 * time.Millisecond)
	}
	return conn, err
}

// Where the program is stopped before it serves, what it opened is freed all the same.
func TestStopBeforeServing(t *testing.T) {
	h := newHandler(t, &counting{}, nil)
	freed := false
	h.free = func() { freed = true }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := ListenAndServe(ctx, "127.0.0.1:0", h)
	if !freed || err != nil && strings.Contains(err.Error(), "has not finished") {
		t.Errorf("freed: %v; %v", freed, err)
	}
}

func TestShutdownWithoutRequestsIsNoError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	h := newHandler(t, &counting{}, nil)
	go func() { ended <- Serve(ctx, lateListener{l}, h) }()
	r, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// counting counts the requests that reach a predictor, which takes a moment for each batch.
type counting struct {
	echo
	inputs atomic.Int64
}

func (c *counting) Predict(ctx context.Context, inputs [][]float32) ([]Decision, error) {
	time.Sleep(2 * time.Millisecond)
	c.inputs.Add(int64(len(inputs)))
	return c.echo.Predict(ctx, inputs)
}

// In mid-load the service stops: each request that was accepted has its answer. A client may find the
// listener closed, or, rarely, its idle connection.
func TestShutdownAnswersWhatWasAccepted(t *testing.T) {
	p := &counting{}
	h := newHandler(t, p, nil)
	address, stop := serving(t, h)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	var answered, refused atomic.Int64
	var g errgroup.Group
	for range 16 {
		g.Go(func() error {
			for {
				r, err := client.Post(address+"/predict", "application/json", strings.NewReader(`{"inputs":[[0,0,0,0]]}`))
				if err != nil {
					t.Log(err)
					return nil
				}
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				switch {
				case err != nil:
					return err
				case r.StatusCode == http.StatusOK && bytes.Contains(body, []byte(`"label":0`)):
					answered.Add(1)
				case r.StatusCode == http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					return fmt.Errorf("status %d: %s", r.StatusCode, body)
				}
			}
		})
	}
	waitFor(t, func() bool { return answered.Load() > 100 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if answered.Load() != p.inputs.Load() || refused.Load() > 0 {
		t.Errorf("%d requests reached the predictor, %d were answered, %d refused", p.inputs.Load(), answered.Load(), refused.Load())
	}
	t.Logf("%d answered", answered.Load())
}

// While a service drains, /healthz fails, so that a proxy sends no more, and a request is still answered.
func TestDraining(t *testing.T) {
	e := &echo{block: make(chan struct{})}
	h := newHandler(t, e, nil)
	address, stop := serving(t, h)
	var g errgroup.Group
	g.Go(func() error {
		r, err := http.Post(address+"/predict", "application/json", strings.NewReader(`{"inputs":[[0,0,0,0]]}`))
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", r.StatusCode)
		}
		return nil
	})
	waitFor(t, func() bool { e.mu.Lock(); defer e.mu.Unlock(); return len(e.batches) == 1 })
	g.Go(stop)
	waitFor(t, h.draining.Load)
	r, err := http.Get(address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusServiceUnavailable || !r.Close {
		t.Errorf("status %d, and the connection is closed: %v", r.StatusCode, r.Close)
	}
	time.Sleep(drainTime) // until the listener is closed
	close(e.block)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// A predictor that does not return cannot keep the service from ending.
func TestShutdownGivesUp(t *testing.T) {
	e := &echo{block: make(chan struct{})}
	h := newHandler(t, e, func(o *Options) { o.Timeout = 500 * time.Millisecond })
	address, stop := serving(t, h)
	r, err := http.Post(address+"/predict", "application/json", strings.NewReader(`{"inputs":[[0,0,0,0]]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.StatusCode)
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "not answered in time and are lost") {
		t.Errorf("the error is %v", err)
	}
	close(e.block)
}

// A client that sends its body slowly is refused after the time-out, and holds nothing after that.
func TestSlowBody(t *testing.T) {
	h := newHandler(t, &echo{}, func(o *Options) { o.Timeout = 500 * time.Millisecond })
	address, stop := serving(t, h)
	c, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusRequestTimeout || !bytes.Contains(body, []byte("the body did not come in time")) {
		t.Errorf("status %d: %s", r.StatusCode, body)
	}
	if !h.bodies.TryAcquire(maxBodies) {
		t.Error("its body keeps room")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A client that sends nothing more is given up before the time-out.
func TestStalledBody(t *testing.T) {
	h := newHandler(t, &echo{}, nil)
	h.stall = 100 * time.Millisecond
	address, stop := serving(t, h)
	c, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	began := time.Now()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); r.StatusCode != http.StatusRequestTimeout || took > h.options.Timeout/2 {
		t.Errorf("status %d after %v", r.StatusCode, took)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A prediction that takes longer than the stall of a body is answered: the deadline is that of reading.
func TestSlowPrediction(t *testing.T) {
	e := &echo{block: make(chan struct{})}
	h := newHandler(t, e, nil)
	h.stall = 50 * time.Millisecond
	address, stop := serving(t, h)
	time.AfterFunc(300*time.Millisecond, func() { close(e.block) })
	r, err := http.Post(address+"/predict", "application/json", strings.NewReader(`{"inputs":[[0,0,0,0]]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("status %d", r.StatusCode)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Bodies that are announced and do not come leave room for others, also among the requests in flight; what
// has come takes room.
func TestSilentClientsKeepNobodyOut(t *testing.T) {
	h := newHandler(t, &echo{}, func(o *Options) { o.MaxBody, o.MaxRequests = maxBodies, 1 })
	address, stop := serving(t, h)
	var silent []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, c)
		fmt.Fprintf(c, "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", maxBodies)
	}
	for began := time.Now(); !strings.Contains(metricsOf(h), "\nngebm_requests_in_flight 3\n"); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal(metricsOf(h))
		}
	}
	image := square(t, 1)
	wantLabels(t, post(h, "", image), -992)
	if !h.bodies.TryAcquire(maxBodies - 10) {
		t.Fatal("bodies that have not come keep room")
	}
	wantError(t, post(h, "", image), 503, "too many requests")
	wantError(t, post(h, "application/json", []byte(`{"inputs":[[0,0,0,0]]}`)), 503, "too many requests")
	h.bodies.Release(maxBodies - 10)
	for _, c := range silent {
		c.Close()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func metricsOf(h *Handler) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestServeReportsTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l, newHandler(t, &echo{}, nil)); err == nil || !strings.Contains(err.Error(), "use of closed network connection") {
		t.Errorf("the error is %v", err)
	}
}

// noReader is a client that does not take its answer.
type noReader struct {
	http.ResponseWriter
	writing, read chan struct{}
}

func (u noReader) Write(p []byte) (int, error) {
	close(u.writing)
	<-u.read
	return len(p), nil
}

// A client that does not read its answer holds no room.
func TestUnreadAnswer(t *testing.T) {
	h := newHandler(t, &echo{}, func(o *Options) { o.MaxRequests, o.MaxBatch, o.MaxWaiting = 2, 1, 1 })
	client := noReader{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		r := httptest.NewRequest(http.MethodPost, "/predict", strings.NewReader(`{"inputs":[[0,0,0,1]]}`))
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(client, r)
	}()
	<-client.writing
	if w := post(h, "application/json", []byte(`{"inputs":[[0,0,0,1]]}`)); w.Code != http.StatusOK {
		t.Errorf("while an answer is not read, another request gives %d: %s", w.Code, w.Body)
	}
	close(client.read)
	<-answered
}

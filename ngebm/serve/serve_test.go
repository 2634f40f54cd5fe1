package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ngebm/data"
)

// echo decides on each input by its first value, as a label of thousandths.
type echo struct {
	mu      sync.Mutex
	batches []int
	block   chan struct{} // if not nil, each batch waits until it is closed
	err     func(inputs [][]float32) error
}

func (e *echo) Predict(ctx context.Context, inputs [][]float32) ([]Decision, error) {
	e.mu.Lock()
	e.batches = append(e.batches, len(inputs))
	e.mu.Unlock()
	if e.block != nil {
		<-e.block
	}
	if e.err != nil {
		if err := e.err(inputs); err != nil {
			return nil, err
		}
	}
	decisions := make([]Decision, len(inputs))
	for i, x := range inputs {
		label := int(math.Round(float64(x[0]) * 1000))
		decisions[i] = Decision{Class: fmt.Sprint("class ", label), Label: label, Probability: .5, Set: []string{"a"}, Refused: label%2 != 0}
	}
	return decisions, nil
}

// newHandler serves inputs of shape [2 2 1], as files that are stretched.
func newHandler(t testing.TB, p Predictor, change func(*Options)) *Handler {
	t.Helper()
	o := Options{Shape: []int{2, 2, 1}, Fit: data.FitStretch, MaxBatch: 8, MaxBody: 1 << 16, Timeout: 10 * time.Second}
	if change != nil {
		change(&o)
	}
	h, err := New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// post sends a body to /predict.
func post(h http.Handler, kind string, body []byte, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/predict", bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	if kind == "" {
		r.Header.Del("Content-Type")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// labels returns those of an answer, or an error that says the answer.
func labels(w *httptest.ResponseRecorder) ([]int, error) {
	var answer struct{ Decisions []Decision }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", w.Code, w.Body)
	}
	var labels []int
	for _, d := range answer.Decisions {
		labels = append(labels, d.Label)
	}
	return labels, nil
}

func wantLabels(t *testing.T, w *httptest.ResponseRecorder, want ...int) {
	t.Helper()
	if got, err := labels(w); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the labels are %v (%v), want %v", got, err, want)
	}
}

// wantError compares an answer's status and the JSON of its error.
func wantError(t *testing.T, w *httptest.ResponseRecorder, status int, part string) {
	t.Helper()
	var answer map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != status || !strings.Contains(answer["error"], part) {
		t.Errorf("status %d: %s, want %d and an error that says %q", w.Code, w.Body, status, part)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("the Content-Type is %q", got)
	}
	if (w.Header().Get("Retry-After") != "") != (status == http.StatusServiceUnavailable) {
		t.Errorf("status %d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
}

// square is a PNG of 2x2 pixels of one value.
func square(t testing.TB, value uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	for i := range img.Pix {
		img.Pix[i] = value
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// form is form-data of files.
func form(t testing.TB, files ...[]byte) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i, file := range files {
		part, err := w.CreateFormFile("image", fmt.Sprintf("%d.png", i))
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

func TestAnswers(t *testing.T) {
	h := newHandler(t, &echo{}, nil)
	for name, kind := range map[string]string{"no type": "", "curl's default": "application/x-www-form-urlencoded", "PNG": "image/png", "binary": "application/octet-stream"} {
		t.Run("an image as "+name, func(t *testing.T) { wantLabels(t, post(h, kind, square(t, 255)), 1000) })
	}
	t.Run("a form", func(t *testing.T) {
		kind, body := form(t, square(t, 0), square(t, 255), square(t, 51))
		wantLabels(t, post(h, kind, body), -1000, 1000, -600)
	})
	t.Run("numbers", func(t *testing.T) {
		wantLabels(t, post(h, "application/json; charset=utf-8", []byte(` {"inputs": [[0.5,0,0,0], [-25e-2,1,1,1]] } `+"\n")), 500, -250)
	})
	t.Run("every field", func(t *testing.T) {
		got := post(h, "application/json", []byte(`{"inputs": [[0.001,0,0,0]]}`)).Body.String()
		if want := `{"decisions":[{"class":"class 1","label":1,"probability":0.5,"set":["a"],"energy":0,"score":0,"refused":true}]}` + "\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestRefusals(t *testing.T) {
	h := newHandler(t, &echo{}, nil)
	for name, c := range map[string]struct {
		kind   string
		body   []byte
		status int
		want   string
	}{
		"no image":          {"image/png", []byte("hello"), 400, "the file cannot be used: the image does not decode"},
		"an empty body":     {"", nil, 400, "the file is empty"},
		"a large body":      {"", make([]byte, 1<<16+1), 413, "the body has more than 65536 bytes"},
		"an unknown type":   {"text/;;", nil, 400, "the Content-Type"},
		"no form":           {"multipart/form-data; boundary=x", []byte("hello"), 400, "the form cannot be read"},
		"a form of nothing": {"multipart/form-data; boundary=x", []byte("--x--\r\n"), 400, "the form has no files"},
		"no JSON":           {"application/json", []byte("hello"), 400, `the JSON must be {"inputs": [[…], …]}`},
		"JSON as a file":    {"application/x-www-form-urlencoded", []byte(`{"inputs":[[0,0,0,0]]}`), 400, `this is JSON, but the Content-Type is "application/x-www-form-urlencoded"; it must be application/json`},
		"a list":            {"application/json", []byte("[[0,0,0,0]]"), 400, `the JSON has "[" where "{" is expected`},
		"another key":       {"application/json", []byte(`{"input":[[0,0,0,0]]}`), 400, `the JSON has "input" where "inputs" is expected`},
		"no inputs":         {"application/json", []byte(`{"inputs":[]}`), 400, "there are no inputs"},
		"a string":          {"application/json", []byte(`{"inputs":[["a"]]}`), 400, "input 0 (from 0) is no list of numbers"},
		"nested":            {"application/json", []byte(`{"inputs":[[[0],[0]]]}`), 400, "input 0 (from 0) is no list of numbers"},
		"null":              {"application/json", []byte(`{"inputs":[null]}`), 400, "input 0 (from 0) has 0 numbers"},
		"too few":           {"application/json", []byte(`{"inputs":[[0,0,0,0],[1]]}`), 400, "input 1 (from 0) has 1 numbers, but shape [2 2 1] needs 4, flat"},
		"pixels to 255":     {"application/json", []byte(`{"inputs":[[0,0,255,0]]}`), 400, "number 2 of input 0 (from 0) is 255; pixels are in [-1,1]: 2·value/255 - 1"},
		"beyond float32":    {"application/json", []byte(`{"inputs":[[0,0,1e40,0]]}`), 400, "input 0 (from 0) is no list of numbers"},
		"null for NaN":      {"application/json", []byte(`{"inputs":[[0,0,null,0]]}`), 400, "input 0 (from 0) is no list of numbers"},
		"NaN":               {"application/json", []byte(`{"inputs":[[0,0,NaN,0]]}`), 400, "input 0 (from 0) is no list of numbers"},
		"nine":              {"application/json", concat(`{"inputs":[[0,0,0,0]`, strings.Repeat(",[0,0,0,0]", 8), `]}`), 413, "more than 8 inputs; send them in several requests"},
		"truncated":         {"application/json", []byte(`{"inputs":[[0,0,0,0]`), 400, "the JSON"},
		"another key after": {"application/json", []byte(`{"inputs":[[0,0,0,0]],"x":1}`), 400, `after the inputs the JSON has "x", not "}"`},
		"two objects":       {"application/json", []byte(`{"inputs":[[0,0,0,0]]}{"inputs":[]}`), 400, "the body continues after the JSON"},
		"empty lists":       {"application/json", concat(`{"inputs":[[]`, strings.Repeat(",[]", 10000), `]}`), 400, "input 0 (from 0) has 0 numbers"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, post(h, c.kind, c.body), c.status, c.want) })
	}
	t.Run("nine files", func(t *testing.T) {
		files := make([][]byte, 9)
		for i := range files {
			files[i] = square(t, 1)
		}
		kind, body := form(t, files...)
		wantError(t, post(h, kind, body), 413, "more than 8 inputs")
	})
	t.Run("a damaged file in a form", func(t *testing.T) {
		kind, body := form(t, square(t, 1), []byte("no image"))
		wantError(t, post(h, kind, body), 400, `part 1 (from 0), "image": the file cannot be used`)
	})
	t.Run("a large body of unknown length", func(t *testing.T) {
		w := post(h, "application/json", concat(`{"inputs":[[`, strings.Repeat("0,", 1<<16), `0]]}`), func(r *http.Request) { r.ContentLength = -1 })
		wantError(t, w, 413, "the body has more than 65536 bytes")
	})
	t.Run("files for a network of numbers", func(t *testing.T) {
		numbers := newHandler(t, &echo{}, func(o *Options) { o.Shape, o.Fit = []int{2}, "" })
		wantError(t, post(numbers, "image/png", square(t, 1)), 415, `this network takes no image files: send {"inputs": [[…], …]} with Content-Type application/json`)
		wantLabels(t, post(numbers, "application/json", []byte(`{"inputs":[[7,-100]]}`)), 7000)
	})
}

func TestErrorsAreShort(t *testing.T) {
	h := newHandler(t, &echo{}, nil)
	long := strings.Repeat("9", 1<<15)
	for _, body := range []string{`{"inputs":[[` + long + `]]}`, `{"inputs":[["` + long + `"]]}`, `{"` + long + `":[[0]]}`} {
		w := post(h, "application/json", []byte(body))
		if size := w.Body.Len(); w.Code != 400 || size > 1000 {
			t.Errorf("%.20s: status %d, an error of %d bytes", body, w.Code, size)
		}
	}
}

func concat(parts ...string) []byte { return []byte(strings.Join(parts, "")) }

func TestAdmission(t *testing.T) {
	h := newHandler(t, &echo{}, func(o *Options) { o.Hosts = []string{"LocalHost", "127.0.0.1", "::1"} })
	do := func(method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Host = "localhost:8080"
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, host := range []string{"127.0.0.1:8080", "[::1]:8080", "LOCALHOST"} {
		if w := do("GET", "/healthz", func(r *http.Request) { r.Host = host }); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"status":"ok"}` {
			t.Errorf("%s: status %d: %s", host, w.Code, w.Body)
		}
	}
	wantError(t, do("GET", "/healthz", func(r *http.Request) { r.Host = "evil.example:8080" }), 403, `the host "evil.example" is not one of this service`)
	wantError(t, do("POST", "/predict", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }), 403, "a browser sent this for a page of another site")
	wantError(t, do("POST", "/predict", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }), 403, "a browser sent this")
	for _, path := range []string{"/healthz", "/metrics"} {
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
			wantError(t, do("GET", path, func(r *http.Request) { r.Header.Set(header[0], header[1]) }), 403, "a browser sent this for a page of another site")
		}
		for _, site := range []string{"none", "same-origin"} { // a person who types the address
			if w := do("GET", path, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) }); w.Code != 200 {
				t.Errorf("%s, %s: status %d", path, site, w.Code)
			}
		}
	}
	wantError(t, do("GET", "/", nil), 404, `there is no "/"; POST to /predict`)
	wantError(t, do("GET", "/predict", nil), 405, `/predict takes POST, not "GET"`)
	wantError(t, do("POST", "/metrics", nil), 405, `/metrics takes GET, not "POST"`)
	for path, want := range map[string]string{"/predict": "POST", "/healthz": "GET, HEAD", "/metrics": "GET, HEAD"} { // RFC 9110, 15.5.6
		if got := do("PUT", path, nil).Header().Get("Allow"); got != want {
			t.Errorf("%s allows %q, want %q", path, got, want)
		}
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := do("GET", "/healthz", nil).Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	h := newHandler(t, &echo{}, nil)
	post(h, "application/json", []byte(`{"inputs":[[0.001,0,0,0],[0,0,0,0]]}`))
	post(h, "application/json", []byte(`{}`))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`ngebm_requests_total{code="200"} 1`, `ngebm_requests_total{code="400"} 1`, "ngebm_request_seconds_count 2",
		"ngebm_batch_inputs_sum 2", "ngebm_batch_inputs_count 1", `ngebm_decisions_total{refused="true"} 1`, `ngebm_decisions_total{refused="false"} 1`,
		"ngebm_requests_in_flight 0", "ngebm_inputs_waiting 0", "go_goroutines",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("the metrics do not say %q:\n%s", want, text)
		}
	}
	if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Errorf("the Content-Type is %q", kind)
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, &echo{}, func(o *Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	post(h, "", square(t, 1))
	var record map[string]any
	if err := json.Unmarshal(log.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"msg": "request", "method": "POST", "path": "/predict", "status": 200., "inputs": 1.} {
		if record[key] != want {
			t.Errorf("the record has %s %v, want %v", key, record[key], want)
		}
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		p      Predictor
		change func(*Options)
		want   string
	}{
		"no predictor":      {nil, func(*Options) {}, "the predictor is nil"},
		"no shape":          {&echo{}, func(o *Options) { o.Shape = nil }, "the shape of an input is []"},
		"a negative batch":  {&echo{}, func(o *Options) { o.MaxBatch = -1 }, "MaxBatch is -1; give 1 to 4096 inputs"},
		"a huge batch":      {&echo{}, func(o *Options) { o.MaxBatch = 1 << 30 }, "MaxBatch is 1073741824"},
		"no room":           {&echo{}, func(o *Options) { o.MaxWaiting = 3 }, "room for a batch to wait"},
		"an endless body":   {&echo{}, func(o *Options) { o.MaxBody = 1 << 40 }, "MaxBody is 1099511627776"},
		"a negative delay":  {&echo{}, func(o *Options) { o.Delay = -1 }, "Delay is -1ns"},
		"a delay too long":  {&echo{}, func(o *Options) { o.Delay, o.Timeout = 2*time.Second, time.Second }, "Delay is 2s and Timeout 1s: requests would be given up"},
		"files of features": {&echo{}, func(o *Options) { o.Shape = []int{4} }, "an image file cannot become an input of shape [4]"},
		"an unknown fit":    {&echo{}, func(o *Options) { o.Fit = "cover" }, `the fit "cover" is unknown`},
	} {
		o := Options{Shape: []int{2, 2, 1}, Fit: data.FitCrop, MaxBatch: 8}
		c.change(&o)
		if _, err := New(c.p, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want one that says %q", name, err, c.want)
		}
	}
}

// No body makes the handler fail or answer without a decision for each input.
func FuzzPredict(f *testing.F) {
	kind, body := form(f, square(f, 1), square(f, 2))
	f.Add(kind, body)
	f.Add("application/json", []byte(`{"inputs":[[0,0,0,0],[1,-1,0.5,1e-9]]}`))
	f.Add("image/png", square(f, 7))
	h := newHandler(f, &echo{}, nil)
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		w := post(h, kind, body)
		switch w.Code {
		case 200:
			if got, err := labels(w); err != nil || len(got) == 0 {
				t.Errorf("%d labels: %v", len(got), err)
			}
		case 400, 413:
			var answer struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error == "" {
				t.Errorf("the error is %s (%v)", w.Body, err)
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

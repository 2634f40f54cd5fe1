package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ngebm/data/progress"
)

// published is the content of the file that the tests fetch.
var published = bytes.Repeat([]byte("the authors' bytes "), 5000)

// file is the file as the authors would list it.
func file(urls ...string) File {
	sum := sha256.Sum256(published)
	return File{Name: "set.bin", URLs: urls, Size: int64(len(published)), SHA256: hex.EncodeToString(sum[:])}
}

// request is what a server was asked and what it sent.
type request struct {
	ranged, ifRange string
	sent            int // bytes of the body
}

// server answers its first requests as each of first says, and the others as
// well-behaved servers do, which know ranges and entity tags.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
}

func serve(t *testing.T, first ...http.HandlerFunc) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &countingWriter{ResponseWriter: w}
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, request{ranged: r.Header.Get("Range"), ifRange: r.Header.Get("If-Range")})
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			s.requests[n].sent = counted.n
			s.mu.Unlock()
		}()
		if n < len(first) {
			first[n](counted, r)
			return
		}
		good(counted, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// asked returns the requests so far.
func (s *server) asked() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// url is that of the file.
func (s *server) url() string { return s.URL + "/set.bin" }

type countingWriter struct {
	http.ResponseWriter
	n int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += n
	return n, err
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func good(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"v1"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(published))
}

// drop sends the first n bytes and breaks the connection.
func drop(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(published)))
		_, _ = w.Write(published[:n])
		flush(w)
		panic(http.ErrAbortHandler)
	}
}

// hang sends the first n bytes and then nothing.
func hang(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(published)))
			_, _ = w.Write(published[:n])
			flush(w)
		}
		<-r.Context().Done()
	}
}

// status answers with a status, and what the pairs of header fields say.
func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// body sends these bytes in chunks, so that no length is announced.
func body(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		flush(w)
		for chunk := range slices.Chunk(content, 1<<13) {
			_, _ = w.Write(chunk)
			flush(w)
		}
	}
}

// ranged answers 206 with this Content-Range and the end of the file.
func ranged(contentRange string, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Range", contentRange)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(published[len(published)-n:])
	}
}

// impatient is a getter for tests, which are in a hurry.
func impatient(folder string) getter {
	g := newGetter(Options{Folder: folder})
	g.pause, g.patience, g.enough = time.Millisecond, time.Second, 1000
	return g
}

// hurried gives up soon on a server that hangs, where the case is of one. The
// others have time, so that a busy machine fails no test.
func (g getter) hurried(name string) getter {
	if strings.HasPrefix(name, "hangs") {
		g.answer, g.stall = 300*time.Millisecond, 300*time.Millisecond
	}
	return g
}

// reports keeps what a reporter was told.
type reports struct{ all []progress.Report }

func (r *reports) Report(report progress.Report) { r.all = append(r.all, report) }

// tasks lists the tasks that were reported, in order.
func (r *reports) tasks() (names []string) {
	for _, report := range r.all {
		names = append(names, report.Task)
	}
	return slices.Compact(names)
}

// last is the last report of a task.
func (r *reports) last(task string) (last progress.Report) {
	for _, report := range r.all {
		if report.Task == task {
			last = report
		}
	}
	return last
}

// right checks that a fetch went well.
func right(t *testing.T, path string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, published) {
		t.Errorf("%s is not the published file (%v)", path, err)
	}
	if names := names(t, filepath.Dir(path)); slices.Contains(names, "set.bin.part") || slices.Contains(names, "set.bin.part.from") {
		t.Errorf("a fetch that went well left %v", names)
	}
}

// refused checks that a fetch failed with an error that says all of want, and
// that nothing stands under the final name.
func refused(t *testing.T, folder string, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("the error is %v, want %q in it", err, w)
		}
	}
	if _, err := os.Lstat(filepath.Join(folder, "set.bin")); err == nil {
		t.Error("something stands under the final name")
	}
}

func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

package device

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"ngebm/ngebm/progress"
)

// archive makes a .tar.gz with one file.
func archive(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRelease(t *testing.T) {
	good := archive(t, "pjrt_c_api_cpu_v0.1.0_plugin.so", content)
	serve := func(b []byte, length int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(length))
			w.Write(b)
		}
	}
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		err  string
	}{
		{name: "right", h: serve(good, len(good))},
		{name: "not there", h: http.NotFound, err: "404 Not Found"},
		{name: "the connection breaks", h: serve(good[:len(good)/2], len(good)), err: "unexpected EOF"},
		{name: "half an archive", h: serve(good[:len(good)/2], len(good)/2), err: "unexpected EOF"},
		{name: "a page instead", h: serve([]byte("<html>sign in"), 13), err: "gzip"},
		{name: "no plugin in it", h: serve(archive(t, "README", "x"), len(archive(t, "README", "x"))), err: "holds no file named like pjrt_c_api_cpu_v0.1.0_plugin.so"},
		{name: "stalls", h: func(w http.ResponseWriter, r *http.Request) {
			w.Write(good[:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, err: "no data for 200ms"},
		{name: "never answers", h: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, err: "timeout awaiting response headers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.h)
			defer server.Close()
			r := release{version: "v0.1.0", url: server.URL + "/pjrt_cpu.tar.gz", connect: 400 * time.Millisecond, idle: 200 * time.Millisecond}
			s := store{cache: t.TempDir(), sources: []source{r.source()}}
			var seen recorder
			start := time.Now()
			p, err := s.obtain(context.Background(), &seen)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			leftovers(t, s.cache)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v, want a line with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(p.path); string(got) != content {
				t.Errorf("%q, %v", got, err)
			}
			if l := seen.last(); !l.Finished || l.Done != int64(len(good)) || l.Total != int64(len(good)) || l.Task != "download pjrt_cpu.tar.gz" {
				t.Errorf("last report %+v", l)
			}
		})
	}
}

// A dead address gives way to the next source at once.
func TestReleaseUnreachable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	r := release{version: "v0.1.0", url: server.URL + "/x.tar.gz", connect: time.Second, idle: time.Second}
	s := store{cache: t.TempDir(), sources: []source{r.source(), writes("next", content)}}
	start := time.Now()
	if _, err := s.obtain(context.Background(), progress.Silent{}); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

package fetch

import (
	"bytes"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func mentions(t *testing.T, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("the error is %v, want %q in it", err, w)
		}
	}
}

// Whatever a server does wrong, nothing stands under the final name, and the
// error says what to do.
func TestGetFails(t *testing.T) {
	longer := append(published[:len(published):len(published)], 0)
	always := func(h http.HandlerFunc) []http.HandlerFunc { return slices.Repeat([]http.HandlerFunc{h}, 50) }
	for _, c := range []struct {
		name     string
		handlers []http.HandlerFunc
		requests int
		kept     int // bytes of the unfinished download
		want     string
	}{
		{"absent", always(http.NotFound), 1, 0, "the server answered 404 Not Found"},
		{"busy", always(status(503)), 5, 0, "the server answered 503 Service Unavailable (5 attempts)"},
		{"busy for hours", always(status(429, "Retry-After", "7200")), 1, 0, "429 Too Many Requests, and asks to come back in 2 h 00 min"},
		{"busy until next year", always(status(503, "Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT")), 1, 0, "asks to come back in "},
		{"wrong bytes", always(body(make([]byte, len(published)))), 1, 0, "what came (95000 bytes) has SHA-256 "},
		{"a short page", always(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("<html>log in</html>")) }), 1, 0,
			"the server has a file of 19 bytes, but the published one has 95000"},
		{"too long", always(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "95001")
			_, _ = w.Write(longer)
		}), 1, 0,
			"the server has a file of 95001 bytes, but the published one has 95000"},
		{"too long, unannounced", always(body(longer)), 1, 0, "the server sends more than the 95000 bytes that the file may have"},
		{"nothing, unannounced", always(body(nil)), 5, 0, "the server ended after 0 of 95000 bytes (5 attempts)"},
		{"drops at the same place", append([]http.HandlerFunc{drop(40_000)}, always(status(500))...), 5, 40_000, "500 Internal Server Error (5 attempts) (40.0 kB came and are kept)"},
		{"drops and ignores ranges", always(drop(40_000)), 5, 40_000, "the connection broke after 40000 bytes: unexpected EOF (5 attempts)"},
		{"a page in place of the rest", append([]http.HandlerFunc{drop(40_000)}, always(body([]byte("<html>log in</html>")))...), 5, 40_000,
			"the server sent only 19 bytes from the beginning on, where 40000 had come before; if that is the whole file, remove "},
		{"hangs at once", always(hang(0)), 2, 0, "no answer for 300ms (2 attempts)"},
		{"hangs on the way", always(hang(40_000)), 5, 40_000, "less than 16.4 kB came in 300ms (5 attempts) (40.0 kB came and are kept)"},
		{"redirects for ever", always(status(302, "Location", "/set.bin")), 10, 0, "the server redirects more than 10 times"},
		{"a range unasked", always(ranged("bytes 0-94999/95000", 95_000)), 1, 0, "the server answered 206 Partial Content"},
		{"wrong ranges", append([]http.HandlerFunc{drop(40_000), ranged("bytes 0-1/2", 9)}, always(http.NotFound)...), 3, 0, "404 Not Found"},
		{"a range of another file", append([]http.HandlerFunc{drop(40_000)}, always(ranged("bytes 40000-40008/40009", 9))...), 2, 40_000,
			"the server has a file of 40009 bytes, but the published one has 95000"},
		{"never the rest", []http.HandlerFunc{drop(10_000), status(416), drop(20_000), status(416), drop(30_000), status(416)}, 6, 30_000, "416 Requested Range Not Satisfiable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.handlers...)
			g := impatient(t.TempDir()).hurried(c.name)
			f := file(s.url())
			_, err := g.get(t.Context(), f)
			refused(t, g.Folder, err, "fetch: download of set.bin: "+s.url(), c.want,
				"run again, or get it from "+s.url()+" (SHA-256 "+f.SHA256+") and put it at "+f.Path(g.Folder))
			if n := len(s.asked()); n != c.requests {
				t.Errorf("the server was asked %d times, want %d", n, c.requests)
			}
			if part, _ := os.ReadFile(f.Path(g.Folder) + ".part"); !bytes.Equal(part, published[:c.kept]) {
				t.Errorf("%d bytes are kept, want %d of the file's", len(part), c.kept)
			}
			// The same file comes from a server that works.
			path, err := g.get(t.Context(), file(serve(t).url()))
			right(t, path, err)
		})
	}
}

// Nobody there: no point in asking again.
func TestGetFromNobody(t *testing.T) {
	s := serve(t)
	s.Close()
	g := impatient(t.TempDir())
	g.pause = time.Hour
	_, err := g.get(t.Context(), file(s.url(), "http://name.invalid/set.bin"))
	refused(t, g.Folder, err, s.url()+": ", "connection refused", "; http://name.invalid/set.bin: ", "run again, or get it from")
	_, err = g.get(t.Context(), file())
	refused(t, g.Folder, err, "no address is known", "get it from its authors")
}

func TestFileValidates(t *testing.T) {
	for _, c := range []struct {
		f    File
		want string
	}{
		{File{Name: "../set.bin", SHA256: "00"}, `"../set.bin" is no name`},
		{File{Name: "a/b", SHA256: "00"}, "is no name"},
		{File{Name: "..", SHA256: "00"}, "is no name"},
		{File{SHA256: "00"}, "is no name"},
		{File{Name: "set.bin"}, "set.bin has no checksum, without which nothing is downloaded"},
		{File{Name: "set.bin", SHA256: "00", Size: -1}, "has a size of -1 bytes"},
	} {
		_, err := c.f.Get(t.Context(), Options{Folder: t.TempDir()})
		mentions(t, err, c.want)
	}
}

// Headers are a stranger's: only a range that begins where it was asked for,
// and lies within the file, is taken.
func FuzzHeaders(f *testing.F) {
	f.Add("bytes 100-199/200", "120")
	f.Add("bytes 100-149/*", "Fri, 31 Dec 2100 23:59:59 GMT")
	f.Add("bytes */200", "-1")
	f.Add("bytes 100-99/200", "9999999999999999999")
	f.Fuzz(func(t *testing.T, contentRange, after string) {
		if err := checkRange(contentRange, 200, 100); err == nil && !strings.HasPrefix(strings.ReplaceAll(contentRange, "0", ""), "bytes ") {
			t.Errorf("%q was accepted", contentRange)
		}
		if wait := retryAfter(after, time.Unix(0, 0)); wait < 0 {
			t.Errorf("%q is a wait of %v", after, wait)
		}
	})
}

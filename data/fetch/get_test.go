package fetch

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// The whole way, and again without a server.
func TestGet(t *testing.T) {
	s := serve(t)
	folder := filepath.Join(t.TempDir(), "made", "on demand")
	g := impatient(folder)
	told := &reports{}
	g.Progress = told
	f := file(s.url())
	if got := f.State(folder); got != Absent {
		t.Errorf("before, the state is %q", got)
	}
	path, err := g.get(t.Context(), f)
	right(t, path, err)
	if r := told.last("download set.bin"); r.Done != f.Size || r.Total != f.Size || r.Start != 0 || r.Unit != "bytes" || !r.Finished {
		t.Errorf("the last report is %+v, want all %d bytes", r, f.Size)
	}
	if got, want := told.tasks(), []string{"download set.bin", "check set.bin"}; !slices.Equal(got, want) || !told.last("check set.bin").Finished {
		t.Errorf("it reported %v, want %v", got, want)
	}
	if got, want := names(t, folder), []string{"set.bin", "set.bin.checked", "set.bin.lock"}; !slices.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
	told.all = nil
	s.Close()
	path, err = g.get(t.Context(), f)
	right(t, path, err)
	if len(told.all) != 0 || f.State(folder) != Present {
		t.Errorf("the second time reported %v and left the state %q", told.tasks(), f.State(folder))
	}
}

// What went wrong the first time is made good, with what came already.
func TestGetResumes(t *testing.T) {
	whole := len(published)
	const n = 40_000
	for _, c := range []struct {
		name  string
		first []http.HandlerFunc
		want  []request // what comes after the first one
	}{
		{"drops in the middle", []http.HandlerFunc{drop(n)}, []request{{"bytes=40000-", `"v1"`, whole - n}}},
		{"drops twice", []http.HandlerFunc{drop(n), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", n, whole-1, whole))
			w.Header().Set("Content-Length", fmt.Sprint(whole-n))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(published[n : n+100])
			flush(w)
			panic(http.ErrAbortHandler)
		}}, []request{{"bytes=40000-", `"v1"`, 100}, {"bytes=40100-", "", whole - n - 100}}},
		{"hangs in the middle", []http.HandlerFunc{hang(n)}, []request{{"bytes=40000-", "", whole - n}}},
		{"hangs at once", []http.HandlerFunc{hang(0)}, []request{{"", "", whole}}},
		{"ends early without length", []http.HandlerFunc{body(published[:n])}, []request{{"bytes=40000-", "", whole - n}}},
		{"sends less than was asked for", []http.HandlerFunc{drop(n), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", n, n+99))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(published[n : n+100])
		}}, []request{{"bytes=40000-", `"v1"`, 100}, {"bytes=40100-", "", whole - n - 100}}},
		{"ignores ranges", []http.HandlerFunc{drop(n), body(published)}, []request{{"bytes=40000-", `"v1"`, whole}}},
		{"has no such range", []http.HandlerFunc{drop(n), status(416)}, []request{{"bytes=40000-", `"v1"`, 0}, {"", "", whole}}},
		{"sends another range", []http.HandlerFunc{drop(n), ranged(fmt.Sprintf("bytes 7-%d/%d", whole-1, whole), whole-n)},
			[]request{{"bytes=40000-", `"v1"`, whole - n}, {"", "", whole}}},
		{"sends no range", []http.HandlerFunc{drop(n), ranged("", whole-n)}, []request{{"bytes=40000-", `"v1"`, whole - n}, {"", "", whole}}},
		{"resumes with other bytes", []http.HandlerFunc{drop(n), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", n, whole-1, whole))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(make([]byte, whole-n))
		}}, []request{{"bytes=40000-", `"v1"`, whole - n}, {"", "", whole}}},
		{"is busy", []http.HandlerFunc{status(503), status(429), status(500), status(408)},
			[]request{{}, {}, {}, {"", "", whole}}},
		{"asks to wait", []http.HandlerFunc{status(503, "Retry-After", "1")}, []request{{"", "", whole}}},
		{"redirects", []http.HandlerFunc{status(302, "Location", "/elsewhere.bin")}, []request{{"", "", whole}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.first...)
			g := impatient(t.TempDir()).hurried(c.name)
			path, err := g.get(t.Context(), file(s.url()))
			right(t, path, err)
			s.Close() // waits for the counts
			if got := s.asked()[1:]; !slices.Equal(got, c.want) {
				t.Errorf("it asked and was sent %v, want %v", got, c.want)
			}
		})
	}
}

// A page in place of the rest leaves what came, also where no size was published.
func TestGetPageInPlaceOfTheRest(t *testing.T) {
	page := []byte("<html>log in</html>")
	for name, answer := range map[string]http.HandlerFunc{
		"of known length":   func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(page) },
		"of unknown length": body(page),
	} {
		s := serve(t, answer)
		g := impatient(t.TempDir())
		write(t, filepath.Join(g.Folder, "set.bin.part"), published[:40_000])
		f := file(s.url())
		f.Size = 0
		path, err := g.get(t.Context(), f)
		right(t, path, err)
		s.Close() // waits for the counts
		if got := s.asked(); len(got) != 2 || got[1].ranged != "bytes=40000-" || got[1].sent != len(published)-40_000 {
			t.Errorf("%s: it asked and was sent %v", name, got)
		}
	}
}

// A wait that a server asks for is kept.
func TestGetKeepsRetryAfter(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503, "Retry-After", "1"))
	g := impatient(t.TempDir())
	told := &reports{}
	g.Progress = told
	began := time.Now()
	path, err := g.get(t.Context(), file(s.url()))
	right(t, path, err)
	if took := time.Since(began); took < time.Second {
		t.Errorf("it came back after %v", took)
	}
	want := "set.bin: the server answered 503 Service Unavailable; asking " + s.Listener.Addr().String() + " again in 1.0 s"
	if got := told.tasks()[0]; got != want {
		t.Errorf("it said %q, want %q", got, want)
	}
}

// Speed and time left count what this process gets.
func TestGetReportsResume(t *testing.T) {
	s := serve(t)
	g := impatient(t.TempDir())
	told := &reports{}
	g.Progress = told
	write(t, filepath.Join(g.Folder, "set.bin.part"), published[:40_000])
	if got := file().State(g.Folder); got != Partial {
		t.Errorf("the state is %q", got)
	}
	path, err := g.get(t.Context(), file(s.url()))
	right(t, path, err)
	if r := told.last("download set.bin"); r.Start != 40_000 || r.Done != int64(len(published)) || r.Speed() == "" {
		t.Errorf("the last report is %+v", r)
	}
}

// State only looks, also at what a download would remove.
func TestStateRemovesNothing(t *testing.T) {
	folder := t.TempDir()
	part := file().Path(folder) + partSuffix
	if err := os.Symlink("elsewhere", part); err != nil {
		t.Fatal(err)
	}
	if got := file().State(folder); got != Absent {
		t.Errorf("the state is %q", got)
	}
	if to, err := os.Readlink(part); err != nil || to != "elsewhere" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

// Whatever lies there of an earlier download does no harm.
func TestGetAfterOthers(t *testing.T) {
	other := bytes.Repeat([]byte("x"), 2*len(published))
	for name, c := range map[string]struct {
		part, from []byte
		sent       int // by the server, in all
	}{
		"whole":               {published, nil, 0},
		"too long":            {other, nil, len(published)},
		"other bytes":         {other[:1000], nil, 2*len(published) - 1000},
		"other, whole length": {other[:len(published)], nil, len(published)},
		"of another version":  {other[:1000], []byte(`{"URL":"URL","ETag":"\"v0\""}`), len(published)},
		"of another server":   {published[:1000], []byte(`{"URL":"http://example.org","ETag":"\"v0\""}`), len(published) - 1000},
		"damaged note":        {published[:1000], []byte(`{"URL":`), len(published) - 1000},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			g := impatient(t.TempDir())
			part := filepath.Join(g.Folder, "set.bin.part")
			write(t, part, c.part)
			if c.from != nil {
				write(t, part+".from", bytes.ReplaceAll(c.from, []byte("URL\",\"E"), []byte(s.url()+"\",\"E")))
			}
			path, err := g.get(t.Context(), file(s.url()))
			right(t, path, err)
			s.Close()
			sent := 0
			for _, r := range s.asked() {
				sent += r.sent
			}
			if sent != c.sent {
				t.Errorf("the server sent %d bytes, want %d: %v", sent, c.sent, s.asked())
			}
		})
	}
}

// A .gz that the server calls an encoding stays as it is.
func TestGetLeavesEncodings(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(published)
	})
	g := impatient(t.TempDir())
	path, err := g.get(t.Context(), file(s.url()))
	right(t, path, err)
}

// A file of which only the MD5 sum is known, and no size.
func TestGetByMD5(t *testing.T) {
	s := serve(t, drop(40_000))
	g := impatient(t.TempDir())
	sum := md5.Sum(published)
	f := File{Name: "set.bin", URLs: []string{s.url()}, MD5: hex.EncodeToString(sum[:])}
	path, err := g.get(t.Context(), f)
	right(t, path, err)
	if got := f.Checksum(); got != "MD5 "+f.MD5 {
		t.Errorf("the checksum is called %q", got)
	}
	g = impatient(t.TempDir())
	f.MD5 = "a8b06965200029087d5bd730944a56c1"
	_, err = g.get(t.Context(), f)
	refused(t, g.Folder, err, "what came (95000 bytes) has MD5 "+hex.EncodeToString(sum[:])+", but the published file has "+f.MD5)
	f.URLs = []string{serve(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "2000000000") }).url()}
	_, err = g.get(t.Context(), f)
	refused(t, g.Folder, err, "the server has a file of 2000000000 bytes, more than the 1073741824 that the file may have")
}

func TestGetMirrors(t *testing.T) {
	for name, c := range map[string]struct {
		first   []http.HandlerFunc
		resumed bool // the second mirror goes on where the first one stopped
	}{
		"lacks it":          {[]http.HandlerFunc{status(404)}, false},
		"forbids it":        {[]http.HandlerFunc{status(403)}, false},
		"has another":       {[]http.HandlerFunc{body(make([]byte, len(published)))}, false},
		"has a login page":  {[]http.HandlerFunc{body([]byte("<html>log in</html>")), status(404)}, true},
		"has a longer one":  {[]http.HandlerFunc{body(append(published[:len(published):len(published)], 0))}, false},
		"stays busy":        {slices.Repeat([]http.HandlerFunc{status(503)}, 5), false},
		"is busy for hours": {[]http.HandlerFunc{status(503, "Retry-After", "7200")}, false},
		"goes away":         {[]http.HandlerFunc{drop(40_000), status(410)}, true},
		"hangs always":      {slices.Repeat([]http.HandlerFunc{hang(0)}, 2), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad, fine := serve(t, c.first...), serve(t)
			g := impatient(t.TempDir()).hurried(name)
			path, err := g.get(t.Context(), file(bad.url(), fine.url()))
			right(t, path, err)
			if n := len(bad.asked()); n != len(c.first) {
				t.Errorf("the bad mirror was asked %d times, want %d", n, len(c.first))
			}
			if asked := fine.asked(); c.resumed != (asked[0].ranged != "") {
				t.Errorf("the good mirror was asked %v", asked)
			}
		})
	}
}

func TestOffline(t *testing.T) {
	s := serve(t)
	folder := t.TempDir()
	f := file(s.url())
	want := []string{"fetch: set.bin is not in the cache, and downloads are forbidden (offline)",
		"get it from " + s.url() + " (SHA-256 " + f.SHA256 + ") and put it at " + filepath.Join(folder, "set.bin")}
	_, err := f.Get(t.Context(), Options{Folder: folder, Offline: true})
	refused(t, folder, err, want...)
	if !errors.Is(err, ErrOffline) {
		t.Error("the error is not ErrOffline")
	}
	write(t, f.Path(folder), published)
	path, err := f.Get(t.Context(), Options{Folder: folder, Offline: true})
	right(t, path, err)
	if len(s.asked()) != 0 {
		t.Error("the server was asked")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NGEBM_OFFLINE", "1") // a program's affair
	path, err = f.Get(t.Context(), Options{Folder: folder})
	right(t, path, err)
}

// A file that a person put there is checked once, and again after it changed.
func TestByHand(t *testing.T) {
	s := serve(t)
	g := impatient(t.TempDir())
	told := &reports{}
	g.Progress = told
	f := file(s.url())
	path := f.Path(g.Folder)
	write(t, path, published)
	if got := f.State(g.Folder); got != Unchecked {
		t.Errorf("the state is %q", got)
	}
	for _, checks := range []int{1, 0} {
		got, err := g.get(t.Context(), f)
		right(t, got, err)
		if n := len(told.tasks()); n != checks {
			t.Errorf("it reported %v, want %d checks", told.tasks(), checks)
		}
		told.all = nil
	}
	write(t, path, bytes.Repeat([]byte("x"), len(published)))
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := g.get(t.Context(), f)
		mentions(t, err, path+" has SHA-256 ", "but the published file has "+f.SHA256, "remove it and run again, or get it from "+s.url())
	}
	write(t, path, published[:5])
	_, err := g.get(t.Context(), f)
	mentions(t, err, path+" has 5 bytes, but the published file has 95000", "remove it and run again")
	if got, _ := os.ReadFile(path); len(got) != 5 {
		t.Error("a person's file was changed")
	}
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err = g.get(t.Context(), f)
	mentions(t, err, path+" is not a file: move it away")
	if len(s.asked()) != 0 {
		t.Error("the server was asked")
	}
}

// A download that is called off ends at once, and what came is kept.
func TestGetCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := impatient(t.TempDir())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(published)))
		_, _ = w.Write(published[:40_000])
		flush(w)
		for came := int64(0); came < 40_000; time.Sleep(time.Millisecond) {
			if info, err := os.Stat(filepath.Join(g.Folder, "set.bin.part")); err == nil {
				came = info.Size()
			}
		}
		cancel()
		<-r.Context().Done()
	})
	_, err := g.get(ctx, file(s.url()))
	refused(t, g.Folder, err, "context canceled", "(40.0 kB came and are kept)", "run again")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	path, err := g.get(t.Context(), file(s.url()))
	right(t, path, err)
	if asked := s.asked(); asked[1].ranged != "bytes=40000-" {
		t.Errorf("it asked %v", asked)
	}
}

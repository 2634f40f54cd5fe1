package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"ngebm/data/files"
)

// printed fails if an error holds what would control a terminal or begin a line.
func printed(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("the error holds what is not printable: %q", err)
	}
}

// raw answers every connection with these bytes, whatever HTTP says.
func raw(t *testing.T, answer string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1<<12))
				_, _ = fmt.Fprint(c, answer)
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/set.bin"
}

// What a server sends cannot control a terminal, nor write a line of ours, be it by an
// error or by what is said on the way.
func TestServersTextIsPrinted(t *testing.T) {
	const evil = "\x1b]0;pwned\a\x1b[2J"
	for name, answer := range map[string]string{
		"a status":             "HTTP/1.1 404 " + evil + "\r\n\r\n",
		"a status of the time": "HTTP/1.1 503 " + evil + "\xc2\x9b31m\r\n\r\n",
		"a redirect":           "HTTP/1.1 302 Found\r\nLocation: gopher://" + evil + "/\r\n\r\n",
		"a redirect's host":    "HTTP/1.1 302 Found\r\nLocation: http://\xc2\x9b31m.invalid/\r\n\r\n",
		"a header":             "HTTP/1.1 200 OK\r\nContent-Length: " + evil + "\r\n\r\n",
		"no HTTP":              evil + "\r\nfetch: all is well\r\n",
		"a range":              "HTTP/1.1 206 OK\r\nContent-Range: bytes " + evil + "\r\n\r\n",
	} {
		g := impatient(t.TempDir())
		told := &reports{}
		g.Progress = told
		write(t, filepath.Join(g.Folder, "set.bin.part"), published[:10])
		_, err := g.get(t.Context(), file(raw(t, answer)))
		refused(t, g.Folder, err, "set.bin")
		printed(t, err)
		for _, task := range told.tasks() {
			printed(t, errors.New(name+": "+task))
		}
	}
}

// A redirect to another kind of address is not tried again.
func TestRedirectElsewhere(t *testing.T) {
	for _, to := range []string{"file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/set.bin", "data:,x"} {
		s := serve(t, slices.Repeat([]http.HandlerFunc{status(302, "Location", to)}, 50)...)
		g := impatient(t.TempDir())
		g.pause = time.Hour
		_, err := g.get(t.Context(), file(s.url()))
		refused(t, g.Folder, err, "neither http nor https", to[:4])
		if n := len(s.asked()); n != 1 {
			t.Errorf("%s: %d requests, want 1", to, n)
		}
	}
}

// A server that sends a byte now and then is given up, as one that sends nothing.
func TestTrickle(t *testing.T) {
	s := serve(t, slices.Repeat([]http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(published)))
		for i := range published {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
			_, _ = w.Write(published[i : i+1])
			flush(w)
		}
	}}, 50)...)
	g := impatient(t.TempDir()).hurried("hangs")
	began := time.Now()
	_, err := g.get(t.Context(), file(s.url()))
	refused(t, g.Folder, err, "less than 16.4 kB came in 300ms (5 attempts)")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The patience of a program is seconds for a server, or a proxy, that does not answer.
func TestPatience(t *testing.T) {
	g := newGetter(Options{})
	if worst := time.Duration(g.silent)*g.answer + g.pause; worst > 30*time.Second {
		t.Errorf("a mirror that does not answer is given up after %v", worst)
	}
}

// In a folder that others may write to, links in place of our unfinished files lead
// nowhere: what they name stays as it is, and the file comes.
func TestLinksAtPart(t *testing.T) {
	for name, link := range map[string]func(target, name string) error{"symbolic": os.Symlink, "hard": os.Link} {
		s := serve(t)
		g := impatient(t.TempDir())
		elsewhere := t.TempDir()
		for _, suffix := range []string{".part", ".part.from", ".checked", ".lock"} {
			victim := filepath.Join(elsewhere, "victim"+suffix)
			write(t, victim, []byte("precious"))
			if suffix == ".lock" && name == "symbolic" {
				continue // see below
			}
			if err := link(victim, filepath.Join(g.Folder, "set.bin"+suffix)); err != nil {
				t.Fatal(err)
			}
		}
		path, err := g.get(t.Context(), file(s.url()))
		right(t, path, err)
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: the file is %v, %v", name, info, err)
		}
		for _, victim := range names(t, elsewhere) {
			if got, err := os.ReadFile(filepath.Join(elsewhere, victim)); string(got) != "precious" {
				t.Errorf("%s: %s holds %.40q, %v", name, victim, got, err)
			}
		}
	}
	g := impatient(t.TempDir())
	planted := filepath.Join(t.TempDir(), "planted")
	if err := os.Symlink(planted, filepath.Join(g.Folder, "set.bin.lock")); err != nil {
		t.Fatal(err)
	}
	_, err := g.get(t.Context(), file(serve(t).url()))
	refused(t, g.Folder, err, "set.bin.lock", "symbolic link")
	if _, err := os.Lstat(planted); err == nil {
		t.Error("the lock was made through a link")
	}
}

// A folder that comes from elsewhere with its marks is checked again: a tampered file of the
// right size and time is refused.
func TestCopiedMark(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	f := file(serve(t).url())
	path, err := impatient(from).get(t.Context(), f)
	right(t, path, err)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	tampered := bytes.Clone(published)
	tampered[0] ^= 1
	write(t, f.Path(to), tampered)
	mark, err := os.ReadFile(path + checkedSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path(to)+checkedSuffix, mark, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(f.Path(to), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got := f.State(to); got != Unchecked {
		t.Errorf("the copy's state is %q", got)
	}
	_, err = f.Get(t.Context(), Options{Folder: to, Offline: true})
	mentions(t, err, "has SHA-256", "but the published file has "+f.SHA256)

	// The same in place of the original: exchanged, with size and time as before.
	write(t, path+".new", tampered)
	if err := errors.Join(os.Chtimes(path+".new", info.ModTime(), info.ModTime()), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	_, err = f.Get(t.Context(), Options{Folder: from, Offline: true})
	mentions(t, err, "has SHA-256", "but the published file has "+f.SHA256)
}

// A mark that another could have written is not believed, and leaves room for our own.
func TestForeignMark(t *testing.T) {
	f := file()
	for name, spoil := range map[string]func(mark string) error{
		"writable by all": func(mark string) error { return os.Chmod(mark, 0o666) },
		"another's": func(mark string) error {
			if os.Geteuid() != 0 {
				return os.Chmod(mark, 0o666) // only root can give it away
			}
			return os.Chown(mark, 65534, 65534)
		},
	} {
		folder := t.TempDir()
		path := f.Path(folder)
		write(t, path, published)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path+checkedSuffix, []byte(f.mark(info)))
		if got := f.State(folder); got != Present {
			t.Errorf("%s: with our own mark the state is %q", name, got)
		}
		if err := spoil(path + checkedSuffix); err != nil {
			t.Fatal(err)
		}
		if got := f.State(folder); got != Unchecked {
			t.Errorf("%s: the state is %q", name, got)
		}
		got, err := f.Get(t.Context(), Options{Folder: folder, Offline: true})
		right(t, got, err)
		if got := f.State(folder); got != Present {
			t.Errorf("%s: then the state is %q", name, got)
		}
		if name == "another's" && os.Geteuid() == 0 {
			if uid, _ := files.Owner(lstat(t, path+checkedSuffix)); uid != 65534 {
				t.Errorf("%s: the mark was taken from user 65534", name)
			}
		}
	}
}

func lstat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// An entity tag that cannot be sent back, from a server or a note, does not keep the rest of
// a file from coming.
func TestTagThatCannotBeSent(t *testing.T) {
	for name, tag := range map[string]string{"server": "\"v1\x01\"", "note": "\"v1\"\nX: y"} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", tag)
			w.Header().Set("Content-Length", fmt.Sprint(len(published)))
			_, _ = w.Write(published[:40_000])
			flush(w)
			panic(http.ErrAbortHandler)
		})
		g := impatient(t.TempDir())
		if name == "note" {
			write(t, filepath.Join(g.Folder, "set.bin.part"), published[:10])
			source{URL: s.url(), ETag: tag}.note(filepath.Join(g.Folder, "set.bin.part"))
		}
		path, err := g.get(t.Context(), file(s.url()))
		right(t, path, err)
	}
}

// A note of a part is anyone's bytes: what comes of it can be sent.
func FuzzNote(f *testing.F) {
	f.Add([]byte(`{"URL":"u","ETag":"\"v1\"","LastModified":"Fri, 31 Dec 2100 23:59:59 GMT"}`))
	f.Add([]byte(`{"URL":"u","ETag":"\"\u000a\""}`))
	f.Add([]byte(`{"URL":"u","LastModified":"\u009b"}`))
	part := filepath.Join(f.TempDir(), "part")
	f.Fuzz(func(t *testing.T, note []byte) {
		write(t, part+fromSuffix, note)
		value := recall(part).validator("u")
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is to be sent", value)
		}
	})
}

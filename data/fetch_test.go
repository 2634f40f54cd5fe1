package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"ngebm/ngebm/progress"
)

var published = bytes.Repeat([]byte("the authors' bytes "), 5000)

func publishedSum() string {
	sum := sha256.Sum256(published)
	return hex.EncodeToString(sum[:])
}

// Whatever a server does wrong, nothing stands under the final name, and the
// error says what to do.
func TestFetchFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		want   string
	}{
		{"absent", http.NotFound, "the server answered 404 Not Found"},
		{"busy", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, "the server answered 503 Service Unavailable"},
		{"wrong bytes", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>log in</html>") }, "what came (19 bytes) has SHA-256"},
		{"nothing", func(w http.ResponseWriter, r *http.Request) {}, "what came (0 bytes) has SHA-256"},
		{"cut short", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(published)))
			w.Write(published[:1000])
		}, "after 1000 bytes: unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.handle)
			defer server.Close()
			path := filepath.Join(t.TempDir(), "set.bin")
			r := remote{server.URL + "/set.bin", publishedSum()}
			says(t, r.fetch(t.Context(), path, progress.Silent{}),
				"download of "+r.url, c.want, "run again, or put the file (SHA-256 "+r.sha256+") at "+path+" yourself")
			if names := folderNames(t, filepath.Dir(path)); len(names) != 1 || names[0] != "set.bin.lock" {
				t.Errorf("it left %v", names)
			}
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	err := remote{server.URL + "/set.bin", publishedSum()}.fetch(t.Context(), filepath.Join(t.TempDir(), "set.bin"), progress.Silent{})
	says(t, err, "connection refused", "yourself")
}

// A download that is called off ends at once and leaves nothing half done.
func TestFetchCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(published[:1000])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "set.bin")
	says(t, remote{server.URL, publishedSum()}.fetch(ctx, path, progress.Silent{}), "context canceled")
	if names := folderNames(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("it left %v", names)
	}
}

// A server that hangs, at once or on the way, is given up.
func TestDownloadStalls(t *testing.T) {
	for _, sent := range []int{0, 1000} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if sent > 0 {
				w.Write(published[:sent])
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}))
		err := remote{server.URL, publishedSum()}.download(t.Context(), filepath.Join(t.TempDir(), "set.bin.part"), progress.Silent{}, 100*time.Millisecond)
		server.Close()
		says(t, err, "nothing came for 100ms")
	}
}

// Of several processes one downloads: the test runs itself as the others.
func TestFetchOnceAmongProcesses(t *testing.T) {
	if path := os.Getenv("NGEBM_TEST_FETCH"); path != "" {
		if err := (remote{os.Getenv("NGEBM_TEST_URL"), publishedSum()}).fetch(t.Context(), path, progress.Silent{}); err != nil {
			t.Fatal(err)
		}
		return
	}
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		time.Sleep(300 * time.Millisecond) // long enough for all to want it
		w.Write(published)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "set.bin")
	var processes []*exec.Cmd
	for range 3 {
		process := exec.Command(os.Args[0], "-test.run=^TestFetchOnceAmongProcesses$")
		process.Env = append(os.Environ(), "NGEBM_TEST_FETCH="+path, "NGEBM_TEST_URL="+server.URL)
		process.Stdout = new(bytes.Buffer)
		process.Stderr = process.Stdout
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		processes = append(processes, process)
	}
	for _, process := range processes {
		if err := process.Wait(); err != nil {
			t.Errorf("%v:\n%s", err, process.Stdout)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, published) {
		t.Errorf("the file is not there whole (%v)", err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d downloads, want 1", n)
	}
}

// What a killed download left behind does no harm.
func TestFetchAfterKill(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(published) }))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "set.bin")
	if err := os.WriteFile(path+".part", bytes.Repeat([]byte("x"), 2*len(published)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (remote{server.URL, publishedSum()}).fetch(t.Context(), path, progress.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, published) {
		t.Error("the file is not the published one")
	}
}

package fetch

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"ngebm/data/testdisk"
)

// slowly is a reader that takes its time, so that there is some to be killed in.
type slowly struct{ *bytes.Reader }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(2 * time.Millisecond)
	return s.Reader.Read(p[:min(len(p), 1<<10)])
}

// Downloads that are killed with -9, twice each at moments uniform over their time, are
// gone on with and end with the published file; in between no lock is held, no process
// is left, and no other file has its name.
func TestLongKilledFetching(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, slowly{bytes.NewReader(published)})
	}))
	defer s.Close()
	url := s.URL + "/set.bin"
	began := time.Now()
	process, out := start(t, t.TempDir(), url)
	if err := process.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(began)
	rng := rand.New(rand.NewPCG(1, 2))
	kills, partly, fetched := 0, 0, 0
	for kills < testdisk.Times(10, 50) && fetched < 400 {
		folder := t.TempDir()
		path := file().Path(folder)
		for range 2 {
			process, out := start(t, folder, url)
			timer := time.AfterFunc(time.Duration(rng.Float64()*float64(whole)), func() { _ = process.Process.Kill() })
			if err := process.Wait(); timer.Stop() {
				right(t, path, err) // it was faster
				continue
			}
			kills++
			if _, err := os.Stat(path); err == nil {
				right(t, path, nil)
			} else if part, _ := os.ReadFile(path + partSuffix); len(part) > 0 {
				if partly++; !bytes.HasPrefix(published, part) {
					t.Errorf("the part of %d bytes is not the beginning of the file", len(part))
				}
			}
			lock := flock.New(path + ".lock")
			if free, err := lock.TryLock(); err != nil || !free {
				t.Errorf("the lock is still held (%v): %s", err, out)
			}
			_ = lock.Close()
		}
		process, out := start(t, folder, url)
		if err := process.Wait(); err != nil {
			t.Errorf("after two kills: %v: %s", err, out)
		}
		right(t, path, nil)
		fetched++
		if left := slices.DeleteFunc(names(t, folder), func(name string) bool {
			return name == "set.bin" || name == "set.bin.lock" || name == "set.bin"+checkedSuffix
		}); len(left) > 0 {
			t.Errorf("left is %s", strings.Join(left, ", "))
		}
	}
	t.Logf("left alone it took %v; %d kills, %d with a part of the file there, %d files compared", whole, kills, partly, fetched)
	if partly == 0 && kills >= 50 { // of a few, all may fall into the start
		t.Error("no kill fell into the download")
	}
}

// A published file of which one byte was changed is refused, whichever it was.
func TestLongCorruptedFetched(t *testing.T) {
	folder := t.TempDir()
	f := file()
	rng := rand.New(rand.NewPCG(1, 2))
	for range testdisk.Times(300, 10_000) {
		content := bytes.Clone(published)
		content[rng.IntN(len(content))] ^= byte(1 + rng.IntN(255))
		if err := os.WriteFile(f.Path(folder), content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Get(t.Context(), Options{Folder: folder}); err == nil || !strings.Contains(err.Error(), "has SHA-256 ") {
			t.Fatalf("error %v", err)
		}
	}
}

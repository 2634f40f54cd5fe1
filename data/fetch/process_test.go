package fetch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// TestMain lets the tests run this program as another process that fetches.
func TestMain(m *testing.M) {
	if folder := os.Getenv("NGEBM_TEST_FETCH"); folder != "" {
		told := &reports{}
		if _, err := file(os.Getenv("NGEBM_TEST_URL")).Get(context.Background(), Options{Folder: folder, Progress: told}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(told.tasks())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// start starts a process that fetches the file.
func start(t *testing.T, folder, url string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), "NGEBM_TEST_FETCH="+folder, "NGEBM_TEST_URL="+url)
	out := new(bytes.Buffer)
	process.Stdout, process.Stderr = out, out
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	return process, out
}

// Of several processes one downloads, and the others say that they wait.
func TestFetchOnceAmongProcesses(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(500 * time.Millisecond) // long enough for all to want it
		good(w, r)
	})
	folder := t.TempDir()
	var processes []*exec.Cmd
	var outs []*bytes.Buffer
	for range 3 {
		process, out := start(t, folder, s.url())
		processes, outs = append(processes, process), append(outs, out)
	}
	waited := 0
	for i, process := range processes {
		if err := process.Wait(); err != nil {
			t.Errorf("%v: %s", err, outs[i])
		}
		if bytes.Contains(outs[i].Bytes(), []byte("wait for another process to download set.bin")) {
			waited++
		}
	}
	right(t, file().Path(folder), nil)
	if n := len(s.asked()); n != 1 || waited != 2 {
		t.Errorf("%d downloads and %d that waited, want 1 and 2", n, waited)
	}
}

// A process that is killed while it downloads leaves what came and no lock: the
// next one goes on at once.
func TestKilledThenResumed(t *testing.T) {
	sent := make(chan bool)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", "95000")
		_, _ = w.Write(published[:40_000])
		flush(w)
		close(sent)
		<-r.Context().Done()
	})
	folder := t.TempDir()
	process, _ := start(t, folder, s.url())
	<-sent
	part := file().Path(folder) + ".part"
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(part); err == nil && info.Size() == 40_000 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing came")
		}
	}
	_ = process.Process.Kill()
	_ = process.Wait()
	if got, want := names(t, folder), []string{"set.bin.lock", "set.bin.part", "set.bin.part.from"}; !slices.Equal(got, want) {
		t.Errorf("the killed process left %v, want %v", got, want)
	}
	path, err := impatient(folder).get(t.Context(), file(s.url()))
	right(t, path, err)
	if asked := s.asked(); len(asked) != 2 || asked[1].ranged != "bytes=40000-" || asked[1].ifRange != `"v1"` {
		t.Errorf("it asked %v", asked)
	}
}

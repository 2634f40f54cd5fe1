package device

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ngebm/data/progress"
)

// contentSHA is what printf 'a plugin' | sha256sum prints.
const (
	content    = "a plugin"
	contentSHA = "bc1de45bfa4006cb1695e194d9bdf6532af14e323de66a5bd13b146184b15d30"
)

// writes is a source that leaves the given bytes.
func writes(name, content string) source {
	return source{name: name, what: "test", byHand: "get it from the test", size: int64(len(content)), sha256: fmt.Sprintf("%x", sha256.Sum256([]byte(content))), fetch: func(_ context.Context, work string, _ progress.Reporter) (string, error) {
		file := filepath.Join(work, "some.so")
		return file, os.WriteFile(file, []byte(content), 0o644)
	}}
}

// recorder keeps the reports.
type recorder struct {
	sync.Mutex
	reports []progress.Report
}

func (r *recorder) Report(p progress.Report) {
	r.Lock()
	defer r.Unlock()
	r.reports = append(r.reports, p)
}

// last is the last report of a task.
func (r *recorder) last(task string) (last progress.Report) {
	r.Lock()
	defer r.Unlock()
	for _, report := range r.reports {
		if report.Task == task {
			last = report
		}
	}
	return last
}

// leftovers fails if anything but the lock and whole plugins is in the cache.
func leftovers(t *testing.T, cache string) {
	t.Helper()
	work, err := filepath.Glob(filepath.Join(cache, "work-*"))
	if err != nil || len(work) > 0 {
		t.Errorf("left in the cache: %q, %v", work, err)
	}
}

func TestObtain(t *testing.T) {
	pinned := writes("pinned", content)
	forged := writes("forged", "b plugin")
	forged.sha256 = contentSHA
	larger := writes("larger", "another plugin")
	larger.size, larger.sha256 = int64(len(content)), contentSHA
	lost := source{name: "lost", fetch: func(_ context.Context, work string, _ progress.Reporter) (string, error) {
		return filepath.Join(work, "nowhere.so"), nil
	}}
	for _, c := range []struct {
		name    string
		sources []source
		want    string // the folder the plugin ends in
		err     []string
	}{
		{name: "the first source", sources: []source{pinned, unreachable}, want: "pinned"},
		{name: "the next when one fails", sources: []source{unreachable, pinned}, want: "pinned"},
		{name: "a larger file is not used", sources: []source{larger}, err: []string{"larger", "14 bytes, more than the limit of 8"}},
		{name: "a wrong checksum is not used", sources: []source{forged, pinned}, want: "pinned"},
		{name: "a wrong checksum is told", sources: []source{forged}, err: []string{"forged", "has SHA-256", "instead of " + contentSHA, "thrown away"}},
		{name: "all that was tried is told", sources: []source{unreachable, forged, lost}, err: []string{"demo: no network", "forged: ", "lost: ", "nowhere.so"}},
	} {
		s := store{cache: filepath.Join(t.TempDir(), "pjrt"), sources: c.sources}
		p, err := s.obtain(context.Background(), progress.Discard{})
		if c.err != nil {
			if err == nil {
				t.Errorf("%s: got %v", c.name, p)
				continue
			}
			for _, want := range c.err {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %q does not say %q", c.name, err, want)
				}
			}
		} else if want := filepath.Join(s.cache, c.want, pluginFile); err != nil || p.path != want {
			t.Errorf("%s: %v, %v, want %s", c.name, p, err, want)
		}
		if c.err == nil && p.source != c.want+", test, SHA-256 verified now" {
			t.Errorf("%s: it says %q", c.name, p.source)
		}
		q, err := s.find(t.Context(), progress.Discard{})
		if q.path != p.path || errors.Is(err, errAbsent) != (c.err != nil) || c.err == nil && q.source != c.want+", test, SHA-256 verified at download, unchanged since" {
			t.Errorf("%s: then finds %v, %v", c.name, q, err)
		}
		leftovers(t, s.cache)
	}
}

// A plugin that lost its end since it was placed is fetched again.
func TestObtainCutPlugin(t *testing.T) {
	pinned := writes("pinned", content)
	s := store{cache: t.TempDir(), sources: []source{pinned}}
	p, err := s.obtain(context.Background(), progress.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(p.path, 3); err != nil {
		t.Fatal(err)
	}
	if q, err := s.find(t.Context(), progress.Discard{}); !errors.Is(err, errAbsent) {
		t.Errorf("takes %v for whole, %v", q, err)
	}
	if _, err := s.obtain(context.Background(), progress.Discard{}); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(p.path); string(got) != content {
		t.Errorf("holds %q", got)
	}
}

func TestObtainCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stops := source{name: "stops", fetch: func(ctx context.Context, _ string, _ progress.Reporter) (string, error) {
		cancel()
		<-ctx.Done()
		return "", ctx.Err()
	}}
	s := store{cache: t.TempDir(), sources: []source{stops, writes("next", content)}}
	if p, err := s.obtain(ctx, progress.Discard{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", p, err)
	}
	leftovers(t, s.cache)
}

func TestObtainNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	touch(t, file)
	s := store{cache: filepath.Join(file, "pjrt"), sources: []source{writes("x", content)}}
	_, err := s.obtain(context.Background(), progress.Discard{})
	if err == nil || !strings.Contains(err.Error(), s.cache) || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Errorf("%v", err)
	}
}

// The tests below need a second process: this test binary, with a part to play
// named in the environment.
const part = "NGEBM_DEVICE_TEST_PART"

func TestMain(m *testing.M) {
	if name := os.Getenv(part); name != "" {
		parts[name](os.Args[1])
		return
	}
	os.Exit(m.Run())
}

var parts = map[string]func(cache string){
	// fetch takes its time and notes each fetch.
	"slow": func(cache string) {
		src := writes("slow", content)
		fetch := src.fetch
		src.fetch = func(ctx context.Context, work string, r progress.Reporter) (string, error) {
			time.Sleep(300 * time.Millisecond)
			fmt.Println("fetched")
			return fetch(ctx, work, r)
		}
		var seen recorder
		p, err := store{cache: cache, sources: []source{src}}.obtain(context.Background(), &seen)
		if err != nil {
			fmt.Println("error", err)
		}
		got, err := os.ReadFile(p.path)
		fmt.Println(string(got), err)
		for _, r := range seen.reports {
			if strings.HasPrefix(r.Task, "wait for another process") {
				fmt.Println("waited")
			}
		}
	},
	// stuck never ends.
	"stuck": func(cache string) {
		src := source{name: "slow", fetch: func(_ context.Context, work string, _ progress.Reporter) (string, error) {
			err := os.WriteFile(filepath.Join(work, "half"), []byte("a pl"), 0o644)
			fmt.Println("half way", err)
			select {}
		}}
		store{cache: cache, sources: []source{src}}.obtain(context.Background(), progress.Discard{})
	},
	// full has no room on its disk for the plugin.
	"full": func(cache string) {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4, Max: 4}); err != nil {
			fmt.Println(err)
		}
		_, err := store{cache: cache, sources: []source{writes("big", content)}}.obtain(context.Background(), progress.Discard{})
		fmt.Println(err)
	},
	// quiet opens XLA and says nothing about it.
	"quiet": func(string) {
		d, err := Open("cpu", nil)
		if err == nil {
			d.Close()
		}
		fmt.Println(err)
	},
}

func play(name, cache string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], cache)
	cmd.Env = append(os.Environ(), part+"="+name)
	return cmd
}

func TestObtainProcesses(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "pjrt")
	var out [3]bytes.Buffer
	var cmds [3]*exec.Cmd
	for i := range cmds {
		cmds[i] = play("slow", cache)
		cmds[i].Stdout, cmds[i].Stderr = &out[i], &out[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	var all string
	for i := range cmds {
		if err := cmds[i].Wait(); err != nil {
			t.Error(err)
		}
		all += out[i].String()
	}
	if fetched, got, waited := strings.Count(all, "fetched"), strings.Count(all, content+" <nil>"), strings.Count(all, "waited"); fetched != 1 || got != 3 || waited != 2 {
		t.Errorf("of 3 processes %d fetched, %d waited and %d got it:\n%s", fetched, waited, got, all)
	}
	leftovers(t, cache)
}

func TestObtainGoroutines(t *testing.T) {
	slow := writes("slow", content)
	fetch, fetches := slow.fetch, 0 // counted under the store's lock
	slow.fetch = func(ctx context.Context, work string, r progress.Reporter) (string, error) {
		fetches++
		time.Sleep(50 * time.Millisecond)
		return fetch(ctx, work, r)
	}
	s := store{cache: t.TempDir(), sources: []source{slow}}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := s.obtain(context.Background(), progress.Discard{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if fetches != 1 {
		t.Errorf("%d fetches", fetches)
	}
}

// A process killed half way leaves nothing that passes for a plugin and does not
// stand in the way.
func TestObtainAfterKill(t *testing.T) {
	cache := t.TempDir()
	cmd := play("stuck", cache)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "half way <nil>\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	s := store{cache: cache, sources: []source{writes("slow", content)}}
	if p, err := s.find(t.Context(), progress.Discard{}); !errors.Is(err, errAbsent) {
		t.Errorf("takes %v for a plugin, %v", p, err)
	}
	if _, err := s.obtain(context.Background(), progress.Discard{}); err != nil {
		t.Error(err)
	}
	leftovers(t, cache)
}

func TestObtainFullDisk(t *testing.T) {
	cache := t.TempDir()
	out, err := play("full", cache).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "file too large") {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(cache, "big")); err == nil {
		t.Error("a plugin was placed")
	}
	leftovers(t, cache)
}

// XLA's C++ log would spoil a notebook's output.
func TestOpenQuiet(t *testing.T) {
	cmd := play("quiet", "")
	cmd.Env = append(cmd.Env, "TF_CPP_MIN_LOG_LEVEL=")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "<nil>\n" {
		t.Errorf("%v, wrote %q", err, out)
	}
}

package device

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/data/progress"
)

// demoWheel writes a wheel demo-pjrt 1.0 with one plugin in it into a folder and
// makes pip take packages from there only.
func demoWheel(t *testing.T) wheel {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "demo_pjrt-1.0-py3-none-any.whl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	const info = "demo_pjrt-1.0.dist-info/"
	for _, file := range [][2]string{
		{"demo_pjrt/libpjrt_cpu.so", content},
		{info + "METADATA", "Metadata-Version: 2.1\nName: demo-pjrt\nVersion: 1.0\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", ""},
	} {
		w, err := z.Create(file[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(file[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(bytes))
	stat, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", "file://"+dir)
	return wheel{
		name: "demo-pjrt", version: "1.0", sha256: sum, size: stat.Size(),
		file: "libpjrt_cpu.so", fileSHA256: contentSHA, fileSize: int64(len(content)),
	}
}

// pip itself runs here, as it will for a user.
func TestWheel(t *testing.T) {
	good := demoWheel(t)
	with := func(change func(*wheel)) wheel {
		w := good
		change(&w)
		return w
	}
	for _, c := range []struct {
		name string
		w    wheel
		err  []string
	}{
		{name: "right", w: good},
		{name: "another wheel under the name", w: with(func(w *wheel) { w.sha256 = contentSHA }), err: []string{"DO NOT MATCH THE HASHES"}},
		{name: "another plugin in the wheel", w: with(func(w *wheel) { w.fileSHA256 = w.sha256 }), err: []string{"has SHA-256 " + contentSHA}},
		{name: "no plugin in the wheel", w: with(func(w *wheel) { w.file = "other.so" }), err: []string{`other.so in "demo_pjrt-1.0-py3-none-any.whl"`}},
		{name: "withdrawn", w: with(func(w *wheel) { w.version = "2.0" }), err: []string{"demo-pjrt==2.0"}},
	} {
		var seen recorder
		s := store{cache: t.TempDir(), sources: []source{c.w.source()}}
		p, err := s.obtain(context.Background(), &seen)
		if c.err == nil {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if got, err := os.ReadFile(p.path); string(got) != content {
				t.Errorf("%s: %q, %v", c.name, got, err)
			}
			if r := seen.last("download demo-pjrt 1.0"); !r.Finished || r.Done != good.size || r.Total != good.size || r.Unit != "bytes" {
				t.Errorf("%s: last report %+v", c.name, r)
			}
		}
		for _, want := range c.err {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want a line with %q", c.name, err, want)
			}
		}
		leftovers(t, s.cache)
	}
}

// Python without pip, as Debian's is, gets it from a throw-away environment;
// without Python the message says what is missing.
func TestWheelWithoutPip(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it makes a virtual environment with pip")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	w := demoWheel(t)
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ \"$2\" = 'import pip' ] && exit 1\nexec '%s' \"$@\"\n", python)
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+path)
	s := store{cache: t.TempDir(), sources: []source{w.source()}}
	if _, err := s.obtain(context.Background(), progress.Discard{}); err != nil {
		t.Error(err)
	}
	leftovers(t, s.cache)

	t.Setenv("PATH", t.TempDir())
	s.cache = t.TempDir()
	if _, err := s.obtain(context.Background(), progress.Discard{}); err == nil || !strings.Contains(err.Error(), "python3 on the PATH") {
		t.Errorf("without Python: %v", err)
	}
}

// What a person has set for another Python does not reach the one that gets the plugin.
func TestWheelIgnoresOtherPythons(t *testing.T) {
	w := demoWheel(t)
	for _, name := range []string{"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET", "PIP_ROOT"} {
		t.Setenv(name, t.TempDir())
	}
	s := store{cache: t.TempDir(), sources: []source{w.source()}}
	if _, err := s.obtain(t.Context(), progress.Discard{}); err != nil {
		t.Error(err)
	}
	leftovers(t, s.cache)
}

// A proxy that takes connections and never answers ends the try with the first wheel,
// in the time that a server may be silent.
func TestWheelBehindSilentProxy(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	w := demoWheel(t)
	t.Setenv("PIP_NO_INDEX", "")
	t.Setenv("PIP_FIND_LINKS", "")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_INDEX_URL", "https://index.invalid/simple")
	t.Setenv("PIP_PROXY", "http://"+listener.Addr().String())
	w.silence = 3 * time.Second
	second := writes("second", content)
	second.fetch = func(context.Context, string, progress.Reporter) (string, error) {
		t.Error("the second one was tried, on the same network")
		return "", errors.New("tried")
	}
	s := store{cache: t.TempDir(), sources: []source{w.source(), second}}
	start := time.Now()
	_, err = s.obtain(t.Context(), progress.Discard{})
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, want := range []string{"nothing came for 3s", "pip download --no-deps demo-pjrt==1.0", w.sha256, "$PJRT_PLUGIN_LIBRARY_PATH"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	leftovers(t, s.cache)
}

// Offline, no program is started.
func TestOfflineStartsNothing(t *testing.T) {
	bin, ran := t.TempDir(), filepath.Join(t.TempDir(), "ran")
	for _, name := range []string{"python3", "pip", "curl", "nvidia-smi"} {
		script := fmt.Sprintf("#!/bin/sh\necho %s >> '%s'\nexit 1\n", name, ran)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
	if _, ok := findInstalled(searchFolders(nil), CPU); ok {
		t.Skip("a plugin is installed for all users")
	}
	_, err := OpenContext(t.Context(), Options{Device: CPU, Offline: true})
	if !errors.Is(err, ErrOffline) {
		t.Errorf("the error is %v", err)
	}
	for _, w := range wheels[:1] {
		for _, want := range []string{w.name + "==" + w.version, w.sha256, "unzip " + w.file, pluginFile} {
			if defaultSources() != nil && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
	}
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("it ran %s", text)
	}
	if left, _ := os.ReadDir(os.Getenv("HOME")); len(left) > 0 {
		t.Errorf("it made %v", left)
	}
}

// A package index that sends a wheel without an end is given up, whatever room there is.
func TestWheelWithoutEnd(t *testing.T) {
	w := demoWheel(t)
	index := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		const name = "demo_pjrt-1.0-py3-none-any.whl"
		if !strings.HasSuffix(r.URL.Path, name) {
			to.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(to, `<html><body><a href="/%s">%s</a></body></html>`, name, name)
			return
		}
		for sent := 0; sent < 4<<30; {
			n, err := to.Write(make([]byte, 1<<20))
			if err != nil {
				return
			}
			sent += n
		}
	}))
	defer index.Close()
	t.Setenv("PIP_NO_INDEX", "")
	t.Setenv("PIP_FIND_LINKS", "")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_INDEX_URL", index.URL+"/simple")
	for _, name := range []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "")
	}
	s := store{cache: t.TempDir(), sources: []source{w.source()}}
	_, err := s.obtain(t.Context(), progress.Discard{})
	index.CloseClientConnections()
	if want := fmt.Sprintf("sends more than the %d bytes of the wheel", w.size); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	leftovers(t, s.cache)
}

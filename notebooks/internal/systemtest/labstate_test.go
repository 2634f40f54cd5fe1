package systemtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ngebm/notebooks/internal/lab"
)

// served is the program with its server, without a browser unless the variable BROWSER names one.
type served struct {
	address *url.URL // as it was printed, with the token
	stop    func()   // ends it, as Ctrl-C does; the end of the test does so, too
}

// serve starts the program in a clone, by a command that ends in it, with variables of the
// environment that are named.
func serve(t *testing.T, command []string, root string, variables ...string) *served {
	t.Helper()
	env, mark := marked(t, variables...)
	said := &urlWriter{}
	// A port of its own: two that start at once might find the usual one free.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	command = append(slices.Clone(command), ready(t).program, "-port", strconv.Itoa(port))
	if !slices.ContainsFunc(variables, func(v string) bool { return strings.HasPrefix(v, "BROWSER=") }) {
		command = append(command, "-no-browser")
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, env, said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{stop: sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), "Stopping JupyterLab") {
			t.Errorf("on Ctrl-C the program ended with %v and had said\n%s", err, said)
		}
		assertNoneLeft(t, mark)
	})}
	t.Cleanup(s.stop)
	if s.address, err = url.Parse(said.await(t, 3*time.Minute)); err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request with the token and returns the answer's body.
func (s *served) ask(t *testing.T, method, path string, body []byte) []byte {
	t.Helper()
	request, err := http.NewRequest(method, "http://"+s.address.Host+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "token "+s.address.Query().Get("token"))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 400 {
		t.Fatalf("%s %s: %s %v %.300s", method, path, answer.Status, err, text)
	}
	return text
}

// forgetTabs removes in the end what JupyterLab keeps of a clone outside of it.
func forgetTabs(t *testing.T, root string) {
	p := *shared().workspace
	p.Root = root
	t.Cleanup(func() { os.RemoveAll(lab.TabsFolder(&p)) })
}

// What JupyterLab's server does without a browser. Three are started, for what needs a start.
func testServer(t *testing.T) {
	root := wholeClone(t)
	forgetTabs(t, root)
	const path, tab = "/lab/api/workspaces/default", "06_jem_and_cost.ipynb"

	var variables []string
	for _, others := range [][]string{othersGo, othersPython, othersJupyter, noNetwork} {
		variables = append(variables, others...)
	}
	another := besideAnotherJupyter(t)
	s := serve(t, another, root, append(variables, "TMPDIR="+filepath.Join(root, "missing"))...)
	t.Run("a kernel in an environment of others", func(t *testing.T) { testServedKernel(t, s) })
	t.Run("beside another Jupyter", func(t *testing.T) {
		if another == nil {
			t.Skip("SKIPPED: see above")
		}
		page := s.ask(t, http.MethodGet, "/lab", nil)
		if strings.Contains(string(page), "of-others") || !strings.Contains(string(page), "federated_extensions") {
			t.Errorf("JupyterLab's page has the extension of another, or none of its own:\n%s", page)
		}
	})
	t.Run("saving changes nothing", func(t *testing.T) { testSaving(t, s, root) })
	s.ask(t, http.MethodPut, path, []byte(`{"data": {"notebook:`+tab+`": {"data": {"path": "`+tab+`", "factory": "Notebook"}}}, "metadata": {"id": "default"}}`))
	s.stop()

	temp := t.TempDir()
	command, opened := fakeBrowser(t)
	s = serve(t, nil, root, "TMPDIR="+temp, "BROWSER="+command)
	t.Run("the same clone has its tabs again", func(t *testing.T) {
		if got := s.ask(t, http.MethodGet, path, nil); !bytes.Contains(got, []byte(tab)) {
			t.Errorf("it does not find its tab again: %s", got)
		}
	})
	t.Run("is guarded", func(t *testing.T) { testGuarded(t, s) })
	browser := opened(s)
	s.stop()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", browser.Pid)) // of one that was killed, Z may stay
	if err = cmp.Or(err, browser.Signal(syscall.Signal(0))); runtime.GOOS == "linux" && (err != nil || bytes.Contains(stat, []byte(") Z "))) {
		t.Errorf("the browser ended with the program: %v, %s", err, stat)
	}
	t.Run("leaves no temporary files", func(t *testing.T) {
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})

	t.Run("another clone has its own tabs", func(t *testing.T) {
		fresh := pinsClone(t)
		forgetTabs(t, fresh)
		if got := serve(t, nil, fresh).ask(t, http.MethodGet, path, nil); bytes.Contains(got, []byte(tab)) {
			t.Errorf("a fresh clone opens another's tab: %s", got)
		}
	})
}

// fakeBrowser is a command that starts, like xdg-open, a program in the background, and how to wait
// for that program, which has read the address of the server from the page that it was to open.
func fakeBrowser(t *testing.T) (command string, opened func(*served) *os.Process) {
	t.Helper()
	dir := t.TempDir()
	command, seen := filepath.Join(dir, "open-browser"), filepath.Join(dir, "seen")
	// Without the test's mark, since it is to be left behind.
	script := fmt.Sprintf(`#!/bin/sh
env -u %s sleep 600 &
{ echo $!; env | grep -c ^JUPYTER_TOKEN=; echo "$1"; cat "${1#file://}"; } >'%s.part'
mv '%[2]s.part' '%[2]s'
`, markVariable, seen)
	if err := os.WriteFile(command, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return command, func(s *served) *os.Process {
		t.Helper()
		var text []byte
		for range 200 { // Python has to start first
			var err error
			if text, err = os.ReadFile(seen); err == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		parts := strings.SplitN(string(text), "\n", 4)
		if len(parts) != 4 {
			t.Fatalf("no browser was opened, or it has seen %q", text)
		}
		pid, err := strconv.Atoi(parts[0])
		if err != nil {
			t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Kill() })
		if parts[1] != "0" {
			t.Errorf("the browser has the server's token as %s variable", parts[1])
		}
		token := s.address.Query().Get("token")
		if strings.Contains(parts[2], token) || !strings.Contains(parts[3], token) || !strings.Contains(parts[3], s.address.Path) {
			t.Errorf("the browser was to open %q, which says\n%s", parts[2], parts[3])
		}
		return p
	}
}

// A kernel of JupyterLab's is as one of publish's.
func testServedKernel(t *testing.T, s *served) {
	var kernel struct{ ID string }
	if err := json.Unmarshal(s.ask(t, http.MethodPost, "/api/kernels", []byte(`{"name": "gonb"}`)), &kernel); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(shared().workspace.Cache, "lab", "runtime", "kernel-"+kernel.ID+".json")
	answers := askKernel(t, file, nil, question{"execute", usesLibrary, "runs on cpu"})
	s.ask(t, http.MethodDelete, "/api/kernels/"+kernel.ID, nil)
	t.Logf("%q", answers)
}

// A notebook that is saved as JupyterLab has it, with the kernel's own words on the
// language in it, is on disk as it was: opening one leaves no change for git.
func testSaving(t *testing.T, s *served, root string) {
	for _, name := range []string{lab.StartNotebook, "09_live_explorer.ipynb"} {
		file := filepath.Join(root, "notebooks", name)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var model map[string]any
		if err := json.Unmarshal(s.ask(t, http.MethodGet, "/api/contents/"+name, nil), &model); err != nil {
			t.Fatal(err)
		}
		// What GoNB reports, by its kernel_info_reply.
		model["content"].(map[string]any)["metadata"].(map[string]any)["language_info"] = map[string]any{
			"name": "go", "version": "go1.27.3", "mimetype": "text/x-go", "file_extension": ".go",
			"pygments_lexer": "", "codemirror_mode": "", "nbconvert_exporter": "",
		}
		body, err := json.Marshal(map[string]any{"type": "notebook", "format": "json", "content": model["content"]})
		if err != nil {
			t.Fatal(err)
		}
		s.ask(t, http.MethodPut, "/api/contents/"+name, body)
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was saved and is another file: %v", name, err)
		}
	}
}

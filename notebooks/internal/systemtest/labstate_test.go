package systemtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"ngebm/notebooks/internal/lab"
)

// serve starts the program in a clone, with variables of the environment that are named,
// and returns a way to ask its server: method, path and body to the answer's body.
func serve(t *testing.T, root string, variables ...string) func(method, path string, body []byte) []byte {
	t.Helper()
	return serveBy(t, nil, root, variables...)
}

// serveBy starts the program by a command that ends in it.
func serveBy(t *testing.T, command []string, root string, variables ...string) func(method, path string, body []byte) []byte {
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
	command = append(slices.Clone(command), ready(t).program, "-no-browser", "-port", strconv.Itoa(port))
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, env, said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		assertNoneLeft(t, mark)
	})
	address, err := url.Parse(said.await(t, 3*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return func(method, path string, body []byte) []byte {
		t.Helper()
		request, err := http.NewRequest(method, "http://"+address.Host+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "token "+address.Query().Get("token"))
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
}

// forgetTabs removes in the end what JupyterLab keeps of a clone outside of it.
func forgetTabs(t *testing.T, root string) {
	p := *shared().workspace
	p.Root = root
	t.Cleanup(func() { os.RemoveAll(lab.TabsFolder(&p)) })
}

// Which tabs are open in one clone is no matter of another's, and it is there again when
// the same clone is opened again.
func TestWorkspaceOfItsOwn(t *testing.T) {
	ready(t)
	const path, tab = "/lab/api/workspaces/default", "06_jem_and_cost.ipynb"
	state := []byte(`{"data": {"notebook:` + tab + `": {"data": {"path": "` + tab + `", "factory": "Notebook"}}}, "metadata": {"id": "default"}}`)
	one, other := pinsClone(t), pinsClone(t)
	forgetTabs(t, one)
	forgetTabs(t, other)
	serve(t, one)(http.MethodPut, path, state)
	if got := serve(t, one)(http.MethodGet, path, nil); !bytes.Contains(got, []byte(tab)) {
		t.Errorf("the same clone does not find its tab again: %s", got)
	}
	if got := serve(t, other)(http.MethodGet, path, nil); bytes.Contains(got, []byte(tab)) {
		t.Errorf("a fresh clone opens another's tab: %s", got)
	}
}

// A notebook that is saved as JupyterLab has it, with the kernel's own words on the
// language in it, is on disk as it was: opening one leaves no change for git.
func TestSavingChangesNothing(t *testing.T) {
	ready(t)
	root := wholeClone(t)
	ask := serve(t, root)
	for _, name := range []string{lab.StartNotebook, "09_live_explorer.ipynb"} {
		file := filepath.Join(root, "notebooks", name)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var model map[string]any
		if err := json.Unmarshal(ask(http.MethodGet, "/api/contents/"+name, nil), &model); err != nil {
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
		ask(http.MethodPut, "/api/contents/"+name, body)
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was saved and is another file: %v", name, err)
		}
	}
}

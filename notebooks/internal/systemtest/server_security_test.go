package systemtest

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The server of the notebooks is for this machine and for whoever has the token: nothing
// without it, nothing at other addresses, and the token neither in the log nor in what
// others on the machine can list.
func TestServerIsGuarded(t *testing.T) {
	b := ready(t)
	t.Parallel()
	root := pinsClone(t)
	cache := t.TempDir() // a log of its own would be lost among others' in the shared one
	env, mark := marked(t)
	said := &urlWriter{}
	cmd := exec.Command(b.program, "-no-browser")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, append(env, "TMPDIR="+cache), said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		assertNoneLeft(t, mark)
		if left, _ := os.ReadDir(cache); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
	}()
	address, err := url.Parse(said.await(t, 3*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	token := address.Query().Get("token")
	if len(token) < 20 {
		t.Errorf("the token has %d characters", len(token))
	}
	for query, want := range map[string]int{"": http.StatusForbidden, "?token=wrong": http.StatusForbidden, "?token=" + token: http.StatusOK} {
		answer, err := http.Get("http://" + address.Host + "/api/contents" + query)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("status %d, want %d, with %.12s", answer.StatusCode, want, query)
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.IsLinkLocalUnicast() {
			continue
		}
		if c, err := net.DialTimeout("tcp", net.JoinHostPort(ip.IP.String(), address.Port()), time.Second); err == nil {
			c.Close()
			t.Errorf("it answers at %v", ip.IP)
		}
	}
	log, err := os.ReadFile(filepath.Join(b.workspace.Cache, "lab", "server-"+address.Port()+".log"))
	if err != nil || len(log) == 0 || bytes.Contains(log, []byte(token)) {
		t.Errorf("the log of %d bytes holds the token, or nothing (%v)", len(log), err)
	}
	if info, err := os.Stat(filepath.Join(b.workspace.Cache, "lab", "server-"+address.Port()+".log")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the log: %v (%v)", info.Mode(), err)
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(token)) {
			t.Errorf("the token is among the arguments of %q", line)
		}
	}
}

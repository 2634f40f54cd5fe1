package systemtest

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The server of the notebooks is for this machine and for whoever has the token: nothing
// without it, nothing at other addresses, and the token neither in the log nor in what
// others on the machine can list.
func testGuarded(t *testing.T, s *served) {
	address := s.address
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
	log, err := os.ReadFile(filepath.Join(shared().workspace.Cache, "lab", "server-"+address.Port()+".log"))
	if err != nil || len(log) == 0 || bytes.Contains(log, []byte(token)) {
		t.Errorf("the log of %d bytes holds the token, or nothing (%v)", len(log), err)
	}
	if info, err := os.Stat(filepath.Join(shared().workspace.Cache, "lab", "server-"+address.Port()+".log")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the log: %v (%v)", info.Mode(), err)
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(token)) {
			t.Errorf("the token is among the arguments of %q", line)
		}
	}
}

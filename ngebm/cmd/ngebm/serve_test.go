package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"ngebm/data/tabular"
	"ngebm/ngebm"
	"ngebm/ngebm/serve"
)

// trainDigits trains a run for one epoch and returns its folder.
func trainDigits(t *testing.T, bin string) string {
	t.Helper()
	runs := t.TempDir()
	if out, err := exec.Command(bin, "train", "-preset", "digits", "-set", "epochs=1", "-runs", runs, "-device", "cpu").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dirs, err := filepath.Glob(filepath.Join(runs, "digits-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("runs %v (%v)", dirs, err)
	}
	return dirs[0]
}

func grayPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The service fits a predictor where there is none, answers, and after SIGTERM in mid-load ends without
// an error once all that it accepted is answered.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("long: it trains")
	}
	bin := build(t)
	dir := trainDigits(t, bin)
	cmd := exec.Command(bin, "serve", dir, "-addr", "127.0.0.1:0", "-device", "cpu", "-log")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		_ = cmd.Wait()
		t.Fatalf("nothing is printed\n%s", &log)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text())
	if !lines.Scan() || strings.TrimSpace(lines.Text()) != "curl --data-binary @image.png "+address+"/predict" {
		t.Errorf("it prints %q", lines.Text())
	}
	body := grayPNG(t, 8, 8)
	var answered atomic.Int64
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			for {
				r, err := http.Post(address+"/predict", "image/png", bytes.NewReader(body))
				if err != nil {
					return nil // stopped
				}
				text, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || r.StatusCode != http.StatusOK {
					return fmt.Errorf("status %d: %s (%w)", r.StatusCode, text, err)
				}
				var answer struct{ Decisions []struct{ Class string } }
				if err := json.Unmarshal(text, &answer); err != nil || len(answer.Decisions) != 1 || answer.Decisions[0].Class == "" {
					return fmt.Errorf("the answer is %s (%w)", text, err)
				}
				answered.Add(1)
			}
		})
	}
	for began := time.Now(); answered.Load() < 100 && time.Since(began) < time.Minute; {
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v\n%s", err, &log)
	}
	if accepted := int64(strings.Count(log.String(), `"path":"/predict","status":200`)); accepted != answered.Load() || accepted < 100 {
		t.Errorf("%d requests were accepted, %d answered", accepted, answered.Load())
	}
	if _, err := os.Stat(filepath.Join(dir, "predictor.json")); err != nil {
		t.Error(err)
	}
}

// Whatever a run calls its columns and is called itself, a printed command stays one command.
func TestPrintedCommands(t *testing.T) {
	for name, want := range map[string]string{
		"age":                     `{"rows": [{"age": …, …}]}`,
		"it's":                    `{"rows": [{"it's": …, …}]}`,
		`a" b`:                    `{"rows": [{"a\" b": …, …}]}`,
		"'; touch pwned; '":       `{"rows": [{"'; touch pwned; '": …, …}]}`,
		"$(touch pwned)`id`\\":    "{\"rows\": [{\"$(touch pwned)`id`\\\\\": …, …}]}",
		"\u202e'; touch pwned; '": `{"rows": [{"\u202e'; touch pwned; '": …, …}]}`,
	} {
		encoder := &tabular.Encoder{Label: "y", Columns: []tabular.Column{{Name: name, Deviation: 1}}}
		run := &ngebm.Run{Dir: "runs/r", Classifier: &ngebm.Classifier{Classes: []string{"a", "b"}}}
		var out bytes.Buffer
		announce(&out, run, serve.Options{Shape: []int{1}, Encoder: encoder}, "http://127.0.0.1:1")
		_, command, _ := strings.Cut(out.String(), "\n")
		words, err := exec.Command("sh", "-c", "set -- "+strings.TrimSpace(command)+`; printf '%s\n' "$@"`).Output()
		if want := "curl\n-H\nContent-Type: application/json\n-d\n" + want + "\nhttp://127.0.0.1:1/predict\n"; err != nil || string(words) != want {
			t.Errorf("%q: %s\nbecomes\n%s(%v), not\n%s", name, command, words, err, want)
		}
	}
	for argument, want := range map[string]string{"runs/digits-0123456789ab": "runs/digits-0123456789ab", "csv:/path/to/a b.csv@c": "'csv:/path/to/a b.csv@c'", "x;y": "'x;y'", "": "''"} {
		if got := shellQuote(argument); got != want {
			t.Errorf("%q becomes %s, not %s", argument, got, want)
		}
	}
}

// Requests to the address that is printed are answered, whichever of this machine it is.
func TestKnownHosts(t *testing.T) {
	for _, c := range []struct {
		serveFlags
		want []string
	}{
		{serveFlags{address: "127.0.0.1:8080"}, []string{"localhost", "127.0.0.1", "::1"}},
		{serveFlags{address: "127.0.0.2:8080", hosts: "Example.org"}, []string{"localhost", "127.0.0.1", "::1", "127.0.0.2", "example.org"}},
		{serveFlags{address: "0.0.0.0:8080", public: true}, nil},
	} {
		if got := c.knownHosts(); !slices.Equal(got, c.want) {
			t.Errorf("-addr %s: %q, want %q", c.address, got, c.want)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"":                             "0 folders of runs are given",
		"a b":                          `2 folders of runs are given (["a" "b"])`,
		"a -addr 8080":                 `-addr "8080": address 8080: missing port in address; give HOST:PORT`,
		"a -addr :8080":                `-addr ":8080" can be reached by other machines`,
		"a -addr 0.0.0.0:8080":         "use 127.0.0.1, or allow it with -public",
		"a -addr example.com:80":       "can be reached by other machines",
		"a -public -hosts example.com": "with -public any is allowed",
		"a -hosts x.org,https://a.org": `-hosts holds "https://a.org"; give names without scheme, port and brackets`,
		"a -hosts a.org:8443":          `-hosts holds "a.org:8443"`,
		"a -hosts [fe80::1]":           `-hosts holds "[fe80::1]"`,
		"testdata/none -device go":     `"testdata/none" holds no run`,
		"a -batch 0":                   "-batch is 0 and -timeout 30s; give 1 or more inputs",
		"a -timeout 0":                 "-batch is 128 and -timeout 0s; give 1 or more inputs, and a time above 0",
		"a -batch":                     "flag needs an argument: -batch; -h explains the flags",
	} {
		err := serveRun(context.Background(), strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("serve %s: the error is %v, want one that says %q", args, err, want)
		}
	}
}

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// forged steers a terminal and fakes a line.
const forged = "\x1b]0;pwned\a\x1b[2J\nngebm: fine"

// forge changes the header of a checkpoint, and its checksum with it.
func forge(t *testing.T, path string, change func(header map[string]any)) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := 16 + binary.LittleEndian.Uint64(raw[8:])
	var header map[string]any
	if err := json.Unmarshal(raw[16:end], &header); err != nil {
		t.Fatal(err)
	}
	change(header)
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	made := binary.LittleEndian.AppendUint64(raw[:8:8], uint64(len(text)))
	made = append(append(made, text...), raw[end:len(raw)-sha256.Size]...)
	sum := sha256.Sum256(made)
	if err := os.WriteFile(path, append(made, sum[:]...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What an untrusted run says of its code, its device and its training is printed in one
// line each, which steers no terminal.
func TestUntrustedRunSteersNoTerminal(t *testing.T) {
	runs := t.TempDir()
	args := []string{"train", "-preset", "moons", "-device", "cpu", "-runs", runs, "-set", "data=moons:200,net=mlp-4,epochs=1,validation=0,warmup=0"}
	if err := dispatch(t.Context(), args, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(runs, "*", "checkpoint.ngebm"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	forge(t, paths[0], func(header map[string]any) {
		history := header["history"].(map[string]any)
		history["events"] = []any{map[string]any{"step": 1, "what": forged}}
		history["terms"].([]any)[0] = forged
		history["stopped"] = forged
	})
	maker := map[string]any{"source": forged, "libraries": forged, "kind": forged}
	cost := map[string]any{"seconds": 1, "code": forged, "device": forged, "earlier": []any{maker}}
	for key, text := range maker {
		cost[key] = text
	}
	text, err := json.Marshal(cost)
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(paths[0]), "cost.json"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := dispatch(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, unicode.IsControl) || strings.HasPrefix(line, "ngebm: fine") {
			t.Errorf("it prints the line %q", line)
		}
	}
	for _, want := range []string{`code  `, `at step 1`, `test \x1b]0;pwned`, `trained by other code than this (source \x1b]0;pwned\a\x1b[2J\nngebm: fine, now`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A stand-in for a home is reached through every folder in a folder of runs. No command
// that works in such a folder changes it.
func TestAHomeBehindLinksIsUntouched(t *testing.T) {
	bin := build(t)
	run := func(args ...string) string {
		var log bytes.Buffer
		cmd := exec.Command(bin, args...)
		cmd.Stdout, cmd.Stderr = &log, &log
		_ = cmd.Run() // what it says is compared
		return log.String()
	}
	small := []string{"-preset", "digits-few", "-model", "mlp-16", "-device", "go"}
	for _, c := range []struct {
		command string
		args    []string
	}{
		{"train", []string{"-set", "epochs=2"}},
		{"sweep", []string{"-set", "epochs=2", "-grid", "beta=0,.1", "-seeds", "1", "-attack-examples", "20"}},
		{"experiment", []string{"-set", "epochs=2,eval_every=1", "-methods", "cross-entropy", "-seeds", "1", "-ood-examples", "100", "-attack-examples", "60", "-ensemble-examples", "30", "-ood-datasets", "", "-linf", "8", "-l2", "64", "-bootstrap", "20", "-o", filepath.Join(t.TempDir(), "r.json")}},
	} {
		t.Run(c.command, func(t *testing.T) {
			honest, home, hostile := t.TempDir(), t.TempDir(), t.TempDir()
			args := append(append([]string{c.command}, small...), c.args...)
			run(append(args, "-runs", honest)...)
			folders, err := os.ReadDir(honest)
			if err != nil || len(folders) == 0 {
				t.Fatalf("nothing was trained in %v (%v)", folders, err)
			}
			for _, folder := range folders {
				if err := os.Symlink(home, filepath.Join(hostile, folder.Name())); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{".bashrc", ".netrc", ".checkpoint.ngebm1", ".config.json2", "letter.txt"} {
				if err := os.WriteFile(filepath.Join(home, name), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if out := run(append(args, "-runs", hostile)...); !strings.Contains(out, "symbolic link") {
				t.Errorf("it said:\n%s", out)
			}
			entries, err := os.ReadDir(home)
			if err != nil || len(entries) != 5 {
				t.Errorf("the home holds %v (%v)", entries, err)
			}
		})
	}
}

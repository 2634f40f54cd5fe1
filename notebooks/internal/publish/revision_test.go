package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ngebm/notebooks/internal/setup"
)

// The address of a repository is written only where everyone can open it.
func TestWebAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"https://github.com/owner/name.git": "https://github.com/owner/name",
		"git@github.com:owner/name.git":     "https://github.com/owner/name",
		"ssh://git@codeberg.org/owner/name": "https://codeberg.org/owner/name",
		"":                                  "",
		"/home/me/name":                     "",
		"../name":                           "",
		"file:///home/me/name":              "",
		"https://me:secret@github.com/a/b":  "",
		"https://localhost/a/b":             "",
		"https://git.local/a/b":             "",
		"https://10.0.0.7/a/b":              "",
		"https://build.internal/a/b":        "",
		"https://git.example.org:8443/a/b":  "",
		"http://github.com/owner/name":      "",
		"git@server:owner/name":             "",
	} {
		if got := webAddress(remote); got != want {
			t.Errorf("%q: %q, want %q", remote, got, want)
		}
	}
}

// A commit says its revision and date, whatever the time of publishing; a change of a file is
// seen; a folder without git says nothing.
func TestOrigin(t *testing.T) {
	root := t.TempDir()
	if o := originOf(t.Context(), root); o != (origin{}) {
		t.Errorf("without git: %+v", o)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_COMMITTER_DATE", "2024-02-29T23:59:00Z")
	file := filepath.Join(root, "LICENSE")
	if err := os.WriteFile(file, []byte("                                 Apache License\n                           Version 2.0, January 2004\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "LICENSE"}, {"-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "-qm", "c"},
		{"remote", "add", "origin", "git@example.org:owner/name.git"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		if printed, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, printed)
		}
	}
	o := originOf(t.Context(), root)
	if len(o.Revision) != 12 || o.Date != "2024-02-29" || o.Repository != "https://example.org/owner/name" || o.License != "Apache-2.0" {
		t.Errorf("%+v", o)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if changed := originOf(t.Context(), root); changed.Revision != o.Revision+" and changes" || changed.License != "" {
		t.Errorf("after a change: %+v", changed)
	}
	p := &setup.Workspace{Root: root}
	if err := os.WriteFile(filepath.Join(root, "copy"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"LICENSE": true, "copy": false, "none": false, "L*": false, "../LICENSE": false} {
		if got := isTracked(t.Context(), p, filepath.Join(root, path), o); got != want {
			t.Errorf("%s is the repository's: %v", path, got)
		}
	}
	if !isTracked(t.Context(), p, filepath.Join(root, "copy"), origin{License: "MIT"}) {
		t.Error("a notebook of a folder without git has no license")
	}
}

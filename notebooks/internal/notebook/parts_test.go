package notebook

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

// Wherever in a notebook a token or a folder of this machine is, it is found before
// anything is published, and the error says where.
func TestTellsEverywhere(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	folders := LocalFolders("/srv/ngebm", "/home/ada/.cache/ngebm")
	token, home := "hf_"+strings.Repeat("aB3d", 10), "/home/ada/runs/x"
	code := func(output map[string]any) map[string]any {
		return map[string]any{"cell_type": "code", "source": "f()", "outputs": []any{output}, "metadata": map[string]any{}, "execution_count": 1}
	}
	data := func(mime string, value any) map[string]any {
		return code(map[string]any{"output_type": "display_data", "metadata": map[string]any{}, "data": map[string]any{mime: value}})
	}
	in64 := func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("some picture's bytes, then " + s))
	}
	for name, hide := range map[string]func(what string) map[string]any{
		"stdout": func(s string) map[string]any {
			return code(map[string]any{"output_type": "stream", "name": "stdout", "text": s})
		},
		"stderr in lines": func(s string) map[string]any {
			return code(map[string]any{"output_type": "stream", "name": "stderr", "text": []any{"a\n", s}})
		},
		"lines that split": func(s string) map[string]any {
			return code(map[string]any{"output_type": "stream", "name": "stdout", "text": []any{s[:6], s[6:]}})
		},
		"colors": func(s string) map[string]any {
			return code(map[string]any{"output_type": "stream", "name": "stdout", "text": "\x1b[31m" + s[:6] + "\x1b[0m" + s[6:]})
		},
		"two outputs of a stream": func(s string) map[string]any {
			c := code(map[string]any{"output_type": "stream", "name": "stdout", "text": s[:6]})
			c["outputs"] = append(c["outputs"].([]any), map[string]any{"output_type": "stream", "name": "stdout", "text": s[6:]})
			return c
		},
		"an error": func(s string) map[string]any {
			return code(map[string]any{"output_type": "error", "ename": "E", "evalue": "v", "traceback": []any{"at \x1b[1m" + s + "\x1b[0m"}})
		},
		"an error's name": func(s string) map[string]any {
			return code(map[string]any{"output_type": "error", "ename": "E " + s, "evalue": "v", "traceback": []any{}})
		},
		"text":          func(s string) map[string]any { return data("text/plain", s) },
		"HTML":          func(s string) map[string]any { return data("text/html", "<td>"+s+"</td>") },
		"HTML, in tags": func(s string) map[string]any { return data("text/html", "<b>"+s[:6]+"</b><i>"+s[6:]+"</i>") },
		"HTML, escaped": func(s string) map[string]any { return data("text/html", strings.ReplaceAll(s, "a", "&#97;")) },
		"HTML, percent": func(s string) map[string]any {
			return data("text/html", `<a href="file://`+strings.ReplaceAll(url.PathEscape(s), "%2F", "/")+`">`)
		},
		"a picture in HTML": func(s string) map[string]any {
			return data("text/html", `<img src="data:image/png;base64,`+in64(s)+`">`)
		},
		"after a picture": func(s string) map[string]any { return data("text/html", "<img src=data:image/png;base64,AAAA> "+s) },
		"Markdown":        func(s string) map[string]any { return data("text/markdown", "`"+s+"`") },
		"LaTeX":           func(s string) map[string]any { return data("text/latex", `\text{`+s+`}`) },
		"SVG":             func(s string) map[string]any { return data("image/svg+xml", "<svg><text>"+s+"</text></svg>") },
		"PNG":             func(s string) map[string]any { return data("image/png", in64(s)) },
		"a real PNG": func(s string) map[string]any {
			return data("image/png", base64.StdEncoding.EncodeToString(append(notebooktest.Image(t, ".png"), s...)))
		},
		"JSON":          func(s string) map[string]any { return data("application/json", map[string]any{"a": []any{1, s}}) },
		"a key of JSON": func(s string) map[string]any { return data("application/json", map[string]any{s: 1}) },
		"JSON in text": func(s string) map[string]any {
			return data("application/vnd.x+json", `{"p":"`+strings.ReplaceAll(s, "/", `\/`)+`"}`)
		},
		"JavaScript": func(s string) map[string]any { return data("application/javascript", "let p='"+s+"'") },
		"an output's details": func(s string) map[string]any {
			return code(map[string]any{"output_type": "display_data", "data": map[string]any{}, "metadata": map[string]any{"from": s}})
		},
		"a cell's details": func(s string) map[string]any {
			return map[string]any{"cell_type": "code", "source": "f()", "outputs": []any{}, "metadata": map[string]any{"x": map[string]any{"y": s}}}
		},
		"Markdown's text": func(s string) map[string]any { return map[string]any{"cell_type": "markdown", "source": "see " + s} },
		"code": func(s string) map[string]any {
			return map[string]any{"cell_type": "code", "source": []any{"f()\n", "open(\"" + s + "\")"}}
		},
		"raw text": func(s string) map[string]any { return map[string]any{"cell_type": "raw", "source": s} },
		"an attachment": func(s string) map[string]any {
			return map[string]any{"cell_type": "markdown", "source": "x", "attachments": map[string]any{"a.svg": map[string]any{"image/svg+xml": in64(s)}}}
		},
		"an attachment's name": func(s string) map[string]any {
			return map[string]any{"cell_type": "markdown", "source": "x", "attachments": map[string]any{s: map[string]any{"image/png": "AAAA"}}}
		},
	} {
		for what, secret := range map[string]string{"token": token, "home": home} {
			doc := parsed(t, map[string]any{"cell_type": "code", "source": "first"}, hide(secret))
			err := doc.CheckLeaks("n.ipynb", folders)
			if err == nil || !strings.HasPrefix(err.Error(), "n.ipynb: ") || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s in %s: %v", what, name, err)
			}
			if err := parsed(t, hide("nothing of the kind")).CheckLeaks("n.ipynb", folders); err != nil {
				t.Errorf("nothing in %s: %v", name, err)
			}
		}
	}
	for _, metadata := range []map[string]any{{"widgets": map[string]any{"state": map[string]any{"a": home}}}, {"token": "0123456789abcdef0123"}, {"authors": []any{map[string]any{"name": token}}}} {
		raw, err := json.Marshal(map[string]any{"nbformat": 4, "cells": []any{}, "metadata": metadata})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse("n.ipynb", raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.CheckLeaks("n.ipynb", folders); err == nil || !strings.HasPrefix(err.Error(), "n.ipynb: the notebook's metadata") {
			t.Errorf("%v: %v", metadata, err)
		}
	}
}

// What could be base64 and is a path, or a list of them, is found.
func TestTellsPathsLikeBase64(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	for _, printed := range []string{
		"saved in /home/ada/a folder/with a long name/notebooks\n",
		strings.Repeat("/home/ada/runs/abcd/0123456789012345678901234567890123456789\n", 100),
		"/home/ada/abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdab",
		`<img src="data:image/png;base64,/home/ada/abcdabcdabcdabcdabcdabcdabcdabcdabcdab">`,
	} {
		doc := parsed(t, map[string]any{"cell_type": "code", "source": "f()", "outputs": []any{
			map[string]any{"output_type": "stream", "name": "stdout", "text": printed}}})
		if doc.CheckLeaks("n.ipynb", LocalFolders("", "")) == nil {
			t.Errorf("%.60q: not found", printed)
		}
	}
}

// Every cache is found, with the one of Go modules.
func TestTellsCaches(t *testing.T) {
	t.Setenv("GOMODCACHE", "")
	t.Setenv("GOPATH", "/a:/b")
	folders := LocalFolders("", "/srv/cache", "/data/ada/gomod", "")
	for _, path := range []string{"/srv/cache", "/data/ada/gomod/github.com", "/a/pkg/mod/x"} {
		doc := parsed(t, map[string]any{"cell_type": "code", "source": "f()", "metadata": map[string]any{"x": path}})
		if doc.CheckLeaks("n.ipynb", folders) == nil {
			t.Errorf("%s: not found", path)
		}
	}
}

// Code may name the folder of temporary files; what it prints may not.
func TestTellsTemporary(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp")
	folders := LocalFolders("", "")
	if err := parsed(t, map[string]any{"cell_type": "code", "source": `os.Open("/tmp/x")`}).CheckLeaks("n.ipynb", folders); err != nil {
		t.Error(err)
	}
	if err := parsed(t, map[string]any{"cell_type": "code", "source": "f()", "metadata": map[string]any{"x": "/tmp/x"}}).CheckLeaks("n.ipynb", folders); err == nil {
		t.Error("in the metadata it may")
	}
}

// A folder that is reached by a link is found by the name that it has itself, too.
func TestLinkedFolder(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(dir, "export", "ada"), filepath.Join(dir, "ada")
	if err := errors.Join(os.MkdirAll(real, 0o755), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, folder := range LocalFolders(link) {
		if folder.find.MatchString("saved in " + real + "/runs") {
			found["by its own"] = true
		}
		if folder.find.MatchString("saved in " + link + "/runs") {
			found["by the link"] = true
		}
	}
	if len(found) != 2 {
		t.Errorf("it is found only %v", found)
	}
}

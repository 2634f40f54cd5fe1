package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// embedded is an image inside HTML, whose letters say nothing.
var embedded = regexp.MustCompile(`data:image/[a-z+]+;base64,[A-Za-z0-9+/=\s]+`)

// machinePath is a place of this machine that an output should not tell.
type machinePath struct {
	what string
	find *regexp.Regexp
}

// machinePaths lists the folders whose names tell something about the machine
// that a notebook ran on: the user's home, the repository, the caches, and the
// folder of temporary files where something in it is named. A folder counts only
// as a whole path: "/root" is found in "/root/x" and in "saved in /root.", not in
// "/rooted" or in "a/root".
func machinePaths(p *place) []machinePath {
	home, _ := os.UserHomeDir()
	var paths []machinePath
	for _, folder := range []struct{ what, path, after string }{
		{"the repository's folder", p.root, ""},
		{"the home folder", home, ""},
		{"the cache folder", p.cache, ""},
		{"the folder of Go modules", goModCache(home), ""},
		{"the folder of temporary files", os.TempDir(), `/\w`},
		{"the folder of temporary files", "/tmp", `/\w`},
	} {
		path := filepath.Clean(folder.path)
		if folder.path == "" || path == "/" {
			continue
		}
		end := folder.after
		if end == "" {
			end = `(?:$|[^\w-])`
		}
		find := regexp.MustCompile(`(?:^|[^\w./-]|file://)` + regexp.QuoteMeta(path) + end)
		paths = append(paths, machinePath{folder.what, find})
	}
	return paths
}

// goModCache is where Go keeps modules unless told otherwise.
func goModCache(home string) string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("GOPATH"); dir != "" {
		return filepath.Join(dir, "pkg", "mod")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, "go", "pkg", "mod")
}

// secrets are what tokens look like that well-known services give out, and keys.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,})`),
	regexp.MustCompile(`\b(?:sk-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}\b|AIza[\w-]{35}|ya29\.[\w-]{20,})`),
	regexp.MustCompile(`\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}`),
	regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`),
	regexp.MustCompile(`\bhttps?://[^\s/@:]+:[^\s/@]{6,}@`),
}

// namedSecret is a long word after a name that says what it is; one without a
// digit is more likely a name itself, as in token := strings.TrimSpace(line).
var namedSecret = regexp.MustCompile(`(?i)(?:(?:token|api[_-]?key|access[_-]?key|secret|passw(?:or)?d)["']?\s*[=:]+|\bbearer)\s*["']?([\w+/~.-]{16,})`)

// findSecret returns what looks like a token in a text, empty if nothing does.
func findSecret(text string) string {
	for _, secret := range secrets {
		if found := secret.FindString(text); found != "" {
			return found
		}
	}
	for _, found := range namedSecret.FindAllStringSubmatch(text, -1) {
		if strings.ContainsAny(found[1], "0123456789") {
			return found[1]
		}
	}
	return ""
}

// tells returns a *cellError for the first cell that would tell others what is
// none of their business: folders of this machine in an output, or what looks like
// a token, in an output or in the cell itself.
func tells(p *place, notebook string, doc *document) error {
	if err := tellsSecret(notebook, doc); err != nil {
		return err
	}
	return tellsPath(notebook, doc, machinePaths(p))
}

// tellsSecret looks for tokens in what cells are and what they left. Its error does
// not repeat them.
func tellsSecret(notebook string, doc *document) error {
	number := 0
	for _, c := range doc.Cells {
		what, where := "its text", &cellError{notebook: notebook, line: c.firstLine()}
		if c.Kind == "code" && c.firstLine() != "" {
			number++
			where.number = number
		} else {
			what = fmt.Sprintf("the text %q", shorten(c.firstLine()))
		}
		found := findSecret(string(c.Source))
		for _, o := range c.Outputs {
			if found == "" {
				what, found = "its output", findSecret(readable(o))
			}
		}
		if found != "" {
			where.reason = fmt.Sprintf("%s holds what looks like a secret (%s…); take it out, and have a new one made if others may have seen it", what, found[:min(6, len(found))])
			return where
		}
	}
	return nil
}

// tellsPath returns a *cellError for the first output that names a folder of
// this machine, which nobody else has and whose name may be private.
func tellsPath(notebook string, doc *document, paths []machinePath) error {
	for number, c := range doc.codeCells() {
		for _, o := range c.Outputs {
			for line := range strings.Lines(readable(o)) {
				for _, path := range paths {
					if path.find.MatchString(line) {
						return &cellError{notebook, number + 1, c.firstLine(), fmt.Sprintf(
							"its output names %s: %q; print a name instead, as others have no such folder", path.what, strings.TrimSpace(line))}
					}
				}
			}
		}
	}
	return nil
}

// readable is all the text of an output, without images.
func readable(o output) string {
	parts := []string{string(o.Text), o.Value}
	for mime := range o.Data {
		if strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" {
			parts = append(parts, embedded.ReplaceAllString(o.data(mime), ""))
		}
	}
	return strings.Join(parts, "\n")
}

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

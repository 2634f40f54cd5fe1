package notebook

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// localFolder is a place of this machine that an output should not tell.
type localFolder struct {
	what string
	path string
	find *regexp.Regexp // path, where it is one
	temp bool           // of temporary files, which code may name
}

// LocalFolders lists the folders whose names tell something about the machine
// that a notebook ran on: the user's home, the repository, the caches, those of Go modules by
// default too, and the folder of temporary files where something in it is named. A folder counts only
// as a whole path: "/root" is found in "/root/x" and in "saved in /root.", not in
// "/rooted" or in "a/root".
func LocalFolders(root string, caches ...string) []localFolder {
	home, _ := os.UserHomeDir()
	var paths []localFolder
	type known struct{ what, path, after string }
	all := []known{
		{"the repository's folder", root, ""},
		{"the home folder", home, ""},
	}
	for _, cache := range caches {
		all = append(all, known{"a cache folder", cache, ""})
	}
	for _, folder := range append(all,
		known{"the folder of Go modules", goModCache(home), ""},
		known{"the folder of temporary files", os.TempDir(), `/\w`},
		known{"the folder of temporary files", "/tmp", `/\w`},
	) {
		path := filepath.Clean(folder.path)
		if !filepath.IsAbs(path) || path == "/" {
			continue
		}
		end := folder.after
		if end == "" {
			end = `(?:$|[^\w-])`
		}
		names := []string{path}
		if real, err := filepath.EvalSymlinks(path); err == nil && real != path && real != "/" {
			names = append(names, real) // programs may say where a link leads
		}
		for _, name := range names {
			find := regexp.MustCompile(`(?:^|[^\w./-]|file://)` + regexp.QuoteMeta(name) + end)
			paths = append(paths, localFolder{folder.what, name, find, folder.after != ""})
		}
	}
	return paths
}

// goModCache is where Go keeps modules by default.
func goModCache(home string) string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("GOPATH"); dir != "" {
		return filepath.Join(filepath.SplitList(dir)[0], "pkg", "mod")
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

// CheckLeaks returns an error for the first part of a notebook that leaks what looks like a
// token, or a folder of this machine; see [LocalFolders]. It looks at all of the notebook,
// which is published with its page.
func (doc *Document) CheckLeaks(notebook string, folders []localFolder) error {
	for _, part := range doc.parts() {
		if reason := part.leak(folders); reason != "" {
			return doc.ErrorIn(notebook, part.cell, reason)
		}
	}
	return nil
}

// LeakInPicture is [Document.CheckLeaks] for a picture from a file, whose path is named: drawing
// programs note there where a picture was saved. It is empty if nothing leaks.
func LeakInPicture(path string, content []byte, folders []localFolder) string {
	text := string(content)
	part := part{what: fmt.Sprintf("the picture %q", path), texts: []string{text, words(text)}}
	return part.leak(folders)
}

// leak says what a part of a notebook leaks, empty if nothing. The words do not repeat a
// token.
func (part part) leak(folders []localFolder) string {
	var all []string
	for _, text := range part.texts {
		all = append(all, readings(text)...)
	}
	for _, text := range all {
		if found := findSecret(text); found != "" {
			return fmt.Sprintf("%s holds what looks like a secret (%s…); take it out, and have a new one made if others may have seen it", part.what, found[:min(6, len(found))])
		}
	}
	for _, text := range all {
		for _, path := range folders {
			if path.temp && part.isCode || !strings.Contains(text, path.path) { // which is quicker
				continue
			}
			if found := path.find.FindStringIndex(text); found != nil {
				return fmt.Sprintf("%s names %s: %q; give a name instead, as others have no such folder", part.what, path.what, around(text, found[0], found[1]))
			}
		}
	}
	return ""
}

// around is the line of a text that something was found in, or as much of it as can be
// read at a glance.
func around(text string, from, to int) string {
	const context = 60
	begin := strings.LastIndexByte(text[:from+1], '\n') + 1
	end := len(text)
	if i := strings.IndexByte(text[max(from+1, to-1):], '\n'); i >= 0 {
		end = max(from+1, to-1) + i
	}
	return strings.ToValidUTF8(strings.TrimSpace(text[max(begin, from-context):min(end, to+context)]), "")
}

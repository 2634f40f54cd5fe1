package publish

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"ngebm/data/plain"
	"ngebm/notebooks/internal/display"
)

// sitePages are the names of the pages that every site has.
var sitePages = []string{"index", "gallery"}

// pageNames returns the names of notebooks' pages, without .html. A name is the notebook's, in
// characters that are valid in every file system and URL. Names are unique without regard to
// case, and none is in sitePages.
func pageNames(paths []string) []string {
	taken := map[string]bool{}
	for _, name := range sitePages {
		taken[name] = true
	}
	var names []string
	for _, name := range BaseNames(paths) {
		wanted := slug(name)
		name = wanted
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d", wanted, n)
		}
		taken[strings.ToLower(name)] = true
		names = append(names, name)
	}
	return names
}

// hasNotebook reports whether one of the folders has a notebook whose page has that name, perhaps
// with a number that makes the name unique.
func hasNotebook(page string, folders []string) (bool, error) {
	unnumbered := numbered.ReplaceAllString(page, "")
	for _, folder := range folders {
		paths, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.ipynb"))
		if err != nil {
			return false, err
		}
		for _, name := range BaseNames(paths) {
			if own := slug(name); strings.EqualFold(own, page) || strings.EqualFold(own, unnumbered) {
				return true, nil
			}
		}
	}
	return false, nil
}

// numbered is what pageNames adds to a name that is taken.
var numbered = regexp.MustCompile(`-[0-9]+$`)

// maxSlug leaves room for a figure's number: a file's name has at most 255 bytes.
const maxSlug = 200

// slug turns a file's name into letters, digits, periods, underscores and hyphens.
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(name) {
		keep := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("-_.", r)
		switch {
		case keep && r != utf8.RuneError:
		case strings.HasSuffix(b.String(), "-"):
			continue
		default:
			r = '-'
		}
		if b.Len()+utf8.RuneLen(r) > maxSlug {
			break
		}
		b.WriteRune(r)
	}
	if s := strings.Trim(b.String(), ".-"); s != "" {
		return s
	}
	return "notebook"
}

// sayNames prints the pages whose names differ from their notebooks'.
func sayNames(paths, names []string, d *display.Display) {
	for i, name := range BaseNames(paths) {
		if names[i] != name {
			d.Say("%s: its page is %s.html", plain.Text(filepath.Base(paths[i])), names[i])
		}
	}
}

// BaseNames removes folders and .ipynb from paths.
func BaseNames(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".ipynb")
	}
	return names
}

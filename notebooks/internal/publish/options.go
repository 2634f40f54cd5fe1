package publish

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ngebm/data/files"
)

// Options are the flags and arguments of publish.
type Options struct {
	Out                   string // folder for the pages; empty: write none
	Write                 bool   // store outputs in the notebooks
	Force                 bool   // run notebooks that have not changed since they ran
	HTMLOnly              bool   // make pages from stored outputs, run nothing
	Jobs                  int    // how many notebooks run at once
	CellLimit, TotalLimit time.Duration
	Names                 []string

	paths []string // of the notebooks, set by Find
}

// Find looks up the named notebooks of a folder, all of them if there are no names. A name may
// end in .ipynb; one with a slash is a path. A folder for pages is refused if it cannot be
// written, or if the pages would replace other files in it.
func (o *Options) Find(folder string) error {
	all, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.ipynb"))
	if err != nil {
		return err
	}
	if len(o.Names) == 0 {
		if o.paths = all; len(all) == 0 {
			return fmt.Errorf("no notebooks (*.ipynb) in %s", folder)
		}
		return o.checkOut()
	}
	for _, name := range o.Names {
		path := strings.TrimSuffix(name, ".ipynb") + ".ipynb"
		if !strings.ContainsRune(name, os.PathSeparator) {
			path = filepath.Join(folder, path)
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("no notebook %q; there are: %s", name, strings.Join(BaseNames(all), ", "))
		}
		if slices.Contains(o.paths, path) {
			return fmt.Errorf("the notebook %q is named twice", name)
		}
		o.paths = append(o.paths, path)
	}
	return o.checkOut()
}

// checkOut returns an error if the site would replace or remove files that are not of an earlier
// one: notebooks that are published and pictures next to them, or others of those names. An earlier
// site has its style sheet. A folder that cannot be written is an error too.
func (o *Options) checkOut() error {
	if o.Out == "" {
		return nil
	}
	figures := filepath.Join(o.Out, "figures")
	entries, _ := os.ReadDir(figures) // none where it is not there
	earlier := isSite(o.Out)
	there := func(path string) bool {
		_, err := os.Lstat(path)
		return err == nil
	}
	var replaced []string
	if !earlier {
		for _, name := range append(sharedFiles(), "mathjax.js", "index.html", "gallery.html") {
			replaced = append(replaced, filepath.Join(o.Out, name))
		}
	}
	for i, name := range pageNames(o.paths) {
		path := o.paths[i]
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return err
		}
		for _, folder := range []string{filepath.Dir(path), filepath.Dir(real)} {
			if files.Same(folder, o.Out) || files.Same(folder, figures) {
				return fmt.Errorf("-o %q: the site would replace files next to the notebook %q; choose a folder for the site alone", o.Out, path)
			}
		}
		page := filepath.Join(o.Out, name+".html")
		if earlier && there(page) { // it has this notebook and these figures
			continue
		}
		replaced = append(replaced, page, filepath.Join(o.Out, name+".ipynb"))
		for _, entry := range entries {
			if isFigureOf(name, entry.Name()) {
				replaced = append(replaced, filepath.Join(figures, entry.Name()))
			}
		}
	}
	for _, file := range replaced {
		if there(file) {
			return fmt.Errorf("-o %q: the site would replace %q, which is of no page that was published there before; choose a folder for the site alone", o.Out, file)
		}
	}
	return checkWritable(o.Out)
}

// escapeGlob quotes a folder's name for use in a glob pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

package publish

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
// end in .ipynb; one with a slash is a path.
func (o *Options) Find(folder string) error {
	all, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.ipynb"))
	if err != nil {
		return err
	}
	if len(o.Names) == 0 {
		if o.paths = all; len(all) == 0 {
			return fmt.Errorf("no notebooks (*.ipynb) in %s", folder)
		}
		return nil
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
	return nil
}

// escapeGlob quotes a folder's name for use in a glob pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

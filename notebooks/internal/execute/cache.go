package execute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"ngebm/data/files"
	"ngebm/notebooks/internal/digest"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
)

// Cache keeps executed notebooks in the cache folder, named by a key of all that
// determines what they show, so that a notebook need not run again, in whatever
// clone and for whatever site, while that is as it was. The key covers
//
//   - the notebook, without its outputs;
//   - the Go files of this module's packages that its cells import or run, and of
//     those that they import, with the data that is embedded in them; sets that
//     are downloaded have their checksums there;
//   - go.mod, go.sum, the Go release, system and processor, how cells are executed;
//   - the environment variables that choose devices and data;
//   - the folder of a notebook that is not in this project's, which may read files next to it.
//
// It does not cover other files that a cell may read, nor which device is chosen where no
// variable says so, nor the version of an XLA plugin that was installed by hand: the SHA-256 of
// those that are downloaded is in the code of package device.
type Cache struct {
	Workspace *setup.Workspace
	Reuse     bool // false: fetch finds nothing
}

// maxExecutions is how many executions of one notebook are kept, the newest.
const maxExecutions = 3

// deciding are the environment variables that may change what a notebook shows.
var deciding = []string{"NGEBM_DEVICE", "NGEBM_DATA", "GOMLX_BACKEND", "XLA_FLAGS", "PJRT_PLUGIN_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"}

// Key of the notebook at path.
func (k *Cache) Key(ctx context.Context, path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	doc, err := notebook.Parse(filepath.Base(path), raw)
	if err != nil {
		return "", err
	}
	text, err := withoutOutputs(raw)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	library, err := libraryKey(ctx, k.Workspace, importedPackages(doc))
	if err != nil {
		return "", err
	}
	parts := []string{text, library, k.Workspace.Pins, setup.KernelVersion(), executeScript, runtime.GOOS, runtime.GOARCH}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	if !files.Same(folder, k.Workspace.Notebooks) { // those that are copied may read files next to them
		parts = append(parts, folder)
	}
	for _, name := range deciding {
		parts = append(parts, name+"="+os.Getenv(name))
	}
	return digest.Of(parts...), nil
}

// withoutOutputs is a notebook's JSON less what execution puts into it.
func withoutOutputs(raw []byte) (string, error) {
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return "", err
	}
	cells, _ := doc["cells"].([]any)
	for _, c := range cells {
		if c, ok := c.(map[string]any); ok {
			delete(c, "outputs")
			delete(c, "execution_count")
			if metadata, ok := c["metadata"].(map[string]any); ok {
				delete(metadata, "execution") // times
			}
			if lines, ok := c["source"].([]any); ok { // a string as well as lines, by who wrote it
				var source strings.Builder
				for _, line := range lines {
					fmt.Fprint(&source, line)
				}
				c["source"] = source.String()
			}
		}
	}
	if metadata, ok := doc["metadata"].(map[string]any); ok {
		delete(metadata, "language_info")                           // the kernel's own words
		if own, ok := metadata[setup.Module].(map[string]any); ok { // see notebook.Document
			if delete(own, "code"); len(own) == 0 {
				delete(metadata, setup.Module)
			}
		}
	}
	clean, err := json.Marshal(doc)
	return string(clean), err
}

// ownPackage finds the paths of this module's packages.
var ownPackage = regexp.MustCompile(`\b` + setup.Module + `(?:/[\w.-]+)+`)

// importedPackages are the packages of this module that a notebook's cells name,
// in imports or in shell lines, sorted. In "go run ./ngebm/cmd/ngebm" the first folder is the
// module's of that name, so each path is taken as one from the module's folder, too.
func importedPackages(doc *notebook.Document) []string {
	var found []string
	for _, c := range doc.CodeCells() {
		for _, path := range ownPackage.FindAllString(string(c.Source), -1) {
			found = append(found, path, setup.Module+"/"+path)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// libraryKey covers the files of the named packages and of all of this module, or
// of a module that go.mod replaces by a folder, that they import.
func libraryKey(ctx context.Context, p *setup.Workspace, names []string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	// -e: a path in a cell that is no package is the cell's own matter.
	cmd := proc.Command(ctx, "go", append([]string{"list", "-e", "-deps", "-json=ImportPath,Dir,Module,GoFiles,CgoFiles,OtherFiles,CFiles,HFiles,SFiles,EmbedFiles"}, names...)...)
	cmd.Dir, cmd.Env = p.Root, setup.GoEnv()
	out, err := proc.Output(ctx, cmd)
	if err != nil {
		return "", err
	}
	var parts []string
	for packages := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath, Dir string
			Module          *struct {
				Main    bool
				Replace *struct{ Version string }
			}
			GoFiles, CgoFiles, OtherFiles, CFiles, HFiles, SFiles, EmbedFiles []string
		}
		if err := packages.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", fmt.Errorf("read the answer of go list: %w", err)
		}
		pinned := pkg.Module == nil || !pkg.Module.Main && (pkg.Module.Replace == nil || pkg.Module.Replace.Version != "")
		if pinned {
			continue
		}
		for _, file := range slices.Concat(pkg.GoFiles, pkg.CgoFiles, pkg.OtherFiles, pkg.CFiles, pkg.HFiles, pkg.SFiles, pkg.EmbedFiles) {
			if strings.HasSuffix(file, "_test.go") { // embedded with the rest, see ngebm.Source
				continue
			}
			content, err := os.ReadFile(filepath.Join(pkg.Dir, file))
			if err != nil {
				return "", err
			}
			parts = append(parts, pkg.ImportPath, file, string(content))
		}
	}
	return digest.Of(parts...), nil
}

func (k *Cache) file(path, key string) string {
	return filepath.Join(k.Workspace.Cache, "executed", strings.TrimSuffix(filepath.Base(path), ".ipynb")+"-"+key+".ipynb")
}

// Fetch copies the execution of the notebook at path that has that key to target,
// if there is one that others may still see.
func (k *Cache) Fetch(path, key, target string) bool {
	if !k.Reuse {
		return false
	}
	raw, err := os.ReadFile(k.file(path, key))
	if err != nil {
		return false
	}
	doc, err := notebook.Parse(filepath.Base(path), raw)
	if err != nil || doc.CheckLeaks(filepath.Base(path), notebook.LocalFolders(k.Workspace.Root, k.Workspace.Caches()...)) != nil {
		return false
	}
	return os.WriteFile(target, raw, 0o644) == nil
}

// Store keeps the notebook that was executed, and forgets the oldest ones of its
// name.
func (k *Cache) Store(path, key, executed string) error {
	raw, err := os.ReadFile(executed)
	if err != nil {
		return err
	}
	file := k.file(path, key)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := files.WriteFile(file, raw, 0o644); err != nil {
		return err
	}
	all, err := executionsOf(filepath.Dir(file), strings.TrimSuffix(filepath.Base(file), key+".ipynb"), len(key))
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b string) int { return modified(b).Compare(modified(a)) })
	for _, old := range all[min(maxExecutions, len(all)):] {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// modified is when a file was written, the beginning of time if it is gone.
func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// executionsOf returns the files of a folder whose names are the prefix, N hexadecimal
// digits and .ipynb.
func executionsOf(folder, prefix string, digits int) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		rest, ok := strings.CutPrefix(entry.Name(), prefix)
		key, ends := strings.CutSuffix(rest, ".ipynb")
		if ok && ends && len(key) == digits && strings.Trim(key, "0123456789abcdef") == "" {
			found = append(found, filepath.Join(folder, entry.Name()))
		}
	}
	return found, nil
}

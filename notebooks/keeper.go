package main

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
)

// keeper keeps executed notebooks in the cache folder, named by a key of all that
// determines what they show, so that a notebook need not run again, in whatever
// clone and for whatever site, while that is as it was. The key covers
//
//   - the notebook, without its outputs;
//   - the Go files of this module's packages that its cells import or run, and of
//     those that they import, with the data that is embedded in them; sets that
//     are downloaded have their checksums there;
//   - go.mod, go.sum, the Go release, system and processor, how cells are executed;
//   - the environment variables that choose devices and data.
//
// It does not cover other files that a cell may read.
type keeper struct {
	p     *place
	reuse bool // false: fetch finds nothing
}

// kept is how many executions of one notebook are kept, the newest.
const kept = 3

// deciding are the environment variables that may change what a notebook shows.
var deciding = []string{"NGEBM_DEVICE", "NGEBM_DATA", "GOMLX_BACKEND", "XLA_FLAGS", "PJRT_PLUGIN_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"}

// key of the notebook at path.
func (k *keeper) key(ctx context.Context, path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	doc, err := parseNotebook(filepath.Base(path), raw)
	if err != nil {
		return "", err
	}
	text, err := withoutOutputs(raw)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	library, err := libraryKey(ctx, k.p, importedPackages(doc))
	if err != nil {
		return "", err
	}
	parts := []string{text, library, k.p.pins, kernelVersion(), executeScript, runtime.GOOS, runtime.GOARCH}
	for _, name := range deciding {
		parts = append(parts, name+"="+os.Getenv(name))
	}
	return hash(parts...), nil
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
		delete(metadata, "language_info") // the kernel's own words
		delete(metadata, module)          // codeHash
	}
	clean, err := json.Marshal(doc)
	return string(clean), err
}

// ownPackage finds the paths of this module's packages.
var ownPackage = regexp.MustCompile(`\b` + module + `(?:/[\w.-]+)+`)

// importedPackages are the packages of this module that a notebook's cells name,
// in imports or in shell lines, sorted.
func importedPackages(doc *document) []string {
	var found []string
	for _, c := range doc.codeCells() {
		found = append(found, ownPackage.FindAllString(string(c.Source), -1)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// libraryKey covers the files of the named packages and of all of this module, or
// of a module that go.mod replaces by a folder, that they import.
func libraryKey(ctx context.Context, p *place, names []string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	// -e: a path in a cell that is no package is the cell's own matter.
	cmd := command(ctx, "go", append([]string{"list", "-e", "-deps", "-json=ImportPath,Dir,Module,GoFiles,CgoFiles,OtherFiles,CFiles,HFiles,SFiles,EmbedFiles"}, names...)...)
	var stderr lastLines
	cmd.Dir, cmd.Env, cmd.Stderr = p.root, goEnv(), &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w\n%s", err, stderr.String())
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
	return hash(parts...), nil
}

func (k *keeper) file(path, key string) string {
	return filepath.Join(k.p.cache, "executed", baseNames([]string{path})[0]+"-"+key+".ipynb")
}

// fetch copies the execution of the notebook at path that has that key to target,
// if there is one that others may still see.
func (k *keeper) fetch(path, key, target string) bool {
	if !k.reuse {
		return false
	}
	raw, err := os.ReadFile(k.file(path, key))
	if err != nil {
		return false
	}
	doc, err := parseNotebook(filepath.Base(path), raw)
	if err != nil || tells(k.p, filepath.Base(path), doc) != nil {
		return false
	}
	return os.WriteFile(target, raw, 0o644) == nil
}

// store keeps the notebook that was executed, and forgets the oldest ones of its
// name.
func (k *keeper) store(path, key, executed string) error {
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
	all, err := filepath.Glob(escapeGlob(strings.TrimSuffix(file, key+".ipynb")) + strings.Repeat("[0-9a-f]", len(key)) + ".ipynb")
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b string) int { return modified(b).Compare(modified(a)) })
	for _, old := range all[min(kept, len(all)):] {
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

// versions says with what notebooks ran: Go, GoMLX and the kind of machine.
func versions(ctx context.Context, p *place) (string, error) {
	cmd := command(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/gomlx/gomlx")
	cmd.Dir, cmd.Env = p.root, goEnv()
	gomlx, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask for the version of GoMLX: %w", err)
	}
	return fmt.Sprintf("Go %s and GoMLX %s on %s/%s", strings.TrimPrefix(p.version, "go"), strings.TrimPrefix(strings.TrimSpace(string(gomlx)), "v"), runtime.GOOS, runtime.GOARCH), nil
}

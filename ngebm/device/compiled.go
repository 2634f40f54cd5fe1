package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gomlx/go-xla/pjrt"

	"ngebm/data/files"
	"ngebm/data/progress"
	"ngebm/ngebm/device/internal/compilecache"
)

// loading is held while a plugin is opened: go-xla has one map of plugins, and registers
// some without its own lock.
var loading sync.Mutex

// DefaultCompileCache returns this project's own folder for [Options].CompileCache:
// ngebm/compiled in the user's cache folder.
func DefaultCompileCache() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "ngebm", "compiled"), nil
}

// compileCache returns the cache of compiled programs for a plugin of the CPU, which it
// loads. Where there can be none, it is nil, and a report says why.
func (o opener) compileCache(p plugin, options string, values pjrt.NamedValuesMap) *compilecache.Cache {
	if o.CompileCache == "" || !strings.Contains(strings.ToLower(filepath.Base(p.path)), CPU) {
		return nil
	}
	cache, err := openCompileCache(o.CompileCache, p, options, fmt.Sprint(values))
	if err != nil {
		o.Progress.Report(progress.Report{Task: fmt.Sprintf("compiled programs are not kept: %v (NGEBM_COMPILE_CACHE=0 leaves this line out)", err), Finished: true})
	}
	return cache
}

func openCompileCache(dir string, p plugin, dependsOn ...string) (*compilecache.Cache, error) {
	loaded, err := pjrt.GetPlugin(p.path)
	if err != nil {
		return nil, nil // whoever opens it gets the error
	}
	dir, err = ownFolder(dir)
	if err != nil {
		return nil, err
	}
	identity := p.sha256
	if identity == "" {
		info, err := os.Stat(p.path)
		if err != nil {
			return nil, err
		}
		identity = p.path + ": " + files.Identity(info)
	}
	if identity, err = compilecache.Intercept(p.path, identity); err != nil {
		return nil, err
	}
	major, minor := loaded.Version()
	return compilecache.New(dir, append(dependsOn, identity, fmt.Sprint(major, ".", minor))...)
}

// ownFolder makes a folder that only this user may enter, and returns its path without
// links, or an error if another user could put something into it.
func ownFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("%w; name another folder", err)
	}
	if err := checkOwners(dir); err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	return dir, othersMayWrite(dir, true)
}

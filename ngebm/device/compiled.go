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
	"ngebm/ngebm/device/internal/cpuconv"
	"ngebm/ngebm/device/internal/pjrthook"
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

// compiler compiles the programs of one device. The zero value leaves that to go-xla.
type compiler struct {
	hooked    bool                // can programs be changed and kept?
	convolves bool                // is there code for convolutions?
	cache     *compilecache.Cache // of compiled programs, or nil
}

// compile calls build, which compiles a program.
func (c compiler) compile(build func() error) error {
	if !c.hooked {
		return build()
	}
	return pjrthook.Use(func(p *pjrthook.Compilation) {
		if c.convolves {
			p.Program = cpuconv.Rewrite(p.Program)
		}
		p.Program = cpuconv.Crop(p.Program)
		c.cache.Compile(p)
	}, build)
}

// version is what computes: that of the plugin, with that of the code for convolutions where it takes part.
func (c compiler) version(plugin string) string {
	if plugin == "" || !c.convolves {
		return plugin
	}
	return plugin + ", convolutions " + cpuconv.Version()
}

// compiler returns that of a plugin of the CPU, which it loads. Where compiled programs cannot be kept, a
// report says why.
func (o opener) compiler(p plugin, options string, values pjrt.NamedValuesMap) (c compiler) {
	if !strings.Contains(strings.ToLower(filepath.Base(p.path)), CPU) {
		return compiler{}
	}
	loaded, err := pjrt.GetPlugin(p.path)
	if err != nil {
		return compiler{} // whoever opens it gets the error
	}
	identity, err := p.identity()
	if err == nil {
		identity, err = pjrthook.Intercept(p.path, identity)
	}
	if err == nil {
		c.hooked, c.convolves = true, o.Devices == 1 && cpuconv.Register(p.path) == nil
		if o.CompileCache == "" {
			return c
		}
		major, minor := loaded.Version()
		c.cache, err = openCompileCache(o.CompileCache, options, fmt.Sprint(values), identity, fmt.Sprint(major, ".", minor))
	}
	if err != nil && o.CompileCache != "" {
		o.Progress.Report(progress.Report{Task: fmt.Sprintf("compiled programs are not kept: %v (NGEBM_COMPILE_CACHE=0 leaves this line out)", err), Finished: true})
	}
	return c
}

// identity is the SHA-256 of the plugin's file if that is known, else what the system says of the file.
func (p plugin) identity() (string, error) {
	if p.sha256 != "" {
		return p.sha256, nil
	}
	info, err := os.Stat(p.path)
	if err != nil {
		return "", err
	}
	return p.path + ": " + files.Identity(info), nil
}

func openCompileCache(dir string, dependsOn ...string) (*compilecache.Cache, error) {
	dir, err := ownFolder(dir)
	if err != nil {
		return nil, err
	}
	return compilecache.New(dir, dependsOn...)
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

package device

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/gomlx/go-xla/installer"
	"github.com/gomlx/go-xla/pjrt"

	"ngebm/data/progress"
)

// plugin is a plugin file on this machine.
type plugin struct {
	path, source string
	sha256       string // in hex, where it was verified
}

// version is the PluginVersion of a plugin that speaks that version of PJRT.
func (p plugin) version(speaks string) string {
	sum := p.sha256
	if sum == "" {
		file, err := os.Open(p.path)
		if err != nil {
			return ""
		}
		defer file.Close()
		if sum, err = hashOf(context.Background(), file, 0, progress.Discard{}); err != nil {
			return ""
		}
	}
	return fmt.Sprintf("PJRT %s, SHA-256 %.12s", speaks, sum)
}

// plugin finds XLA's CPU plugin, or downloads it; see the package comment.
func (o opener) plugin(ctx context.Context) (plugin, error) {
	if o.Plugin != "" {
		return namedPlugin(o.Plugin)
	}
	return o.plugins().obtain(ctx, o.Progress)
}

// namedPlugin is the plugin in the file that the caller names.
func namedPlugin(path string) (plugin, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return plugin{}, err
	}
	return plugin{path: path, source: "named by the caller, compared with no checksum"}, checkOwners(path)
}

// defaultStore is the store of this user on this machine.
func defaultStore(o Options) store {
	cache, err := cacheFolder()
	return store{installed: searchFolders(o.PluginFolders), cache: cache, noCache: err, sources: defaultSources(), offline: o.Offline}
}

// defaultSources lists the sources for the platform this runs on.
func defaultSources() (sources []source) {
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		for _, w := range wheels {
			sources = append(sources, w.source())
		}
	}
	return sources
}

// releaseByHand is how to get go-xla's own release of the plugin by hand.
var releaseByHand = fmt.Sprintf("get https://github.com/%s/releases/download/%s/pjrt_cpu_%s_%s.tar.gz, which is published without a checksum, and unpack it",
	installer.BinaryCPUReleasesRepo, pjrt.DefaultCPUVersion, runtime.GOOS, runtime.GOARCH)

// installByHand is where to put a plugin that was downloaded by hand.
const installByHand = "; put it as " + pluginFile + " into a folder of your own and list that in $" + pjrt.PJRTPluginPathsEnv + " (or the file with -plugin; in Go, in device.Options)"

func cacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "ngebm", "pjrt"), nil
}

// searchFolders lists the folders that are searched for plugins: the caller's, then those
// of go-xla.
func searchFolders(folders []string) []string {
	folders = slices.Clone(folders)
	if home, err := installer.DefaultHomeLibPath(); err == nil {
		folders = append(folders, filepath.Join(home, "go-xla"))
	}
	folders = append(folders, "/usr/local/lib/go-xla")
	return slices.DeleteFunc(folders, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// findInstalled searches for a plugin by the names that go-xla knows: without a version
// first, then with one.
func findInstalled(folders []string, name string) (plugin, bool) {
	known := regexp.MustCompile(`^pjrt_c_api_` + regexp.QuoteMeta(name) + `(_v[0-9.]+)?_plugin\.(so|dylib)$`)
	for _, folder := range folders {
		entries, err := os.ReadDir(folder) // sorted
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !known.MatchString(e.Name()) {
				continue // a lock file, say
			}
			if path, err := filepath.Abs(filepath.Join(folder, e.Name())); err == nil {
				return plugin{path: path, source: "installed in " + folder + ", compared with no checksum"}, true
			}
		}
	}
	return plugin{}, false
}

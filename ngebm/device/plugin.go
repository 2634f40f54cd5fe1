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
)

// Plugin finds XLA's CPU plugin, or gets it, and says where it is, where it came from
// and what was checked. The first of these that has one gives it:
//
//  1. [Options].Plugin, which names the file (-plugin);
//  2. the folders of [Options].PluginFolders (in this project's programs those of go-xla's
//     own variable $PJRT_PLUGIN_LIBRARY_PATH);
//  3. where go-xla installs for a user (~/.local/lib/go-xla on Linux,
//     ~/Library/Application Support/go-xla on macOS), and /usr/local/lib/go-xla;
//  4. this project's own folder ngebm/pjrt in the user's cache folder
//     ($XDG_CACHE_HOME or ~/.cache on Linux);
//  5. on x86-64 Linux, a Python wheel fetched with pip into 4, unless that is forbidden
//     ([Options].Offline).
//
// Nothing but 4 and 5 needs a home folder. The wheel's content is known: pip checks the
// SHA-256 of the wheel, this package that of the plugin in it, both pinned in the source,
// before the file is opened, so that what runs is byte for byte what was tried with this
// version, whoever holds the package's name by then. Next to the plugin a note says for
// which file (inode, size, times) that was done; it is done again for any other. The first
// wheel is, by its maker's word, an unmodified build of the public zml/pjrt-artifacts.
// go-xla's own releases, for arm64 Linux and Apple silicon too, are published without a
// checksum and not downloaded here: the error says how to put one into 2.
//
// A plugin is code that runs with all your rights. Files of 1 to 3 are compared with no
// checksum. A plugin, wherever it is, is refused if another user than root could exchange
// it: if the file or its folder belongs to him or may be written to by a group or
// everyone, or if a folder above does so or everyone may write there.
//
// A plugin appears in the cache under its final name only when it is whole and on disk.
// When two processes need it at once, one fetches and the other waits.
func Plugin(ctx context.Context, o Options) (path, source string, err error) {
	p, err := newOpener(o).plugin(ctx)
	return p.path, p.source, err
}

// plugin is a plugin file on this machine.
type plugin struct{ path, source string }

// plugin finds the CPU plugin or gets it.
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

// releaseByHand says how a person gets go-xla's own release of the plugin.
var releaseByHand = fmt.Sprintf("get https://github.com/%s/releases/download/%s/pjrt_cpu_%s_%s.tar.gz, which is published without a checksum, and unpack it",
	installer.BinaryCPUReleasesRepo, pjrt.DefaultCPUVersion, runtime.GOOS, runtime.GOARCH)

// installByHand says where a plugin belongs that a person got.
const installByHand = "; put it as " + pluginFile + " into a folder of yours and name that in $" + pjrt.PJRTPluginPathsEnv + " (or the file with -plugin; in Go, in device.Options)"

func cacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "ngebm", "pjrt"), nil
}

// searchFolders lists the folders where plugins are looked for: the caller's, then those
// of go-xla.
func searchFolders(folders []string) []string {
	folders = slices.Clone(folders)
	if home, err := installer.DefaultHomeLibPath(); err == nil {
		folders = append(folders, filepath.Join(home, "go-xla"))
	}
	folders = append(folders, "/usr/local/lib/go-xla")
	return slices.DeleteFunc(folders, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// findInstalled looks for a plugin under the names that go-xla knows: without a
// version and, after it, with one.
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

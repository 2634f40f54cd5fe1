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

// Plugin finds XLA's CPU plugin, or downloads it, and returns its path and, as text, where it
// came from and how it was verified. It takes the first of these:
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
// Only 4 and 5 need a home folder. pip verifies the SHA-256 of the wheel, and this package
// that of the plugin in it, before it is opened; both are pinned in the source, so that what
// runs is byte for byte what was tested with this version. A note next to the plugin records
// the file (inode, size, times) that was verified; any other file is verified again. According
// to its publisher, the first wheel is an unmodified build of the public zml/pjrt-artifacts.
// go-xla's own releases, which also exist for arm64 Linux and Apple silicon, are published
// without a checksum and not downloaded: the error says how to install one in 2.
//
// A plugin is code that runs with all your rights. Those of 1 to 3 are not verified. Any
// plugin is refused if a user other than you and root could replace it: if the file, its
// folder or a folder above belongs to somebody else, if a group or everyone may write to the
// file or its folder, or if everyone may write to a folder above.
//
// A plugin appears in the cache under its final name only once it is complete and synced.
// When two processes need it at the same time, one fetches it and the other waits.
func Plugin(ctx context.Context, o Options) (path, source string, err error) {
	p, err := newOpener(o).plugin(ctx)
	return p.path, p.source, err
}

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

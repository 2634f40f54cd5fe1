package device

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gomlx/go-xla/installer"
	"github.com/gomlx/go-xla/pjrt"

	"ngebm/ngebm/progress"
)

// Plugin finds XLA's CPU plugin, or gets it, and says where it lies and where it
// came from. The first of these that has one gives it:
//
//  1. the folders of $PJRT_PLUGIN_LIBRARY_PATH;
//  2. where go-xla installs for a user (~/.local/lib/go-xla on Linux,
//     ~/Library/Application Support/go-xla on macOS), and /usr/local/lib/go-xla;
//  3. this project's own folder ngebm/pjrt in the user's cache folder
//     ($XDG_CACHE_HOME or ~/.cache on Linux);
//  4. on x86-64 Linux, a Python wheel fetched with pip into 3;
//  5. go-xla's own release of the plugin, fetched into 3.
//
// The wheel comes before the release because its content is known: pip checks
// the SHA-256 of the wheel, this package that of the plugin in it, both pinned
// in the source, so that what runs is byte for byte what was tried with this
// version, whoever holds the package's name by then. The first wheel is, by its
// maker's word, an unmodified build of the public zml/pjrt-artifacts. go-xla's
// release is built by GoMLX's author for this version of go-xla, for arm64 Linux
// and Apple silicon too, but is published without a checksum: it is as safe as
// the connection and the account behind it.
//
// The file appears under its final name only when it is whole and on disk. When
// two processes need it at once, one fetches and the other waits.
func Plugin(ctx context.Context, report progress.Reporter) (path, source string, err error) {
	s, err := defaultStore()
	if err != nil {
		return "", "", err
	}
	if report == nil {
		report = progress.Silent{}
	}
	p, err := s.obtain(ctx, report)
	return p.path, p.source, err
}

// plugin is a plugin file on this machine.
type plugin struct{ path, source string }

// defaultStore is the store of this user on this machine.
func defaultStore() (store, error) {
	cache, err := cacheFolder()
	if err != nil {
		return store{}, err
	}
	return store{installed: installedFolders(os.Getenv), cache: cache, sources: defaultSources()}, nil
}

func cacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to keep XLA's plugin in: %w; set XDG_CACHE_HOME to one", err)
	}
	return filepath.Join(cache, "ngebm", "pjrt"), nil
}

// installedFolders lists the folders where go-xla looks for plugins, in its order.
func installedFolders(getenv func(string) string) []string {
	folders := filepath.SplitList(getenv(pjrt.PJRTPluginPathsEnv))
	if home, err := installer.DefaultHomeLibPath(); err == nil {
		folders = append(folders, filepath.Join(home, "go-xla"))
	}
	folders = append(folders, "/usr/local/lib/go-xla")
	return slices.DeleteFunc(folders, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// findInstalled looks for a plugin under the names that go-xla knows: without a
// version and, after it, with one.
func findInstalled(folders []string, name string) (plugin, bool) {
	known := regexp.MustCompile(`^pjrt_c_api_` + name + `(_v[0-9.]+)?_plugin\.(so|dylib)$`)
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
				return plugin{path: path, source: "installed in " + folder}, true
			}
		}
	}
	return plugin{}, false
}

package ngebm

import (
	"path/filepath"
	"slices"
	"strings"
)

// WithoutFolders is the configuration without the folders of paths in the names of its
// data sets, as config.json and published results have it: "folder:photos" in place of
// "folder:/home/ada/photos". Its hash is the same.
func (c Config) WithoutFolders() Config {
	c.Data, c.Margin.Outliers = withoutFolder(c.Data), withoutFolder(c.Margin.Outliers)
	return c
}

// withoutFolder is the name of a data set without the folders of its path.
func withoutFolder(set string) string {
	kind, path, named := strings.Cut(set, ":")
	if !named || path == "" || !slices.Contains([]string{"folder", "tar", "zip", "npz", "celeba"}, kind) {
		return set
	}
	return kind + ":" + filepath.Base(path)
}

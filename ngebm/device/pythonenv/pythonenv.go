// Package pythonenv makes the environment of a Python that this project starts for
// itself, from that of a person who may have set up another one.
package pythonenv

import (
	"slices"
	"strings"
)

// foreign begin the variables that lead a Python to the packages, the folders and the
// habits of another, and pip to install elsewhere or otherwise than it is asked to.
var foreign = []string{"PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_", "_CONDA_", "PIP_"}

// sources are those that say where pip finds packages and how it gets there.
var sources = []string{
	"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR",
	"PIP_PROXY", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_TRUSTED_HOST", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
}

// Own returns the entries of an environment, as of [os.Environ], without those that are for
// another Python, or that begin with one of more prefixes.
func Own(environ []string, more ...string) []string {
	prefixes := slices.Concat(foreign, more)
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		return slices.ContainsFunc(prefixes, begins) && !slices.Contains(sources, name)
	})
}

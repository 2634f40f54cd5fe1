// Package pythonenv derives the environment of a Python process that this project starts,
// without the variables by which a user configures another Python.
package pythonenv

import (
	"slices"
	"strings"
)

// foreign are prefixes of variables that point Python at another installation's packages and
// settings, or make pip install elsewhere.
var foreign = []string{"PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_", "_CONDA_", "PIP_"}

// kept are the exceptions: where pip finds packages, how it connects, and what it may not do.
var kept = []string{
	"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR",
	"PIP_PROXY", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_TRUSTED_HOST", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
	"PIP_REQUIRE_VIRTUALENV",
}

// Own returns the entries of an environment, as [os.Environ] does, without those for another
// Python and those that begin with one of the further prefixes.
func Own(environ []string, more ...string) []string {
	prefixes := slices.Concat(foreign, more)
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		return slices.ContainsFunc(prefixes, begins) && !slices.Contains(kept, name)
	})
}

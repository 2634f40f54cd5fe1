package ngebm

import (
	"runtime/debug"
)

// module is this module's path.
const module = "ngebm"

// Version says which version of this module's code the program was built from: the
// revision of its repository, with "+modified" where files differed from it, or the
// module's version in a program of another module. It is "unknown" where the build
// left no trace of it, as tests and `go run` do without -buildvcs=true.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if info.Main.Path != module {
		for _, dep := range info.Deps {
			if dep.Path == module && dep.Replace == nil && dep.Version != "" {
				return dep.Version
			}
		}
		return "unknown"
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+modified"
		}
	}
	if revision == "" {
		return "unknown"
	}
	return revision + modified
}

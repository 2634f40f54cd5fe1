package ngebm

import (
	"runtime/debug"
	"slices"
	"strings"
)

// module is this module's path.
const module = "ngebm"

// Version says which version of this module's code the program was built from: the
// revision of its repository, with "+modified" where files differed from it, or the
// module's version in a program of another module. Where the build left no trace of
// either, as in tests, in notebooks and with a replaced module, it is "source" and
// [Source].
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if version := versionOf(info); version != "" {
			return version
		}
	}
	return "source " + Source()
}

// versionOf is empty where the build says nothing.
func versionOf(info *debug.BuildInfo) string {
	if info.Main.Path != module {
		for _, dep := range info.Deps {
			if dep.Path == module && dep.Replace == nil && dep.Version != "(devel)" {
				return dep.Version
			}
		}
		return ""
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
		return ""
	}
	return revision + modified
}

// computing are the modules that compute what this one asks for.
var computing = []string{"github.com/gomlx/compute", "github.com/gomlx/go-xla", "github.com/gomlx/gomlx"}

// libraries names these modules' versions in the program, empty where the build does not
// say (in tests).
func libraries() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var found []string
	for _, dep := range info.Deps {
		if slices.Contains(computing, dep.Path) {
			if dep.Replace != nil {
				dep = dep.Replace
			}
			found = append(found, dep.Path[strings.LastIndex(dep.Path, "/")+1:]+" "+dep.Version)
		}
	}
	return strings.Join(found, ", ")
}

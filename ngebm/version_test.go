package ngebm

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	revision := setting("vcs.revision", "0123abcd")
	own := debug.Module{Path: module, Version: "(devel)"}
	for name, c := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"a clean checkout":        {debug.BuildInfo{Main: own, Settings: []debug.BuildSetting{revision, setting("vcs.modified", "false")}}, "0123abcd"},
		"a changed one":           {debug.BuildInfo{Main: own, Settings: []debug.BuildSetting{setting("vcs.modified", "true"), revision}}, "0123abcd+modified"},
		"no repository":           {debug.BuildInfo{Main: own}, ""},
		"a module that uses it":   {debug.BuildInfo{Main: debug.Module{Path: "other"}, Deps: []*debug.Module{{Path: module, Version: "v1.2.3"}}, Settings: []debug.BuildSetting{revision}}, "v1.2.3"},
		"with a copy in a folder": {debug.BuildInfo{Main: debug.Module{Path: "other"}, Deps: []*debug.Module{{Path: module, Version: "v0.0.0", Replace: &debug.Module{Path: "../copy"}}}}, ""},
		"a workspace":             {debug.BuildInfo{Main: debug.Module{Path: "gonb"}, Deps: []*debug.Module{{Path: module, Version: "(devel)"}}}, ""},
	} {
		if got := versionOf(&c.info); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	// Tests are built without a trace of the revision.
	if got := Version(); got != "source "+Source() {
		t.Errorf("this test's version is %q", got)
	}
}

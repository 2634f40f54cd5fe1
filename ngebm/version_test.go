package ngebm

import (
	"runtime/debug"
	"strings"
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

// The name of a processor is not enough: both AMD EPYC are from virtual machines, of Zen 4 and of
// Zen 5. ARM's processors have no name there.
func TestProcessorIn(t *testing.T) {
	for want, cpuinfo := range map[string]string{
		"AMD EPYC (family 25, model 17)":                        "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nstepping\t: 1\n\nprocessor\t: 1\nmodel name\t: other\n",
		"AMD EPYC (family 26, model 2)":                         "cpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n",
		"INTEL(R) XEON(R) PLATINUM 8581C (family 6, model 207)": "cpu family : 6\nmodel : 207\nmodel name : INTEL(R) XEON(R) PLATINUM 8581C\n",
		"ARMv7 Processor rev 4 (v7l)":                           "processor\t: 0\nmodel name\t: ARMv7 Processor rev 4 (v7l)\n",
		"":                                                      "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n",
	} {
		if got := processorIn(cpuinfo); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if name := Processor(); !strings.HasSuffix(Machine(), name) {
		t.Errorf("the machine %q does not name the processor %q", Machine(), name)
	}
}

// A plugin or processor that was not recorded is not another.
func TestMakersDiffer(t *testing.T) {
	now := Maker{Source: "a", Kind: "xla:cpu", Devices: 1, Plugin: "PJRT 0.98, SHA-256 01", Processor: "Zen 5", Processors: 2}
	for name, c := range map[string]struct {
		change func(*Maker)
		want   string // "" if they are alike
	}{
		"the same":           {func(*Maker) {}, ""},
		"unknown processor":  {func(m *Maker) { m.Processor = "" }, ""},
		"another processor":  {func(m *Maker) { m.Processor = "Zen 4" }, "on Zen 4, then Zen 5"},
		"unknown plugin":     {func(m *Maker) { m.Plugin, m.Processors = "", 0 }, ""},
		"another plugin":     {func(m *Maker) { m.Plugin = "PJRT 0.97, SHA-256 02" }, "with another XLA (PJRT 0.97, SHA-256 02, then PJRT 0.98, SHA-256 01)"},
		"fewer processors":   {func(m *Maker) { m.Processors = 1 }, "on 1 processor, then 2"},
		"another device":     {func(m *Maker) { m.Kind, m.Plugin = "xla:cuda", "PJRT 0.98, SHA-256 03" }, "on xla:cuda, then xla:cpu"},
		"other code, before": {func(m *Maker) { m.Source, m.Processor = "b", "" }, "by other code (source b, then a)"},
	} {
		before := now
		c.change(&before)
		if got := before.like(now); got != (c.want == "") || !got && before.unlike(now) != c.want {
			t.Errorf("%s: alike %v, %q; want %q", name, got, before.unlike(now), c.want)
		}
	}
}

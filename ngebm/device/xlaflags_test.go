package device

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Flags of another version of XLA are named, with the remedy, before the plugin ends the
// program at them.
func TestCheckFlags(t *testing.T) {
	dir := t.TempDir()
	plugin, file, missing := filepath.Join(dir, "plugin.so"), filepath.Join(dir, "flags"), filepath.Join(dir, "missing")
	// One flag stands across the border of what is read at a time.
	const first, second = "xla_one", "xla_two"
	content := append(bytes.Repeat([]byte{'x'}, 1<<20-4), "\x00"+first+"\x00"+second+"\x00xla_three_and_more\x00"...)
	for path, text := range map[string][]byte{plugin: content, file: []byte("--xla_one=2\n--xla_old=1\n")} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link") // as Kubernetes mounts files
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]string{
		"":                                "",
		"  ":                              "",
		"--xla_one=1 --xla_two":           "",
		" -xla_two=true\t--xla_one='a b'": "",
		"--xla_one='--xla_quoted=1 --x'":  "",
		`--xla_one="a --xla_quoted"`:      "",
		"--xla_two --xla_old=1":           `XLA_FLAGS holds "--xla_old"`,
		"--xla_three":                     `XLA_FLAGS holds "--xla_three"`,
		file:                              `flags" that XLA_FLAGS names holds "--xla_old"`,
		link:                              `link" that XLA_FLAGS names holds "--xla_old"`,
		missing:                           "is read as a file of XLA flags",
	} {
		err := checkFlags(plugin, flags)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", flags, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "unset XLA_FLAGS")):
			t.Errorf("%q: %v, want %s", flags, err, want)
		}
	}
	if err := checkFlags("cpu", "--xla_old=1"); err != nil {
		t.Errorf("a plugin that go-xla looks up: %v", err)
	}
}

// flagsHelper makes this test's program open the CPU and end.
const flagsHelper = "NGEBM_TEST_OPEN_CPU"

// XLA knows every flag that its own list has, which it prints at a value that is none, and
// names every other. No program is ended at an unknown one.
func TestFlagsOfXLA(t *testing.T) {
	if os.Getenv(flagsHelper) != "" {
		if _, err := OpenContext(t.Context(), Options{Device: CPU, XLAFlags: os.Getenv(xlaFlags)}); err != nil {
			t.Fatal(err)
		}
		return
	}
	open := func(flags string) (said string, err error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFlagsOfXLA$")
		cmd.Env = append(os.Environ(), flagsHelper+"=1", xlaFlags+"="+flags)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	dev, err := Open(CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	said, _ := open("--xla_gpu_autotune_level=none")
	list := regexp.MustCompile(`(?m)^\t--(\w+)=`).FindAllStringSubmatch(said, -1)
	if len(list) < 20 {
		t.Fatalf("XLA lists %d flags:\n%s", len(list), said)
	}
	var all strings.Builder
	for _, flag := range list {
		all.WriteString(" --" + flag[1])
	}
	if err := checkFlags(dev.Plugin, all.String()); err != nil {
		t.Error(err)
	}
	if said, err := open("--xla_force_host_platform_device_count=8 --xla_gpu_autotune_level=0"); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	for _, flag := range []string{"--xla_gpu_enable_async_all_gather", "--xla_nosuch_flag"} { // of older versions, and of none
		said, err := open("--xla_gpu_autotune_level=0 " + flag + "=true")
		if want := `XLA_FLAGS holds "` + flag + `", which this plugin does not know`; err == nil || !strings.Contains(said, want) {
			t.Errorf("%v\n%s\nhas no %s", err, said, want)
		}
	}
}

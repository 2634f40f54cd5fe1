package device

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/progress"
)

// asOther gives a file to another user; only root can.
func asOther(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give a file to another user")
	}
	if err := os.Lchown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
}

// A plugin is run only if nobody but this user and root can exchange it.
func TestOwners(t *testing.T) {
	mode := func(path string, mode os.FileMode) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	given := func(path string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { asOther(t, filepath.Join(dir, path)) }
	}
	// linked makes the path a link, and does something to its target or to a folder on the way.
	linked := func(change func(t *testing.T, dir string)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			touch(t, filepath.Join(dir, "elsewhere", "real", "p.so"))
			err := errors.Join(os.Symlink("../elsewhere/real", filepath.Join(dir, "top", "jump")),
				os.Remove(filepath.Join(dir, "top", "lib", "p.so")),
				os.Symlink("../jump/../real/p.so", filepath.Join(dir, "top", "lib", "p.so")))
			if err != nil {
				t.Fatal(err)
			}
			change(t, dir)
		}
	}
	nothing := func(*testing.T, string) {}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   []string
	}{
		{"as it should be", nothing, nil},
		{"a group makes files above", mode("top", 0o775), nil},
		{"everyone makes files above, as in /tmp", mode("top", 0o777|os.ModeSticky), nil},
		{"everyone moves what is above", mode("top", 0o777), []string{"top", "changed by everyone", "chmod o-w"}},
		{"a group writes the file", mode("top/lib/p.so", 0o775), []string{"p.so", "mode 0775", "chmod go-w"}},
		{"everyone writes the file", mode("top/lib/p.so", 0o757), []string{"p.so", "mode 0757"}},
		{"a group writes beside it", mode("top/lib", 0o775), []string{"lib", "mode 0775"}},
		{"everyone writes beside it", mode("top/lib", 0o777|os.ModeSticky), []string{"lib", "mode 0777"}},
		{"another's file", given("top/lib/p.so"), []string{"p.so", "belongs to user 65534", "copy it to a folder of yours if you trust it"}},
		{"another's folder", given("top/lib"), []string{"lib", "belongs to user 65534"}},
		{"another's folder above", given("top"), []string{"top", "belongs to user 65534"}},
		{"links", linked(nothing), nil},
		{"another's link", linked(given("top/jump")), []string{"jump", "belongs to user 65534"}},
		{"a link to another's file", linked(given("elsewhere/real/p.so")), []string{"real/p.so", "belongs to user 65534"}},
		{"a link through another's folder", linked(given("elsewhere")), []string{"elsewhere", "belongs to user 65534"}},
		{"a link to where everyone writes", linked(mode("elsewhere/real", 0o777)), []string{"real", "changed by"}},
		{"a link to itself", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "top", "lib", "p.so")
			if err := errors.Join(os.Remove(path), os.Symlink("p.so", path)); err != nil {
				t.Fatal(err)
			}
		}, []string{"more than 40 links"}},
		{"missing", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "top", "lib", "p.so")); err != nil {
				t.Fatal(err)
			}
		}, []string{"p.so", "no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "top", "lib", "p.so")
			touch(t, path)
			c.change(t, dir)
			err := checkOwners(path)
			if (err == nil) != (c.want == nil) {
				t.Errorf("the error is %v, want %q in it", err, c.want)
			}
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error is %v, want a line with %q", err, want)
				}
			}
		})
	}
}

// A plugin that another user put under the cache's name, of the right size, is not run; nor
// is one that was changed or exchanged since it was checked.
func TestPlantedPlugin(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "pjrt")
	s := store{cache: cache, sources: []source{writes("pinned", content)}, offline: true}
	path := filepath.Join(cache, "pinned", pluginFile)
	plant := func(content string) {
		t.Helper()
		touch(t, path)
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	find := func() (plugin, error) { return s.obtain(t.Context(), progress.Discard{}) }
	refused := func(what string, want ...string) {
		t.Helper()
		p, err := find()
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, %v, want %q", what, p, err, w)
			}
		}
	}
	plant("b plugin")
	refused("planted before", "has SHA-256", "instead of "+contentSHA, "not used", "downloads are forbidden")
	plant(content)
	if p, err := find(); err != nil || !strings.HasSuffix(p.source, "verified now") {
		t.Errorf("the right one: %v, %v", p, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	plant("b plugin")
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	refused("changed after", "has SHA-256", "not used")
	plant(content)
	if err := os.Rename(path, path+".was"); err != nil {
		t.Fatal(err)
	}
	plant("b plugin")
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	refused("exchanged after", "has SHA-256", "not used")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("a pipe", "is a named pipe", "downloads are forbidden")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	plant(content)
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	refused("in a folder of everyone", "may be changed by everyone")
}

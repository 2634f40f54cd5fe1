package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// write writes a file, in a folder that it makes if there is none.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// As go, the kernel joins GoNB's module to that around the notebook, leaves out the
// search for newer versions, and passes the rest on.
func TestAsGo(t *testing.T) {
	dir := t.TempDir()
	asGo := filepath.Join(dir, "go")
	if out, err := exec.Command("go", "build", "-o", asGo, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), `a "β", module`)
	write(t, filepath.Join(root, "go.mod"), "module example\n\ngo 1.26\n")
	write(t, filepath.Join(root, "p", "p.go"), "package p\n\nconst Word = \"found\"\n")
	cell := t.TempDir()
	run := func(variables []string, args ...string) (string, error) {
		t.Helper()
		cmd := exec.Command(asGo, args...)
		cmd.Dir, cmd.Env = cell, append(os.Environ(), append([]string{"GOWORK=", "GOFLAGS=", realGo + "=" + goCommand, module + "=" + root}, variables...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	write(t, filepath.Join(cell, "main.go"), "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example/p\"\n)\n\nfunc main() { fmt.Println(p.Word) }\n")
	for range 2 { // as at the start, and after %reset go.mod
		if err := os.RemoveAll(filepath.Join(cell, "go.mod")); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"mod", "init", "gonb_1234"}, {"get"}, {"get", "-t"}} {
			if out, err := run(nil, args...); err != nil {
				t.Fatalf("go %q: %v\n%s", args, err, out)
			}
		}
		if out, err := run(nil, "run", "."); err != nil || out != "found\n" {
			t.Errorf("a cell: %v, %s", err, out)
		}
	}
	echo, err := exec.LookPath("echo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ module, args, want string }{
		{root, "get", ""},
		{root, "get example.org/other", "get example.org/other\n"},
		{root, "mod init example", "mod init example\n"},
		{root, "vet .", "vet .\n"},
		{"", "build -o x", "build -o x\n"},
		{"", "get", "get\n"},
		{"", "mod init gonb_1234", "mod init gonb_1234\n"},
	} {
		out, err := run([]string{realGo + "=" + echo, module + "=" + c.module}, strings.Fields(c.args)...)
		if err != nil || out != c.want {
			t.Errorf("go %s in module %q does %q, want %q (%v)", c.args, c.module, out, c.want, err)
		}
	}
	if runtime.GOOS == "linux" {
		out, err := run([]string{realGo + "=" + echo}, "build", "-o", "x", "-race")
		if want := "build -ldflags=-s -linkmode=internal -o x -race\n"; err != nil || out != want {
			t.Errorf("go build does %q, want %q (%v)", out, want, err)
		}
	}
	// What Go's linker cannot link is linked by C's: its error is not seen.
	refuses := filepath.Join(dir, "refuses")
	write(t, refuses, "#!/bin/sh\ncase \"$*\" in *linkmode=internal*) echo malformed elf; exit 1;; esac\necho \"$@\"\nexit 3\n")
	if err := os.Chmod(refuses, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := run([]string{realGo + "=" + refuses}, "build", "-o", "x"); err == nil || err.Error() != "exit status 3" || out != "build -o x\n" {
		t.Errorf("with a linker that refuses, go build ends with %v and %q", err, out)
	}
	if out, err := run([]string{realGo + "="}, "version"); err == nil || !strings.Contains(out, "which their kernel starts") {
		t.Errorf("without its kernel: %v, %s", err, out)
	}
}

// A cell that ran before is not linked again, unless what it imports is another now.
func TestBuiltProgramIsKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("programs are kept on Linux")
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	cell, kept := t.TempDir(), filepath.Join(t.TempDir(), "built")
	t.Chdir(cell)
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	t.Setenv(built, kept)
	write(t, "go.mod", "module cell\n\ngo 1.26\n")
	write(t, "p/p.go", "package p\n\nconst Word = \"one\"\n")
	program := func(end string) string {
		return "package main\n\nimport \"cell/p\"\n\nfunc main() { print(p.Word + \"" + end + "\") }\n"
	}
	output := filepath.Join(cell, "program")
	for i, step := range []struct {
		word, end string
		linked    bool
	}{
		{"one", "!", true},
		{"one", "!", false},
		{"one", "?", true},
		{"one", "!", false},
		{"one", "?", false},
		{"two", "!", true}, // the program that is kept is an old one
		{"two", "!", false},
		{"two", "?", true},
		{"one", "?", true},
	} {
		write(t, "p/p.go", "package p\n\nconst Word = \""+step.word+"\"\n")
		write(t, "main.go", program(step.end))
		log, err := buildInternally(goCommand, []string{"build", "-o", output, "-x"})
		if err != nil {
			t.Fatalf("step %d: %v\n%s", i, err, log)
		}
		if linked := strings.Contains(string(log), "/link -o"); linked != step.linked {
			t.Errorf("step %d, %s%s: linked %v, want %v", i, step.word, step.end, linked, step.linked)
		}
		if out, err := exec.Command(output).CombinedOutput(); err != nil || string(out) != step.word+step.end {
			t.Errorf("step %d prints %q, want %s%s (%v)", i, out, step.word, step.end, err)
		}
	}
}

// Only the newest programs are kept.
func TestRemoveOldest(t *testing.T) {
	folder := t.TempDir()
	for i, name := range []string{"c", "a", "b"} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		leave int
		want  string
	}{{4, "a b c"}, {3, "a b c"}, {2, "a b"}, {0, ""}} {
		if err := removeOldest(folder, c.leave); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%d newest files are %q, want %q", c.leave, got, c.want)
		}
	}
}

// As gopls, the kernel is the one in the folder that is named, and ends where there is none.
func TestAsGopls(t *testing.T) {
	dir := t.TempDir()
	asGopls := filepath.Join(dir, "gopls")
	if out, err := exec.Command("go", "build", "-o", asGopls, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	echo, err := exec.LookPath("echo")
	if err != nil {
		t.Fatal(err)
	}
	named := t.TempDir()
	if err := os.Symlink(echo, filepath.Join(named, "gopls")); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{"": "", t.TempDir(): "", named: "-listen unix;socket\n"} {
		cmd := exec.Command(asGopls, "-listen", "unix;socket")
		cmd.Env = append(os.Environ(), goplsFolder+"="+folder)
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("with %q it says %q, not %q (%v)", folder, out, want, err)
		}
	}
}

// A notebook in a module has that one, another the project's.
func TestModuleAround(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	inside, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(inside, "go.mod"), []byte("module example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(realGo, goCommand)
	for _, c := range []struct{ folder, project, want string }{
		{inside, "/clone", inside},
		{outside, "/clone", "/clone"},
		{outside, "", ""},
	} {
		t.Chdir(c.folder)
		t.Setenv(project, c.project)
		if root, err := moduleAround(); err != nil || root != c.want {
			t.Errorf("in %s with the project %q it is %q, not %q (%v)", c.folder, c.project, root, c.want, err)
		}
	}
}

// Where go cannot tell the module, the kernel says why.
func TestModuleAroundFails(t *testing.T) {
	fails := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(fails, []byte("#!/bin/sh\necho unknown directive >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(realGo, fails)
	if root, err := moduleAround(); err == nil || !strings.Contains(err.Error(), "unknown directive") {
		t.Errorf("%q, %v", root, err)
	}
}

// The kernel's folder has a short name, so that gopls can listen in it; lab.completionSocket has
// the same.
func TestTemporaryIsShort(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir, err := temporary()
	if name := filepath.Base(dir); err != nil || len(name) > len("k4294967295") {
		t.Errorf("%q (%v)", dir, err)
	}
}

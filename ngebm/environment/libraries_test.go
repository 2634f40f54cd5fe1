package environment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
)

// forPrograms are packages that are imported for what they do to a process, or for a cell
// of a notebook. Only programs import them: the command and what is below notebooks.
var forPrograms = []string{"ngebm/ngebm/environment", "ngebm/ngebm/device/heap"}

// testOnly are packages that tests import.
var testOnly = []string{"ngebm/data/testdisk", "ngebm/ngebm/internal/testdevice", "ngebm/data/testerror", "ngebm/ngebm/internal/testpython"}

// goPackage is what go list says of a package.
type goPackage struct {
	Dir, ImportPath, Name string
	GoFiles, CgoFiles     []string
	Deps                  []string
}

func (p goPackage) program() bool {
	return p.Name == "main" || strings.HasPrefix(p.ImportPath+"/", "ngebm/notebooks/") || strings.HasPrefix(p.ImportPath, "ngebm/ngebm/cmd/")
}

// modulePackages lists the packages of this module, and its folder.
func modulePackages(t *testing.T) (all []goPackage, root string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testdisk.Inputs(t, root)
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 20 {
		t.Fatalf("the module has %d packages", len(all))
	}
	return all, root
}

// No library depends on a package for programs, however indirectly, and none takes what
// is the program's in its source.
func TestLibrariesLeaveTheProcessAlone(t *testing.T) {
	all, _ := modulePackages(t)
	for _, p := range all {
		if p.program() || slices.Contains(forPrograms, p.ImportPath) || slices.Contains(testOnly, p.ImportPath) {
			continue
		}
		for _, d := range p.Deps {
			if slices.Contains(forPrograms, d) || slices.Contains(testOnly, d) {
				t.Errorf("%s imports %s, or a package that does", p.ImportPath, d)
			}
		}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			for _, found := range effects(t, filepath.Join(p.Dir, name)) {
				if !slices.Contains(allowed[p.ImportPath+"/"+name], found.name) {
					t.Errorf("%s: a library uses %s; let the program do that and take an option", found.at, found.name)
				}
			}
		}
	}
}

// allowed are uses that leave the process as it was, by file.
var allowed = map[string][]string{
	"ngebm/ngebm/device/xlalog.go":                        {"os.Setenv", "os.Unsetenv", "os.LookupEnv"}, // undoes what go-xla does at import
	"ngebm/ngebm/device/wheel.go":                         {"os.Environ"},                               // for pip, which is another process
	"ngebm/ngebm/device/internal/compilecache/machine.go": {"os.Getenv"},                                // what XLA reads there is part of a key
}

// forbidden are the functions and variables by which a package reaches the process around
// it. "*" is all of a package.
var forbidden = map[string][]string{
	"os":            {"Getenv", "LookupEnv", "Environ", "Setenv", "Unsetenv", "Clearenv", "Stdin", "Stdout", "Stderr", "Exit", "Chdir", "Args"},
	"os/signal":     {"*"},
	"log":           {"*"},
	"flag":          {"CommandLine", "Parse", "Args", "Var", "Bool", "BoolVar", "String", "StringVar", "Int", "IntVar", "Float64", "Float64Var", "Duration", "DurationVar", "Func"},
	"runtime/debug": {"SetGCPercent", "SetMemoryLimit", "SetMaxThreads", "SetMaxStack", "SetPanicOnFault", "SetTraceback", "FreeOSMemory"},
	"fmt":           {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

type use struct{ name, at string }

// effects finds uses of what is forbidden in a file.
func effects(t *testing.T, path string) (found []use) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{} // of imported packages
	for _, spec := range file.Imports {
		of, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := of[strings.LastIndex(of, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = of
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok {
			of := names[x.Name]
			if slices.Contains(forbidden[of], s.Sel.Name) || slices.Contains(forbidden[of], "*") {
				found = append(found, use{of + "." + s.Sel.Name, files.Position(s.Pos()).String()})
			}
		}
		return true
	})
	return found
}

// A program of another module that imports every library keeps its own SIGINT,
// environment, heap and output, also after it has trained: what it calls its own is the
// same as in a program without imports.
func TestProgramElsewhere(t *testing.T) {
	all, root := modulePackages(t)
	var imports strings.Builder
	n := 0
	fmt.Fprint(&imports, "//go:build libraries\n\npackage main\n\nimport (\n")
	for _, p := range all {
		if p.program() || slices.Contains(forPrograms, p.ImportPath) || slices.Contains(strings.Split(p.ImportPath, "/"), "internal") {
			continue
		}
		fmt.Fprintf(&imports, "\t_ %q\n", p.ImportPath)
		n++
	}
	fmt.Fprint(&imports, ")\n")
	if n < 20 {
		t.Fatalf("there are %d libraries", n)
	}
	folder := t.TempDir()
	copyModule(t, root, folder, imports.String())
	without, with := filepath.Join(folder, "without"), filepath.Join(folder, "with")
	for bin, tags := range map[string]string{without: "none", with: "libraries"} {
		build := exec.Command("go", "build", "-ldflags=-s", "-tags", tags, "-o", bin, ".")
		build.Dir = folder
		build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, c := range []struct {
		name    string
		environ []string
		use     bool
	}{
		{"an empty environment", nil, false},
		{"variables of programs", []string{"NGEBM_RUNS=/none", "NGEBM_DEVICE=none", "GOMLX_BACKEND=none", "TF_CPP_MIN_LOG_LEVEL=", "GOGC=off"}, true},
		{"a level for XLA", []string{"TF_CPP_MIN_LOG_LEVEL=2"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			environ := append([]string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + folder}, c.environ...)
			want := observe(t, without, environ)
			if got := observe(t, with, environ); !maps.Equal(got, want) {
				t.Errorf("with the libraries imported %v, without %v", difference(got, want), difference(want, got))
			}
			if !c.use {
				return
			}
			if got := observe(t, with, environ, "use"); !maps.Equal(got, want) {
				t.Errorf("with the libraries used %v, without %v", difference(got, want), difference(want, got))
			}
		})
	}
}

// copyModule makes a module of testdata/elsewhere that finds what this one needs.
func copyModule(t *testing.T, root, folder, imports string) {
	t.Helper()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write("imports.go", []byte(imports))
	write("go.sum", read(filepath.Join(root, "go.sum")))
	mod := strings.Replace(string(read(filepath.Join(root, "go.mod"))), "module ngebm\n", "module elsewhere\n", 1)
	write("go.mod", fmt.Appendf(nil, "%s\nrequire ngebm v0.0.0\n\nreplace ngebm => %s\n", mod, root))
	sources, err := filepath.Glob(filepath.Join("testdata", "elsewhere", "*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, path := range sources {
		write(filepath.Base(path), read(path))
	}
}

// observe runs a program that ends by SIGINT, which it sends to itself, and returns what
// it found of its process, as text by name.
func observe(t *testing.T, bin string, environ []string, args ...string) map[string]string {
	t.Helper()
	var printed bytes.Buffer
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.CommandContext(t.Context(), bin, append(args, "interrupt")...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = environ, filepath.Dir(bin), []*os.File{w}
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var state map[string]any
	decodeErr := json.NewDecoder(r).Decode(&state)
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("%s %v: SIGINT does not end it: %v", filepath.Base(bin), args, err)
	}
	if printed.Len() > 0 {
		t.Errorf("%s %v prints %q", filepath.Base(bin), args, &printed)
	}
	if decodeErr != nil {
		t.Fatal(decodeErr)
	}
	found := map[string]string{}
	for name, value := range state {
		found[name] = fmt.Sprint(value)
	}
	return found
}

// difference is what a has and b has not.
func difference(a, b map[string]string) map[string]string {
	d := maps.Clone(a)
	maps.DeleteFunc(d, func(name, value string) bool { return b[name] == value })
	return d
}

// Command kernel starts GoNB, the Go kernel of the notebooks, such that cells can import
// the packages of the module around the notebook, without a cell that sets this up.
//
//	kernel GOROOT CONNECTION_FILE [flags of GoNB]
//
// GoNB builds cells in a temporary module, with the go that it finds on PATH. That is this
// program, under the name go in the folder "as"; it joins the two modules by a go.work,
// keeps GoNB from asking for newer versions of what go.mod pins, and leaves the rest to go.
// A notebook that is in no module has the one that the variable project names.
//
// To complete code, GoNB reads the folder that go.work names when the first cell runs, and follows
// the links in it. So a link in the repository to a large folder makes each kernel slow to start: name
// such a folder by its path instead.
//
// Linking takes most of the time in which a cell is built, so programs have no symbol table and
// no data for debuggers (stack traces need neither), and are linked without the C linker where
// Go can do that; the program of a cell that ran before is not linked again. The cell
// `%goflags -ldflags=` has the data for a debugger in those after it.
//
// It is also the gopls that GoNB finds there, which GoNB starts with every kernel. It becomes
// the one in the folder that goplsFolder names, or ends: where nobody types, reading all packages is in vain,
// and a gopls that a person has installed may not fit the Go release.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"ngebm/notebooks/internal/tempdir"
)

// What the kernel sets for the go of its cells.
const (
	realGo = "NGEBM_KERNEL_GO"     // the go command
	module = "NGEBM_KERNEL_MODULE" // the folder of the module that cells import from; "" for none
	built  = "NGEBM_KERNEL_BUILT"  // the folder for programs of cells; "" to keep none
)

// project is the variable that names the folder of the module for notebooks that are in none.
const project = "NGEBM_KERNEL_PROJECT"

// goplsFolder is the variable that names the folder with gopls; without it there is none.
const goplsFolder = "NGEBM_KERNEL_GOPLS"

func main() {
	run, args := startKernel, os.Args[1:]
	switch filepath.Base(os.Args[0]) {
	case "go":
		run = asGo
	case "gopls":
		run = asGopls
	}
	status, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "notebooks:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

// startKernel runs GoNB, with a folder for its temporary files that goes with it: one that
// ends in the middle of a cell leaves pipes behind.
func startKernel(args []string) (status int, err error) {
	if len(args) < 2 {
		return 0, fmt.Errorf("kernel GOROOT CONNECTION_FILE, not %q", args)
	}
	goroot, connection, flags := args[0], args[1], args[2:]
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	temp, err := temporary()
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(temp)
	here := filepath.Dir(self)
	path := []string{filepath.Join(here, "as"), here, filepath.Join(goroot, "bin"), os.Getenv("PATH")}
	if v := os.Getenv("NGEBM_OFFLINE"); v != "" && v != "0" {
		if err := os.Setenv("GOPROXY", "off"); err != nil {
			return 0, err
		}
	}
	for name, value := range map[string]string{
		"PATH":   strings.Join(path, string(os.PathListSeparator)),
		"TMPDIR": temp,
		realGo:   filepath.Join(goroot, "bin", "go"),
		built:    filepath.Join(temp, "built"),
		// Not what a person has set for other modules. -s leaves out the symbol table and
		// the data for debuggers, which halves the time that linking takes.
		"GOFLAGS":     "-ldflags=-s -buildvcs=false",
		"GOWORK":      "",
		"GOTMPDIR":    "",
		"GO111MODULE": "on",
		"CGO_ENABLED": "1", // for XLA
	} {
		if err := os.Setenv(name, value); err != nil {
			return 0, err
		}
	}
	// What is set for the Python with JupyterLab is not for cells: they find the packages of the user's.
	for _, name := range []string{"PYTHONNOUSERSITE", "PYTHONUTF8"} {
		if err := os.Unsetenv(name); err != nil {
			return 0, err
		}
	}
	root, err := moduleAround()
	if err != nil {
		return 0, err
	}
	if err := os.Setenv(module, root); err != nil {
		return 0, err
	}
	gonb := exec.Command(filepath.Join(here, "gonb"), append([]string{"--kernel", connection, "-logtostderr=true"}, flags...)...)
	gonb.Stdin, gonb.Stdout, gonb.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Jupyter signals both; what is for the kernel does not end this one before it.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err = gonb.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// temporary makes the folder for GoNB's temporary files. Its name is short, because the path of a
// socket in it is limited: lab.completionSocket has it.
func temporary() (string, error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		caches = os.TempDir()
	}
	base, err := tempdir.Runnable(filepath.Join(caches, "ngebm", "tmp"))
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(base, "k")
}

// moduleAround finds the module that the working folder is in; where it is in none, the project's, or "".
func moduleAround() (string, error) {
	cmd := exec.Command(os.Getenv(realGo), "env", "GOMOD")
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = append(os.Environ(), "GOWORK=off"), &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	file := strings.TrimSuffix(string(out), "\n")
	if file == "" || file == os.DevNull {
		return os.Getenv(project), nil
	}
	return filepath.Dir(file), nil
}

// asGo does what go would do, but for what GoNB asks of it by itself.
func asGo(args []string) (status int, err error) {
	command, root := os.Getenv(realGo), os.Getenv(module)
	if command == "" {
		return 0, fmt.Errorf("$%s is not set: this is the go of notebooks' cells, which their kernel starts", realGo)
	}
	switch {
	case root == "":
	case len(args) == 1 && args[0] == "get", len(args) == 2 && args[0] == "get" && args[1] == "-t":
		return 0, nil // cells have what go.mod pins
	case len(args) == 3 && args[0] == "mod" && args[1] == "init" && strings.HasPrefix(args[2], "gonb_"):
		return 0, makeWorkspace(command, args, root)
	case len(args) > 0 && args[0] == "build" && runtime.GOOS == "linux":
		if out, err := buildInternally(command, args); err == nil {
			_, err := os.Stderr.Write(out)
			return 0, err
		}
	}
	return 0, syscall.Exec(command, append([]string{"go"}, args...), os.Environ())
}

// buildInternally builds as go would, with Go's own linker alone, which takes a fifth less
// processor time. It cannot link every object of a C compiler, so a failure says nothing: go has
// the last word. Flags of a cell come after those here and replace them.
func buildInternally(command string, args []string) (out []byte, err error) {
	kept, output := "", ""
	if folder := os.Getenv(built); folder != "" && len(args) > 2 && args[1] == "-o" {
		output = args[2]
		if kept, err = builtProgram(folder, args); err != nil {
			return nil, err
		}
		// Whether there is a program or not, go writes the right one.
		_ = restoreBuilt(kept, output)
	}
	cmd := exec.Command(command, append([]string{"build", "-ldflags=-s -linkmode=internal"}, args[1:]...)...)
	out, err = cmd.CombinedOutput()
	if err == nil && kept != "" {
		// A program that could not be kept is linked again.
		_ = keepBuilt(output, kept)
	}
	return out, err
}

// asGopls is gopls where there is one. GoNB goes without where it ends.
func asGopls(args []string) (status int, err error) {
	path := filepath.Join(os.Getenv(goplsFolder), "gopls")
	if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
		return 0, nil
	}
	return 0, syscall.Exec(path, append([]string{"gopls"}, args...), os.Environ())
}

// makeWorkspace makes the module of the cells in the working folder, and joins it to the
// one around the notebook.
func makeWorkspace(command string, init []string, root string) error {
	for _, old := range []string{"go.work", "go.work.sum"} { // before %reset go.mod
		if err := os.Remove(old); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, args := range [][]string{init, {"work", "init", ".", root}} {
		cmd := exec.Command(command, args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// Package systemtest tests the notebooks' program as a person uses it: the built program, a
// real kernel, JupyterLab and a browser, with one set-up for all tests.
package systemtest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ngebm/data/testdisk"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/setup"
)

// fixture is what the tests that run notebooks share: one set-up, as a person's,
// and the program, built.
type fixture struct {
	workspace *setup.Workspace
	tools     *setup.Tools
	program   string
	err       error
}

// shared sets up once for all tests, at the first that needs it.
var shared = sync.OnceValue(func() (b fixture) {
	ctx := context.Background()
	if b.workspace, b.err = setup.FindWorkspace(ctx); b.err != nil {
		return b
	}
	if b.tools, b.err = setup.All(ctx, b.workspace, display.New(os.Stdout)); b.err != nil {
		return b
	}
	b.program, b.err = program()
	return b
})

// program builds the program, once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ngebm-program-")
	if err != nil {
		return "", err
	}
	programFolder = dir
	path := filepath.Join(dir, "notebooks")
	build := exec.Command("go", "build", "-ldflags=-s", "-o", path, "ngebm/notebooks")
	build.Stderr = os.Stderr
	return path, build.Run()
})

var programFolder string // empty until the program is built

func built(t *testing.T) string {
	t.Helper()
	readsRepository(t)
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// testdata is this package's, by its absolute path.
var testdata string

// readsRepository makes a test run again after any change: what it checks is made of files all
// over the repository. It is called by the tests and by what they share. (The path is
// absolute, as go test does not see that TestMain changes the folder.)
func readsRepository(t *testing.T) {
	t.Helper()
	repositoryRead.Do(func() {
		testdisk.Inputs(t, filepath.Join(testdata, "..", "..", "..", ".."))
	})
}

var repositoryRead sync.Once

// TestMain runs the tests in the folder of the notebooks, which they read. Unless -parallel says
// otherwise, two for each processor run at once and one more: often a test waits for a browser, a
// server or another test.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)+1)); err != nil {
			panic(err)
		}
	}
	var err error
	if testdata, err = filepath.Abs("testdata"); err == nil {
		err = os.Chdir(filepath.Join("..", ".."))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if dir := executedRunsIfUsed; dir != "" {
		os.RemoveAll(dir)
	}
	if programFolder != "" {
		os.RemoveAll(programFolder)
	}
	os.Exit(code)
}

// executedRuns is the folder of runs that all notebooks were executed with, if they
// were: empty before that.
var executedRuns = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "ngebm-runs-")
	if err != nil {
		panic(err)
	}
	executedRunsIfUsed = dir
	return dir
})

var executedRunsIfUsed string

// ready sets up for a test, which -short skips.
func ready(t *testing.T) fixture {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short: runs notebooks or JupyterLab")
	}
	return setUp(t)
}

// setUp sets up for a test also with -short.
func setUp(t *testing.T) fixture {
	t.Helper()
	readsRepository(t)
	b := shared()
	if b.err != nil {
		t.Fatalf("set-up: %v", b.err)
	}
	return b
}

// markVariable is by which a test's processes are known.
const markVariable = "NGEBM_TEST_MARK"

// marked is an environment in which every process, however far down, can be told
// as this test's.
func marked(t *testing.T, extra ...string) (env []string, mark string) {
	mark = markVariable + "=" + strings.ReplaceAll(t.Name(), "/", "-") + "-" + time.Now().Format("150405.000000")
	env = append(os.Environ(), mark, "NGEBM_RUNS="+filepath.Join(t.TempDir(), "runs"))
	return append(env, extra...), mark
}

// assertNoneLeft fails for each process that still carries the mark.
func assertNoneLeft(t *testing.T, mark string) {
	t.Helper()
	var left []string
	for range 200 { // a process that was killed takes a moment to end
		left = carriers(t, mark)
		if len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("processes left behind: %q", left)
}

// carriers returns the command lines of the processes with mark in their
// environment.
func carriers(t *testing.T, mark string) []string {
	t.Helper()
	var found []string
	if environs, _ := filepath.Glob("/proc/[0-9]*/environ"); len(environs) > 0 {
		for _, path := range environs {
			if env, err := os.ReadFile(path); err == nil && bytes.Contains(env, []byte(mark+"\x00")) {
				args, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
				found = append(found, string(bytes.ReplaceAll(args, []byte{0}, []byte{' '})))
			}
		}
		return found
	}
	out, err := exec.Command("ps", "-A", "-E", "-o", "command=").Output()
	if err != nil {
		t.Fatalf("neither /proc nor ps tells the processes: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, mark) {
			found = append(found, line)
		}
	}
	return found
}

// runProgram runs the built program in folder dir and returns what it printed
// and how long it took.
func runProgram(t *testing.T, dir string, args ...string) (printed string, took time.Duration, err error) {
	t.Helper()
	return runProgramWith(t, dir, nil, args...)
}

// runProgramWith runs it with variables of the environment that are named.
func runProgramWith(t *testing.T, dir string, variables []string, args ...string) (printed string, took time.Duration, err error) {
	t.Helper()
	env, mark := marked(t, variables...)
	cmd := exec.Command(setUp(t).program, args...)
	cmd.Dir, cmd.Env = dir, env
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(start)
	assertNoneLeft(t, mark)
	return string(out), took, err
}

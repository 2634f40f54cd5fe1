package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomlx/go-xla/installer"

	"ngebm/data/progress"
	"ngebm/ngebm/device/pythonenv"
)

// wheel is a Python wheel that holds a CPU plugin.
type wheel struct {
	name, version string
	sha256        string // of the wheel
	size          int64  // of the wheel in bytes
	file          string // base name of the plugin in it
	fileSHA256    string
	fileSize      int64
	silence       time.Duration // instead of the constant, in tests
}

// The wheels that were tested with this version of go-xla, for x86-64 Linux. There are two
// in case one project withdraws its file.
var wheels = []wheel{
	{
		name: "fastatomstruct-xla-cpu", version: "2026.6.23", size: 63200622,
		sha256: "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9",
		file:   "libpjrt_cpu.so", fileSize: 273768800,
		fileSHA256: "0a0fe56ca17be9efc7b942e89e534e5e0ad4a0f1e369b66d27b62184509015b9",
	},
	{
		name: "lammps-jax-pjrt-cpu", version: "0.11.2", size: 62711338,
		sha256: "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		file:   "pjrt_c_api_cpu_plugin.so", fileSize: 201600336,
		fileSHA256: "ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2",
	},
}

// silence is the timeout of a server that sends nothing.
const silence = 10 * time.Second

// slack is the room that pip gets for its own files, in bytes.
const slack = 64 << 20

// errSilent says that a server, or a proxy before it, sent nothing.
var errSilent = errors.New("nothing came")

// source makes a wheel a source of plugins.
func (w wheel) source() source {
	return source{
		name:   w.name + "-" + w.version,
		what:   "Python wheel",
		size:   w.fileSize,
		sha256: w.fileSHA256,
		byHand: fmt.Sprintf("get it with: python3 -m pip download --no-deps %s==%s (SHA-256 %s), unzip %s from that", w.name, w.version, w.sha256, w.file),
		fetch:  w.fetch,
	}
}

// fetch downloads the wheel with pip, which checks its hash, and unpacks the plugin.
func (w wheel) fetch(ctx context.Context, work string, report progress.Reporter) (string, error) {
	pip, err := findPip(ctx, work)
	if err != nil {
		return "", err
	}
	requirements := filepath.Join(work, "requirements.txt")
	line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", w.name, w.version, w.sha256)
	if err := os.WriteFile(requirements, []byte(line), 0o644); err != nil {
		return "", err
	}
	// pip downloads into its temporary folder, whose size is the progress.
	down := filepath.Join(work, "download")
	if err := os.Mkdir(down, 0o755); err != nil {
		return "", err
	}
	downloading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := watchSize(down, "download "+w.name+" "+w.version, w.size, w.patience(), report, cancel)
	err = run(downloading, work, []string{"TMPDIR=" + down}, append(pip, "download", "--quiet", "--no-input",
		"--disable-pip-version-check", "--no-cache-dir", "--timeout=5", "--retries=1",
		"--no-deps", "--only-binary=:all:", "--require-hashes", "--dest="+down, "-r", requirements)...)
	stop()
	if err != nil {
		if cause := context.Cause(downloading); cause != nil {
			err = cause
		}
		return "", err
	}
	wheels, err := filepath.Glob(filepath.Join(down, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip left %d wheels instead of one", len(wheels))
	}
	out := filepath.Join(work, pluginFile)
	if err := installer.ExtractFileFromZip(wheels[0], w.file, out); err != nil {
		return "", fmt.Errorf("%s in %q: %w", w.file, filepath.Base(wheels[0]), err)
	}
	return out, nil
}

func (w wheel) patience() time.Duration {
	if w.silence > 0 {
		return w.silence
	}
	return silence
}

// findPip returns the command line of pip, from a temporary virtual environment where
// Python has no pip.
func findPip(ctx context.Context, work string) ([]string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, errors.New("needs python3 on the PATH")
	}
	if run(ctx, work, nil, python, "-c", "import pip") == nil {
		return []string{python, "-m", "pip"}, nil
	}
	env := filepath.Join(work, "venv")
	if err := run(ctx, work, nil, python, "-m", "venv", env); err != nil {
		return nil, fmt.Errorf("python3 has neither pip nor venv, install one (on Debian: apt install python3-venv): %w", err)
	}
	return []string{filepath.Join(env, "bin", "python"), "-m", "pip"}, nil
}

// run runs a Python command in the folder work, since Python would import what the current one has. Its
// error holds the line of output that names the problem.
func run(ctx context.Context, work string, env []string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = work
	cmd.Env = append(pythonenv.Own(os.Environ()), append(env, "PIP_REQUIRE_VIRTUALENV=false", "PIP_USER=false")...) // whatever pip.conf says
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, errorLine(out.String()))
	}
	return nil
}

// errorLine is the first line marked as an error, as pip marks them, else the last.
func errorLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for _, l := range lines {
		if text, ok := strings.CutPrefix(l, "ERROR: "); ok {
			return text
		}
	}
	return lines[len(lines)-1]
}

// watchSize reports the size of the files below a folder as a download's progress, until
// stop is called. It gives up with errSilent when nothing arrives for the time patience, and
// when much more arrives than total: pip compares the hash only at the end.
func watchSize(dir, task string, total int64, patience time.Duration, report progress.Reporter, giveUp context.CancelCauseFunc) (stop func()) {
	start, quit, done := time.Now(), make(chan struct{}), make(chan struct{})
	size, changed := int64(0), start
	show := func(finished bool) {
		if now := folderSize(dir); now != size {
			size, changed = now, time.Now()
		}
		report.Report(progress.Report{
			Task: task, Unit: "bytes", Total: total, Done: min(size, total),
			Elapsed: time.Since(start), Finished: finished,
		})
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				show(true)
				return
			case <-time.After(200 * time.Millisecond):
				show(false)
				switch {
				case time.Since(changed) > patience:
					giveUp(fmt.Errorf("%w for %v from the package index that pip asks", errSilent, patience))
				case size > 4*total+slack:
					giveUp(fmt.Errorf("the package index that pip asks sends more than the %d bytes of the wheel", total))
				}
			}
		}
	}()
	return func() { close(quit); <-done }
}

func folderSize(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil // files appear and disappear meanwhile
	})
	return size
}

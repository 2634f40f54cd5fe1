package setup

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/proc"
)

// requirements pins every Python package and the hashes of its wheels.
//
//go:embed requirements.txt
var requirements string

// python is an interpreter of this machine that can make an environment.
type python struct {
	path    string
	version string // "3.11.2 /usr/bin"
}

// oldestPython is the first minor release of Python 3 that the pins resolve on.
const oldestPython = 10

// findPython looks for Python with the modules that make an environment.
func findPython(ctx context.Context) (python, error) {
	const ask = `import sys
print(*sys.version_info[:3], sep=".")
print(sys.version_info[1])
print(sys.base_prefix)
try:
    import ensurepip, venv
    print("venv")
except ImportError:
    print("no venv")`
	var remedy string
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		cmd := proc.Command(ctx, path, "-c", ask)
		cmd.Env = PythonEnv()
		out, err := cmd.Output()
		if ctx.Err() != nil {
			return python{}, ctx.Err()
		}
		var minor int
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(lines) != 4 {
			continue // a name without an interpreter behind it
		}
		fmt.Sscan(lines[1], &minor)
		switch {
		case minor < oldestPython:
			remedy = fmt.Sprintf("%s is Python %s; 3.%d or newer is needed: on macOS, brew install python; elsewhere, your system's package of a newer one, or uv python install", path, lines[0], oldestPython)
		case lines[3] != "venv":
			remedy = fmt.Sprintf("%s lacks the venv module: on Debian and Ubuntu, apt-get install python3.%d-venv", path, minor)
		default:
			return python{path: path, version: lines[0] + " " + lines[2]}, nil
		}
	}
	if remedy == "" {
		remedy = "no python3 on PATH: on Debian and Ubuntu, apt-get install python3-venv; on macOS, brew install python"
	}
	return python{}, fmt.Errorf("JupyterLab needs Python: %s", remedy)
}

// makeVenv makes a Python environment in dir and installs the pinned packages.
// Programs are started with its python, never by the scripts in its bin folder,
// which hold the name of the folder they were made in.
func makeVenv(ctx context.Context, base python, dir string, d *display.Display) error {
	make := proc.Command(ctx, base.path, "-m", "venv", dir)
	make.Env = PythonEnv()
	if err := proc.Run(ctx, make, d); err != nil {
		return err
	}
	pins := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(pins, []byte(requirements), 0o644); err != nil {
		return err
	}
	install := proc.Command(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install",
		"--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-deps", "--require-hashes", "--only-binary=:all:", "-r", pins)
	install.Env = append(PythonEnv(), "PIP_REQUIRE_VIRTUALENV=false", "PIP_USER=false") // whatever pip.conf says
	if offline() {
		wheels := os.Getenv("PIP_FIND_LINKS")
		if info, err := os.Stat(wheels); err != nil || !info.IsDir() {
			return fmt.Errorf("JupyterLab is not installed, and downloads are forbidden (%s): where there is a network, run pip download --no-deps --require-hashes -d WHEELS -r notebooks/internal/setup/requirements.txt; then name the folder WHEELS in $PIP_FIND_LINKS, which is %q", offlineEnv, wheels)
		}
		install.Args = append(install.Args, "--no-index", "--find-links="+wheels)
		install.Env = append(install.Env, "PIP_FIND_LINKS=", "PIP_CONFIG_FILE="+os.DevNull)
	}
	return proc.Run(ctx, install, d)
}

// offlineEnv forbids downloads, unless it is 0 or empty.
const offlineEnv = "NGEBM_OFFLINE"

func offline() bool {
	v := os.Getenv(offlineEnv)
	return v != "" && v != "0"
}

package systemtest

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

// What a person has set for other Go modules, another Python, another Jupyter, and a
// network that is not there: none of it reaches notebooks.
var (
	othersGo = []string{"GOFLAGS=-mod=vendor -race", "GO111MODULE=off", "GOWORK=/elsewhere/go.work", "GOTMPDIR=/elsewhere", "CGO_ENABLED=0"}

	othersPython = []string{"PYTHONHOME=/elsewhere", "PYTHONPATH=/elsewhere", "PYTHONWARNINGS=error", "PYTHONINSPECT=1", "PYTHONSTARTUP=/elsewhere",
		"PYTHONOPTIMIZE=2", "VIRTUAL_ENV=/elsewhere", "CONDA_PREFIX=/elsewhere", "CONDA_DEFAULT_ENV=other", "PIP_TARGET=/elsewhere", "LC_ALL=C"}

	othersJupyter = []string{"JUPYTER_CONFIG_DIR=/elsewhere", "JUPYTER_CONFIG_PATH=/elsewhere", "JUPYTER_DATA_DIR=/elsewhere", "JUPYTER_PATH=/elsewhere",
		"JUPYTER_RUNTIME_DIR=/elsewhere", "JUPYTER_TOKEN=other", "JUPYTER_PREFER_ENV_PATH=0", "JUPYTER_GATEWAY_URL=http://127.0.0.1:1",
		"JUPYTERLAB_DIR=/elsewhere", "JUPYTERLAB_SETTINGS_DIR=/elsewhere", "JUPYTERHUB_SERVICE_PREFIX=/user/ada/", "JUPYTERHUB_API_TOKEN=other",
		"JPY_PARENT_PID=1", "JPY_SESSION_NAME=other.ipynb", "IPYTHONDIR=/elsewhere"}

	noNetwork = []string{"HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1", "ALL_PROXY=socks5://127.0.0.1:1",
		"http_proxy=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1", "all_proxy=socks5://127.0.0.1:1", "GOPROXY=off", "NGEBM_OFFLINE=1"}
)

// usesLibrary is a cell that imports this repository's packages and opens XLA.
const usesLibrary = `import (
	"context"
	"fmt"

	"ngebm/ngebm/device"
	"ngebm/ngebm/environment"
)

%%
dev, err := device.OpenContext(context.Background(), environment.Device().With("cpu"))
if err != nil {
	panic(err)
}
fmt.Println("runs on", dev.Kind)`

// usesDevice is the same with one package.
const usesDevice = `import (
	"fmt"

	"ngebm/ngebm/device"
)

%%
dev, err := device.Open("cpu", nil)
if err != nil {
	panic(err)
}
fmt.Println("runs on", dev.Kind)`

// asBefore is the cell that notebooks began with before their kernel did what it does.
const asBefore = `%noautoget
%env GOFLAGS -ldflags=-s
!*root=$(cd "$GONB_DIR" && GOWORK=off go list -m -f '{{.Dir}}') && rm -f go.work go.work.sum && go work init . "$root" && echo ready`

// publishes publishes a notebook of the cells in a clone with those variables set, and
// checks what the last cell printed.
func publishes(t *testing.T, root string, variables []string, want string, cells ...string) {
	t.Helper()
	writeEnvironment(t, root, cells...)
	publishesIt(t, root, variables, want)
}

// writeEnvironment writes the notebook that is published in an environment.
func writeEnvironment(t *testing.T, root string, cells ...string) {
	t.Helper()
	path := filepath.Join(root, "notebooks", "environment.ipynb")
	notebooktest.Write(t, path, append([]string{"# Environment\n\nThat of others."}, cells...)...)
}

// publishesIt publishes the notebook that is there.
func publishesIt(t *testing.T, root string, variables []string, want string) {
	t.Helper()
	site := filepath.Join(t.TempDir(), "site")
	printed, took, err := runProgramWith(t, root, variables, "publish", "-o", site, "environment")
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	if page := notebooktest.ReadFile(t, filepath.Join(site, "environment.html")); !strings.Contains(string(page), want) {
		t.Errorf("the page has no %q; publish said\n%s", want, printed)
	}
	t.Logf("took %v", took)
}

// All variables are set at once. Should that fail, each kind is tried by itself.
func testEnvironmentOfOthers(t *testing.T) {
	root := wholeClone(t)
	kinds := map[string][]string{
		"Go":                            othersGo,
		"Python":                        othersPython,
		"Jupyter":                       othersJupyter,
		"no network":                    noNetwork,
		"no folder for temporary files": {"TMPDIR=" + filepath.Join(root, "missing")},
	}
	all := slices.Concat(slices.Collect(maps.Values(kinds))...)
	if !t.Run("all", func(t *testing.T) { publishes(t, root, all, "runs on cpu", usesLibrary) }) {
		for name, variables := range kinds {
			t.Run(name, func(t *testing.T) { publishes(t, root, variables, "runs on cpu", usesLibrary) })
		}
	}
	t.Run("Go, another", func(t *testing.T) {
		another := []string{"GOFLAGS=-mod=mod", "GOWORK=off", "GOPATH=" + root, "GOMODCACHE=" + moduleCache(t)}
		publishes(t, root, another, "runs on cpu", usesLibrary)
	})
	// A cell as it was does no harm: the one after it finds the library, whose error is seen.
	t.Run("a cell as it was, and flags of another XLA", func(t *testing.T) {
		writeEnvironment(t, root, asBefore, usesLibrary)
		printed, _, err := runProgramWith(t, root, []string{"XLA_FLAGS=--xla_of_others=1"}, "publish", "-o", t.TempDir(), "environment")
		if want := `XLA_FLAGS holds "--xla_of_others", which this plugin does not know and would end the program at; unset XLA_FLAGS`; err == nil || !strings.Contains(printed, want) || strings.Contains(printed, "cell 1 (") {
			t.Errorf("%v\n%s\nhas no %s, or its first cell failed", err, printed, want)
		}
	})
}

// A clone may lie in any folder, in GOPATH too, and be read only.
func TestEnvironmentOfFolder(t *testing.T) {
	ready(t)
	t.Parallel()
	root := deviceClone(t, filepath.Join("src", `Müllers "Netze", 100 % {connection_file} $HOME [1] 'β'`))
	variables := []string{"GOMODCACHE=" + moduleCache(t), "GOPATH=" + filepath.Dir(filepath.Dir(root)), "LC_ALL=C"}
	publishes(t, root, variables, "runs on cpu", usesDevice)
	t.Run("read only", func(t *testing.T) {
		readOnly(t, root)
		publishesIt(t, root, nil, "runs on cpu")
	})
}

// moduleCache is the folder of Go modules.
func moduleCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

package systemtest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/setup"
)

// question is what testdata/ask.py asks the Go kernel.
type question struct {
	Ask  string `json:"ask"`
	Code string `json:"code"`
	Want string `json:"want"` // what the answer holds
}

// ask puts questions to a kernel of its own and checks the answers.
func ask(t *testing.T, variables []string, questions ...question) (answers []string) {
	t.Helper()
	return askKernel(t, "", variables, questions...)
}

// askKernel asks the kernel that a file tells how to reach, or, with "", one of its own.
func askKernel(t *testing.T, file string, variables []string, questions ...question) (answers []string) {
	t.Helper()
	b := ready(t)
	asked, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	env, mark := marked(t, append([]string{
		"JUPYTER_CONFIG_DIR=" + temp, "JUPYTER_DATA_DIR=" + temp, "JUPYTER_RUNTIME_DIR=" + temp,
		"JUPYTER_PATH=" + filepath.Join(b.tools.Kernel, "jupyter")}, variables...)...)
	cmd := exec.Command(b.tools.Python, filepath.Join(testdata, "ask.py"))
	if file != "" {
		cmd.Args = append(cmd.Args, file)
	}
	cmd.Env, cmd.Stdin = env, bytes.NewReader(asked)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	assertNoneLeft(t, mark)
	if err == nil {
		err = json.Unmarshal(out, &answers)
	}
	if err != nil || len(answers) != len(questions) {
		t.Fatalf("%v, %d answers\n%s", err, len(answers), &said)
	}
	for i, q := range questions {
		if !strings.Contains(answers[i], q.Want) {
			t.Errorf("%s %q: no %q in\n%s", q.Ask, q.Code, q.Want, answers[i])
		}
	}
	return answers
}

// While one types in a notebook: names and documentation of this library pop up, and an
// error in a cell says in which of its lines.
func TestEditing(t *testing.T) {
	b := ready(t)
	t.Parallel()
	if err := setup.Completion(t.Context(), b.workspace, b.tools, display.New(os.Stdout)); err != nil {
		t.Fatal(err)
	}
	const imports = "import (\n\t\"ngebm/ngebm\"\n\t\"ngebm/plots\"\n)\n\n"
	answers := ask(t, []string{setup.GoplsVariable + "=" + b.tools.Gopls},
		question{"execute", imports + "var _, _ = ngebm.PresetConfig, plots.History", ""},
		question{"complete", "%%\ncfg := ngebm.PresetC", "PresetConfig"},
		question{"complete", "%%\ncfg := ngebm.DefaultConfig(\"moons\", \"mlp-16\")\ncfg.Gam", "Gamma"},
		question{"inspect", "%%\nplots.Landscapes", "Landscapes draws energy landscapes side by side"},
		question{"inspect", "%%\ncfg, err := ngebm.PresetConfig", "PresetConfig returns the configuration of the preset with that name"},
		question{"execute", "%%\ncfg := ngebm.DefaultConfig(\"moons\", \"mlp-16\")\ncfg.Gamma = \"strong\"\n_ = cfg", "Line 3"},
	)
	if last := answers[len(answers)-1]; !strings.Contains(last, `cannot use "strong"`) {
		t.Errorf("what does not compile is said in\n%s", last)
	}
}

// Under a Go kernel that this repository's program did not start a cell fails with the
// words that the notebooks' first line explains.
func TestKernelOfOthers(t *testing.T) {
	b := ready(t)
	t.Parallel()
	jupyter := t.TempDir()
	spec, err := json.Marshal(map[string]any{
		"argv":         []string{filepath.Join(b.tools.Kernel, "gonb"), "--kernel", "{connection_file}"}, // as gonb --install has it
		"display_name": "Go (gonb)", "language": "go", "interrupt_mode": "message",
	})
	if err != nil {
		t.Fatal(err)
	}
	kernel := filepath.Join(jupyter, "kernels", "gonb")
	if err := os.MkdirAll(kernel, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(kernel, "kernel.json"), spec, 0o644); err != nil {
		t.Fatal(err)
	}
	ask(t, []string{"JUPYTER_PATH=" + jupyter, "PATH=" + b.tools.Kernel + string(os.PathListSeparator) + os.Getenv("PATH")},
		question{"execute", kernelNote + "\nimport \"ngebm/data\"\n\n%%\n_ = data.Options{}", "package ngebm/data is not in std"})
}

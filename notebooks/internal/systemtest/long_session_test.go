package systemtest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ngebm/data/testdisk"
)

// endured is what testdata/endure.py tells.
type endured struct {
	Done, Files, Folders, Processes, Restarts, Interrupts int
	Kernel, Driver                                        int64 // resident, in bytes
}

// A notebook that is run all day, changed, interrupted and restarted leaves no more
// temporary files, processes and memory after thousands of cells than after hundreds.
// In full it takes half an hour.
func TestLongDayWithANotebook(t *testing.T) {
	b := ready(t)
	t.Parallel()
	every := testdisk.Times(5, 100)
	temp, runtime := t.TempDir(), t.TempDir()
	env, mark := marked(t, "TMPDIR="+temp,
		"JUPYTER_CONFIG_DIR="+runtime, "JUPYTER_DATA_DIR="+runtime, "JUPYTER_RUNTIME_DIR="+runtime,
		"JUPYTER_PATH="+filepath.Join(b.tools.Kernel, "jupyter"))
	args := []string{filepath.Join(testdata, "endure.py")}
	for _, n := range []int{testdisk.Times(22, 2000), testdisk.Times(3, 200), every} {
		args = append(args, jsonOf(t, n))
	}
	cmd := exec.Command(b.tools.Python, args...)
	cmd.Env, cmd.Stdin = env, bytes.NewReader([]byte(jsonOf(t, []string{"import \"fmt\"\nimport \"time\"\nvar _ = time.Second\nvar _ = fmt.Sprint"})))
	var said bytes.Buffer
	cmd.Stderr = &said
	told, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var states []endured
	for lines := json.NewDecoder(told); ; {
		var s endured
		if err := lines.Decode(&s); err != nil { // the end, or what Wait tells
			break
		}
		t.Logf("%+v", s)
		states = append(states, s)
	}
	err = cmd.Wait()
	assertNoneLeft(t, mark)
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if len(states) < 4 {
		t.Fatalf("%d states", len(states))
	}
	early, last := states[1], states[len(states)-1] // after twice every; no state is taken in the middle of a cell
	if last.Files > early.Files || last.Folders > early.Folders || last.Processes > early.Processes {
		t.Errorf("files, folders or processes have grown: %+v at first, %+v in the end", early, last)
	}
	const slack = 16 << 20 // what a kernel's garbage collector may have pending
	if last.Kernel > early.Kernel+slack || last.Driver > early.Driver+slack {
		t.Errorf("memory has grown: %+v at first, %+v in the end", early, last)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%d files and folders are left when the kernel has ended, %s among them", len(left), left[0].Name())
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

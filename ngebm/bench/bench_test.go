package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sbinet/npyio/npz"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/internal/testpython"
	"ngebm/ngebm/train"
)

// workerEnv makes this program the worker.
const workerEnv = "NGEBM_BENCH_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) == "" {
		os.Exit(testdevice.RunFast(m)) // of the workers, too: no test looks at their times
	}
	if err := Work(context.Background(), os.Args[len(os.Args)-1], device.Options{}, os.Stdin, os.Stdout); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

// plan uses this program as the peer, too.
func plan() Plan {
	return Plan{
		Net: "mlp-8", Batch: 16, Shape: []int{2}, Classes: 3, Images: 20, PGDSteps: 3, StepsPerCall: 1, Rows: append(Rows()[:6:6], Latency8), Repeats: 2, Rounds: 3,
		Device: "cpu", Devices: 1, Library: "torch", Python: os.Args[0], ReferenceDevice: "go", Peak: 1,
	}
}

// Every row is timed in all rounds. A peer that does the same work has bit-identical losses
// on the same device, and losses within 1e-6 on another.
func TestTable(t *testing.T) {
	t.Setenv(workerEnv, "1")
	p, last := plan(), "latency 8"
	if testing.Short() { // the other rows take two minutes
		p.Rows, last = []string{NGEBM}, NGEBM
	}
	table, err := p.Run(t.Context(), []string{os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range table.Rows {
		if r.Name != p.Rows[i] || len(r.Ours.Rounds) != 3 || len(r.Peer.Rounds) != 3 || len(r.Ours.Rounds[2]) != 2 {
			t.Errorf("row %d is %s of %v and %v", i, r.Name, r.Ours.Rounds, r.Peer.Rounds)
		}
		if r.Ours.Peak < 10 || r.Ours.Parameters != 2*8+8+8*3+3 || r.Ours.Operations != 2*(2*8+8*3) {
			t.Errorf("%s: %v MiB, %d weights, %v operations; want some, 51 and 80", r.Name, r.Ours.Peak, r.Ours.Parameters, r.Ours.Operations)
		}
		if compared(r.Name) && !slices.Equal(r.Ours.Results, r.Peer.Results) {
			t.Errorf("%s: results %v and %v", r.Name, r.Ours.Results, r.Peer.Results)
		}
		if steps(r.Name) && compared(r.Name) {
			if diff := r.maxAbsDiff(r.ReferenceDevice, len(r.Ours.Results)); !(diff < 1e-6) {
				t.Errorf("%s: losses on another device differ by %v", r.Name, diff)
			}
		}
	}
	var text bytes.Buffer
	if err := table.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	for _, want := range []string{"mlp-8, 51 weights, examples of [2] in 3 classes; steps of 16, evaluation of 20", last, "ours / peer (rounds)", "0.0e+00"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}

// Steps taken in a loop are those taken one by one: the result of a work is the loss
// before its last step.
func TestStepsPerCall(t *testing.T) {
	t.Setenv(workerEnv, "1")
	p := plan()
	p.Library, p.ReferenceDevice, p.Rows = "", "", []string{NGEBM}
	var results [][]float64
	for _, p.StepsPerCall = range []int{1, 3} {
		table, err := p.Run(t.Context(), []string{os.Args[0]})
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, table.Rows[0].Ours.Results)
	}
	for i, loss := range results[1][:2] {
		if want := results[0][3*i+2]; math.Abs(loss-want) > 1e-6 {
			t.Errorf("after %d steps the loss is %v in loops, %v without", 3*i+2, loss, want)
		}
	}
}

// Only a step is shared by several devices: one image could not be.
func TestEvaluationOnOneDevice(t *testing.T) {
	t.Setenv(workerEnv, "1")
	p := plan()
	p.Device, p.Devices, p.Library, p.ReferenceDevice, p.Rows, p.Rounds = "go", 2, "", "", []string{Latency1}, 1
	if _, err := p.Run(t.Context(), []string{os.Args[0]}); err != nil {
		t.Error(err)
	}
	if got := p.task(NGEBM).Devices; got != 2 {
		t.Errorf("a step is shared by %d devices, not 2", got)
	}
}

// The median of an even number is the mean of the middle two; the ratio is ours over
// the peer's, round by round.
func TestFigures(t *testing.T) {
	r := Row{Ours: side{Rounds: [][]float64{{1, 3, 2}, {4, 4, 4}}}, Peer: &side{Rounds: [][]float64{{4, 4, 4}, {2, 1, 3}}}}
	if got := r.Ours.median(); got != 3.5 {
		t.Errorf("the median of 1, 3, 2, 4, 4, 4 is %v, want 3.5", got)
	}
	if got := r.ratios(); !slices.Equal(got, []float64{.5, 2}) {
		t.Errorf("ratios are %v, want .5 and 2", got)
	}
}

func TestRefuses(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		"no network is named":         func(p *Plan) { p.Net = "transformer" },
		"batch is 0":                  func(p *Plan) { p.Batch = 0 },
		"shape [32 32] is invalid":    func(p *Plan) { p.Shape = []int{32, 32} },
		`unknown row "SGD"`:           func(p *Plan) { p.Rows = []string{"SGD"} },
		"0; it must be 1 or more":     func(p *Plan) { p.StepsPerCall = 0 },
		"peak is +Inf TFLOP/s":        func(p *Plan) { p.Peak = math.Inf(1) },
		"4 steps per call are not po": func(p *Plan) { p.StepsPerCall, p.Devices = 4, 2 },
		"ONNX Runtime computes logits, not cross-entropy; use rows logits,latency 1": func(p *Plan) { p.Library = ONNXRuntime },
		`PyTorch and JAX have no "wrn-10-2+group" here`:                              func(p *Plan) { p.Net = "wrn-10-2+group" },
		`PyTorch and JAX have no "resnet-18-8" here`:                                 func(p *Plan) { p.Net, p.Library = "resnet-18-8", "jax" },
		`PyTorch and JAX have no "ResNet-18" here`:                                   func(p *Plan) { p.Net = "ResNet-18" },
		"failed":                         func(p *Plan) { p.Python = "false" },
		"cannot start":                   func(p *Plan) { p.Python = "no-such-python" },
		`device "tpu": unknown`:          func(p *Plan) { p.Device = "tpu" },
		"batch is 16, which 3 devices":   func(p *Plan) { p.Devices = 3 },
		"wants images of at least 4x4 p": func(p *Plan) { p.Net = "convnet" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Setenv(workerEnv, "1")
			p := plan()
			p.Rows = []string{CrossEntropy}
			change(&p)
			_, err := p.Run(t.Context(), []string{os.Args[0]})
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with %q", err, want)
			}
		})
	}
}

// The peer works on the kind of device that this program found, also where the plan leaves it open.
func TestPeersDevice(t *testing.T) {
	t.Setenv(workerEnv, "1")
	folder := t.TempDir()
	python := filepath.Join(folder, "python")
	if err := os.WriteFile(python, []byte("#!/bin/sh\nprintf %s \"$2\" > "+filepath.Join(folder, "task")+"\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := plan()
	p.Device, p.Python, p.Rows = "", python, []string{CrossEntropy}
	if _, err := p.Run(t.Context(), []string{os.Args[0]}); err == nil {
		t.Fatal("a peer that fails is no error")
	}
	found, err := device.OpenContext(t.Context(), device.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "task"))
	if want := fmt.Sprintf(`"device":%q`, found.Kind); err != nil || !strings.Contains(string(got), want) {
		t.Errorf("the peer's task is %s (%v), without %s", got, err, want)
	}
}

// A peer's way is chosen in one process, and done in another; the table names it, and those that failed.
func TestPeersWay(t *testing.T) {
	t.Setenv(workerEnv, "1")
	folder := t.TempDir()
	python, log := filepath.Join(folder, "python"), filepath.Join(folder, "log")
	script := `#!/bin/sh
case "$2" in
*'"way":""'*) task=choose; echo '{"name":"stub","where":"here","way":"fast","failed":["slow: no compiler"]}' ;;
*'"way":"fast"'*) task=fast; echo '{"name":"stub","where":"here","way":"fast"}' ;;
esac
echo $task starts >>` + log + `
while read -r n; do
	echo $task works >>` + log + `
	printf '{"seconds":[%s],"results":[%s],"peak":7}\n' $(seq -s, "$n") $(seq -s, "$n")
done
`
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	p := plan()
	p.Python, p.Rows, p.ReferenceDevice, p.Rounds = python, []string{CrossEntropy}, "", 1
	table, err := p.Run(t.Context(), []string{os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(log); err != nil || string(got) != "choose starts\nfast starts\nfast works\nfast works\n" {
		t.Errorf("the peer did %q (%v)", got, err)
	}
	var text bytes.Buffer
	if err := table.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"here, fast", "\ncross-entropy: a way of the peer failed: slow: no compiler\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &text)
		}
	}
}

// Of the ways that PyTorch has the fastest is taken, and those that fail are told with their reason. A
// way that is named is the only one that is made.
func TestBestOfAPeer(t *testing.T) {
	const driver = `
import ast, json, sys, time, types
names = ("best", "timed", "torch_work")
tree = ast.parse(open("peer.py").read())
functions = ast.Module([n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in names], [])
sys.modules["torch"] = torch = types.ModuleType("torch")
torch.__version__, torch.get_num_threads = "0", lambda: 2
for row, way, net in ("logits", "", "wrn"), ("logits", "NCHW", "wrn"), ("JEM", "", "mlp"), ("NG-EBM", "", "mlp"):
    made = []
    def variant(last, compiled):
        made.append((last, compiled))
        if compiled:
            raise RuntimeError("no\n compiler")
        return lambda: time.sleep(.001 if last else .05)
    scope = {"task": {"way": way, "device": "cpu"}, "row": row, "net": [net], "calls": 1, "time": time, "torch_variant": variant}
    exec(compile(functions, "peer.py", "exec"), scope)
    name, where, work, *rest = scope["torch_work"]()
    print(json.dumps([name, where, callable(work), *rest, len(made)]))
`
	out, err := exec.Command(testpython.Path(t), "-c", driver).CombinedOutput()
	const want = `["PyTorch 0", "2 threads", true, "channels_last", ["NCHW, compiled: RuntimeError: no compiler", "channels_last, compiled: RuntimeError: no compiler"], 4]
["PyTorch 0", "2 threads", true, "NCHW", [], 1]
["PyTorch 0", "2 threads", true, "eager", ["compiled: RuntimeError: no compiler"], 2]
["PyTorch 0", "2 threads", true, "eager", [], 1]
`
	if err != nil || string(out) != want {
		t.Errorf("%v, and\n%swant\n%s", err, out, want)
	}
}

// The times of many repeats are a long line.
func TestManyRepeats(t *testing.T) {
	t.Setenv(workerEnv, "1")
	p := plan()
	p.Library, p.ReferenceDevice, p.Repeats, p.Rounds, p.Rows = "", "", 4000, 1, []string{CrossEntropy}
	table, err := p.Run(t.Context(), []string{os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(table.Rows[0].Ours.Rounds[0]); n != 4000 {
		t.Errorf("%d times of 4000", n)
	}
}

// A bench that is stopped ends at once, and so do its processes.
func TestStopped(t *testing.T) {
	t.Setenv(workerEnv, "1")
	p := plan()
	p.Library, p.ReferenceDevice, p.Repeats, p.Rows = "", "", 1<<30, []string{CrossEntropy}
	ctx, cancel := context.WithCancel(t.Context())
	p.Progress = stopper(cancel)
	if _, err := p.Run(ctx, []string{os.Args[0]}); !errors.Is(err, train.ErrStopped) {
		t.Errorf("the error is %v, want %v", err, train.ErrStopped)
	}
}

// The rows that are done are not lost when the rest is stopped.
func TestStoppedLater(t *testing.T) {
	t.Setenv(workerEnv, "1")
	p := plan()
	p.Library, p.ReferenceDevice, p.Rows = "", "", []string{Latency8, CrossEntropy}
	ctx, cancel := context.WithCancel(t.Context())
	p.Progress = laterStopper{int64(p.Rounds + 1), cancel}
	table, err := p.Run(ctx, []string{os.Args[0]})
	if !errors.Is(err, train.ErrStopped) || table == nil || len(table.Rows) != 1 || table.Rows[0].Name != Latency8 {
		t.Errorf("the table is %+v, the error %v", table, err)
	}
}

// laterStopper stops once so many rounds are done.
type laterStopper struct {
	rounds int64
	stop   func()
}

func (s laterStopper) Report(r progress.Report) {
	if r.Done >= s.rounds {
		s.stop()
	}
}

// stopper stops at the first round.
type stopper func()

func (s stopper) Report(r progress.Report) {
	if r.Done > 0 {
		time.AfterFunc(100*time.Millisecond, s)
	}
}

// NumPy can read exported inputs: names, shapes and values.
func TestExportInputs(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	task := plan().task(CrossEntropy)
	set, err := noise(task, 16)
	if err != nil {
		t.Fatal(err)
	}
	cfg := ngebm.DefaultConfig("", "mlp-8")
	cfg.Batch = 16
	s, err := train.NewStepper(backend, cfg, set, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	x, labels := s.Batch()
	path := filepath.Join(t.TempDir(), "inputs.npz")
	if err := exportInputs(path, s.Classifier(), x, labels, []int{16, 2}); err != nil {
		t.Fatal(err)
	}
	f, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string][]int{"x": {16, 2}, "y": {16}, "fc0/weight": {2, 8}, "fc0/bias": {8}, "fc1/weight": {8, 3}, "fc1/bias": {3}}
	for name, shape := range want {
		if h := f.Header(name + ".npy"); h == nil || !slices.Equal(h.Descr.Shape, shape) {
			t.Errorf("%s is not shaped %v: %v", name, shape, h)
		}
	}
	var got []float32
	if err := f.Read("x.npy", &got); err != nil || !slices.Equal(got, x) {
		t.Errorf("x is %v, want %v (%v)", got, x, err)
	}
}

// The peer's script is Python, and does the same work where PyTorch or JAX is found.
func TestPeers(t *testing.T) {
	python := testpython.Path(t)
	if out, err := exec.Command(python, "-c", "import ast; ast.parse(open('peer.py').read())").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, library := range []string{"torch", "jax", ONNXRuntime} {
		t.Run(library, func(t *testing.T) {
			testpython.With(t, "numpy", library)
			t.Setenv(workerEnv, "1")
			for net, shape := range map[string][]int{"mlp-lrelu-8-8": {2}, "mlp-8": {2, 2, 1}, "convnet": {8, 8, 1}, "wrn-10-1": {8, 8, 3}} {
				p := plan()
				p.Net, p.Shape, p.Library, p.Python, p.ReferenceDevice, p.Repeats, p.Rounds, p.Batch = net, shape, library, python, "", 1, 1, 4
				switch {
				case library == ONNXRuntime:
					p.Rows = []string{Logits, Latency8}
				case library == "torch" && net == "mlp-8": // torch.compile takes minutes, and is not tried for NG-EBM
					p.Rows = []string{NGEBM, JEM, GradientNorms, PGD}
				case library == "torch" && net == "convnet":
					p.Rows = []string{CrossEntropy, Latency8}
				case library == "torch":
					p.Rows = []string{NGEBM}
				}
				table, err := p.Run(t.Context(), []string{os.Args[0]})
				if err != nil {
					t.Fatal(err)
				}
				if shape[0] == 2 && library != ONNXRuntime { // the same in loops
					p.StepsPerCall, p.Rows = 3, []string{CrossEntropy, NGEBM}
					loops, err := p.Run(t.Context(), []string{os.Args[0]})
					if err != nil {
						t.Fatal(err)
					}
					table.Rows = append(table.Rows, loops.Rows...)
				}
				for _, r := range table.Rows {
					if diff := r.maxAbsDiff(r.Peer, peerResults); compared(r.Name) && !(diff < 1e-5) {
						t.Errorf("%s, %s: results differ by %v: %v and %v", net, r.Name, diff, r.Ours.Results, r.Peer.Results)
					}
				}
			}
		})
	}
}

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ngebm/data/nearest"
	"ngebm/data/progress"
	"ngebm/ngebm/device"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// The rows of the table.
const (
	CrossEntropy  = "cross-entropy"  // a training step
	NGEBM         = "NG-EBM"         // the same with α = β = γ = 1
	JEM           = "JEM"            // the same with 20 steps of SGLD
	Logits        = "logits"         // of all images
	GradientNorms = "gradient norms" // ‖∂E/∂x‖ of all images
	PGD           = "PGD"            // L∞, ε = 8/255, of all images

	// Logits of so few images at a time, as a service computes them.
	Latency1  = "latency 1"
	Latency8  = "latency 8"
	Latency32 = "latency 32"
)

// Rows lists all rows.
func Rows() []string {
	return []string{CrossEntropy, NGEBM, JEM, Logits, GradientNorms, PGD, Latency1, Latency8, Latency32}
}

// requests returns how many images a row computes at a time; 0 where it is not a latency.
func requests(row string) int {
	return map[string]int{Latency1: 1, Latency8: 8, Latency32: 32}[row]
}

// requestedImages is how many images the requests of one measurement have together: a single
// one takes so little time that a measurement would be of the clock.
const requestedImages = 128

// steps reports whether a row is a training step.
func steps(row string) bool { return row == CrossEntropy || row == NGEBM || row == JEM }

// comparesLosses reports whether a row's losses are computed on the reference device.
func comparesLosses(row string) bool { return steps(row) && row != JEM }

// The numbers of first losses that are compared: with the peer's, and with those on the
// reference device, where a step may take minutes.
const (
	peerResults      = 20
	referenceResults = 5
)

// Plan says what to time. [Plan.Validate] checks it.
type Plan struct {
	Net      string // see nets.Parse
	Batch    int    // examples in a training step
	Shape    []int  // of an example: [32 32 3]
	Classes  int
	Images   int      // examples that are evaluated and attacked
	PGDSteps int      // of the attack
	Rows     []string // see [Rows]
	// StepsPerCall is the number of training steps in one call, in a loop on the device
	// (JAX: lax.scan).
	StepsPerCall int `json:"AtOnce"`
	Repeats      int `json:"Times"` // of each work in a round, after a warm-up
	Rounds       int

	Precision string // float32 or bfloat16; see ngebm.Config
	Device    string // see device.Open
	Devices   int    // that share a training step

	// Library is the peer, "torch", "jax", "onnxruntime" (for logits and latencies only) or ""
	// for none, run by the interpreter Python. PyTorch is timed in both layouts, compiled and
	// not (NG-EBM not), JAX in both layouts; the fastest is the peer, and the table names it.
	Library, Python string
	// ReferenceDevice is a second device that computes the first 5 losses; "" is none.
	ReferenceDevice string `json:"Against"`

	// Peak is the device's peak in TFLOP/s, of which the table shows the fraction that is
	// reached; 0 omits it.
	Peak float64

	Progress progress.Reporter `json:"-"` // nil shows nothing
}

// task is the work of one process.
type task struct {
	Row          string `json:"row"`
	StepsRow     bool   `json:"steps_row"`
	Net          string `json:"net"`
	Batch        int    `json:"batch"` // of steps, or of evaluation
	Shape        []int  `json:"shape"`
	Classes      int    `json:"classes"`
	Images       int    `json:"images"`
	PGDSteps     int    `json:"pgd_steps"`
	StepsPerCall int    `json:"steps_per_call"`
	Precision    string `json:"precision"`
	Device       string `json:"device"`
	Devices      int    `json:"devices"` // that share a step; 1 for evaluation
	Calls        int    `json:"calls"`   // of the work in one measurement
	Library      string `json:"library"`
	Way          string `json:"way"`    // to do the work, of those that the library has; "" is to be chosen
	Inputs       string `json:"inputs"` // NPZ file of weights and examples
	Write        bool   `json:"write"`  // the inputs
}

// ONNXRuntime is the peer that runs the classifier's ONNX file.
const ONNXRuntime = "onnxruntime"

// evalBatch is the batch size of evaluation, that of ngebm.Classifier.
const evalBatch = 128

func (p Plan) task(row string) task {
	t := task{Row: row, StepsRow: steps(row), Net: strings.ToLower(p.Net), Batch: p.Batch, Shape: p.Shape, Classes: p.Classes, Images: p.Images,
		PGDSteps: p.PGDSteps, StepsPerCall: p.StepsPerCall, Precision: p.Precision, Device: p.Device, Devices: p.Devices, Library: p.Library, Calls: 1}
	if n := requests(row); n > 0 {
		t.Images, t.Calls = n, requestedImages/n
	}
	if !t.StepsRow {
		t.Batch, t.Devices = min(evalBatch, t.Images), 1
	}
	return t
}

// Validate returns an error that names the first invalid setting.
func (p Plan) Validate() error {
	if _, err := nets.Parse(p.Net); err != nil {
		return err
	}
	for _, c := range []struct {
		name  string
		value int
	}{{"batch", p.Batch}, {"classes", p.Classes}, {"images", p.Images}, {"pgd-steps", p.PGDSteps}, {"steps-per-call", p.StepsPerCall}, {"repeats", p.Repeats}, {"rounds", p.Rounds}, {"devices", p.Devices}} {
		if c.value < 1 {
			return fmt.Errorf("bench: %s is %d; it must be 1 or more", c.name, c.value)
		}
	}
	if !(p.Peak >= 0) || math.IsInf(p.Peak, 0) {
		return fmt.Errorf("bench: peak is %v TFLOP/s; it must be above 0 and finite, or 0 to leave it out", p.Peak)
	}
	if len(p.Shape) != 1 && len(p.Shape) != 3 || slices.Min(p.Shape) < 1 {
		return fmt.Errorf("bench: example shape %v is invalid; give height, width and channels, as in 32x32x3, or the size of a point", p.Shape)
	}
	if p.StepsPerCall > 1 && (p.Devices > 1 || slices.Contains(p.Rows, JEM)) {
		return fmt.Errorf("bench: %d steps per call are not possible for JEM or with several devices; use 1, or leave out these rows", p.StepsPerCall)
	}
	for _, row := range p.Rows {
		if !slices.Contains(Rows(), row) {
			return fmt.Errorf("bench: unknown row %.60q%s; rows are %s", row, nearest.Hint(row, Rows()), strings.Join(Rows(), ", "))
		}
		if p.Library == ONNXRuntime && row != Logits && requests(row) == 0 {
			return fmt.Errorf("bench: ONNX Runtime computes logits, not %s; use rows %s", row, strings.Join([]string{Logits, Latency1, Latency8, Latency32}, ","))
		}
	}
	if kind, _, _ := strings.Cut(strings.ToLower(p.Net), "-"); (p.Library == "torch" || p.Library == "jax") && (strings.Contains(p.Net, "+") || kind == "resnet") {
		return fmt.Errorf("bench: PyTorch and JAX have no %.60q here, only mlp, convnet and wrn without parts, as in wrn-10-2; leave out the comparison, or compare such a one", p.Net)
	}
	if p.ReferenceDevice != "" && !slices.ContainsFunc(p.Rows, comparesLosses) {
		return fmt.Errorf("bench: reference-device is %.60q, but none of the rows has losses to compare; add %s or %s", p.ReferenceDevice, CrossEntropy, NGEBM)
	}
	return nil
}

// Run times every row and returns the table. With an error the table has the rows before it, and
// is nil if there is none; if ctx ends, the error wraps [train.ErrStopped].
// worker is a command line that passes its last argument,
// a task, to [Work].
func (p Plan) Run(ctx context.Context, worker []string) (*Table, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Progress == nil {
		p.Progress = progress.Discard{}
	}
	dir, err := os.MkdirTemp("", "ngebm-bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "peer.py")
	if err := os.WriteFile(script, peerScript, 0o600); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	table := &Table{Plan: p, Processor: processor()}
	began := time.Now()
	for i, row := range p.Rows {
		report := func(round int) {
			p.Progress.Report(progress.Report{Task: "time " + row, Unit: "rounds", Done: int64(i*(p.Rounds+1) + round), Total: int64(len(p.Rows) * (p.Rounds + 1)),
				Elapsed: time.Since(began), Finished: i == len(p.Rows)-1 && round == p.Rounds+1})
		}
		report(0)
		t := p.task(row)
		t.Inputs, t.Write = filepath.Join(dir, "inputs.npz"), p.Library != "" || p.ReferenceDevice != ""
		r, err := p.row(ctx, t, worker, []string{p.Python, script}, report)
		if ctx.Err() != nil {
			err = train.ErrStopped
		}
		if err != nil && len(table.Rows) == 0 {
			table = nil
		}
		if err != nil {
			return table, fmt.Errorf("bench: %s: %w", row, err)
		}
		table.Rows = append(table.Rows, *r)
		report(p.Rounds + 1)
	}
	return table, nil
}

// row times one row.
func (p Plan) row(ctx context.Context, t task, worker, python []string, report func(round int)) (*Row, error) {
	ours, err := start(ctx, worker, t)
	if err != nil {
		return nil, err
	}
	defer ours.end()
	r := &Row{Name: t.Row, Ours: side{ready: ours.ready}}
	sides, workers := []*side{&r.Ours}, []*process{ours}
	if p.Library != "" {
		peer := t
		peer.Device = ours.Kind // "" and the environment left it to this program
		if t.Library == ONNXRuntime && ours.Kind == device.CUDA {
			return nil, errors.New("ONNX Runtime is timed on the CPU only, and this program found a GPU; use -device cpu")
		}
		theirs, err := startPeer(ctx, python, peer)
		if err != nil {
			return nil, err
		}
		defer theirs.end()
		r.Peer = &side{ready: theirs.ready}
		sides, workers = append(sides, r.Peer), append(workers, theirs)
	}
	// The warm-up compiles, and adds the losses to compare that the rounds are too short for.
	warmUp := 1
	if t.StepsRow && len(workers) > 1 {
		warmUp = max(warmUp, peerResults-p.Repeats*p.Rounds)
	}
	if p.ReferenceDevice != "" {
		warmUp = max(warmUp, referenceResults-p.Repeats*p.Rounds)
	}
	for i, w := range workers {
		if _, err := sides[i].run(w, warmUp); err != nil {
			return nil, err
		}
	}
	for round := range p.Rounds {
		report(round + 1)
		for i, w := range workers {
			seconds, err := sides[i].run(w, p.Repeats)
			if err != nil {
				return nil, err
			}
			sides[i].Rounds = append(sides[i].Rounds, seconds)
		}
	}
	if p.ReferenceDevice != "" && comparesLosses(t.Row) {
		t.Device, t.Devices, t.Write = p.ReferenceDevice, 1, false
		other, err := start(ctx, worker, t)
		if err != nil {
			return nil, err
		}
		defer other.end()
		r.ReferenceDevice = &side{ready: other.ready}
		if _, err := r.ReferenceDevice.run(other, referenceResults); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// side is what one program measured in a row.
type side struct {
	ready
	Rounds  [][]float64 `json:"rounds"`  // seconds, without the warm-up
	Results []float64   `json:"results"` // losses from the first step on; the mean of an evaluation
	Peak    float64     `json:"peak_mib"`
}

// ready is the line that a process prints when it can start.
type ready struct {
	Name       string  `json:"name"`                 // of the program
	Where      string  `json:"where"`                // the device
	Kind       string  `json:"kind,omitempty"`       // of the device: see device.Device
	Parameters int     `json:"parameters,omitempty"` // of the network
	Operations float64 `json:"operations,omitempty"` // of its logits for one example
	// Way is the fastest of a peer's ways to do the work, empty if its library has no names for them;
	// Failed are those that could not do it, and why.
	Way    string   `json:"way,omitempty"`
	Failed []string `json:"failed,omitempty"`
}

// result is the line that a process prints after its work.
type result struct {
	Seconds []float64 `json:"seconds"`
	Results []float64 `json:"results"`
	Peak    float64   `json:"peak"`
}

func (s *side) run(w *process, times int) ([]float64, error) {
	d, err := w.work(times)
	if err != nil {
		return nil, err
	}
	s.Results, s.Peak = append(s.Results, d.Results...), d.Peak
	return d.Seconds, nil
}

func (t task) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // every field can be encoded
	}
	return string(b)
}

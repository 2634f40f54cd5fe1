// Package bench times the work of training and measuring on this machine, and the same
// work in PyTorch or JAX beside it.
//
// Each row of the table is done by a process of its own, so that its peak memory is its
// own, and where there is a peer the two take turns, so that whatever else the machine
// does slows both. The peer starts from the same weights and examples, handed over in a
// file of NumPy's format, and its losses say whether it did the same work.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ngebm/data/nearest"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/nets"
)

// The rows of the table.
const (
	CrossEntropy  = "cross-entropy"  // a training step
	NGEBM         = "NG-EBM"         // the same with α = β = γ = 1
	JEM           = "JEM"            // the same with 20 steps of SGLD
	Logits        = "logits"         // of all images
	GradientNorms = "gradient norms" // ‖∂E/∂x‖ of all images
	PGD           = "PGD"            // L∞, ε = 8/255, of all images
)

// Rows lists all rows.
func Rows() []string { return []string{CrossEntropy, NGEBM, JEM, Logits, GradientNorms, PGD} }

// steps tells whether a row is a training step.
func steps(row string) bool { return row == CrossEntropy || row == NGEBM || row == JEM }

// How many losses from the start are compared: with another program's, and with another
// device's, which may take minutes for each.
const (
	agreeing = 20
	onOther  = 5
)

// Plan says what to time.
type Plan struct {
	Net      string // as nets.Parse takes it
	Batch    int    // examples in a training step
	Shape    []int  // of an example: [32 32 3]
	Classes  int
	Images   int      // examples that are evaluated and attacked
	PGDSteps int      // of the attack
	Rows     []string // see [Rows]
	AtOnce   int      // training steps in one work, taken in a loop on the device (JAX: lax.scan)
	Times    int      // so often each work is done in a round, after a warm-up
	Rounds   int

	Precision string // as ngebm.Config has it
	Device    string // as device.Open takes it
	Devices   int    // that share a training step

	// Library is what to compare with, "torch" or "jax", by the interpreter Python;
	// "" compares with nothing. Compile lets PyTorch compile what it can.
	Library, Python string
	Compile         bool
	// Against is another device on which the first 5 losses are computed; "" is none.
	Against string

	// Peak is the device's peak in TFLOP/s, to say what fraction of it is reached; 0
	// says nothing.
	Peak float64

	Progress progress.Reporter `json:"-"` // nil shows nothing
}

// task is what one process is told to do.
type task struct {
	Row       string `json:"row"`
	StepsRow  bool   `json:"steps_row"`
	Net       string `json:"net"`
	Batch     int    `json:"batch"` // of steps, or of evaluation
	Shape     []int  `json:"shape"`
	Classes   int    `json:"classes"`
	Images    int    `json:"images"`
	PGDSteps  int    `json:"pgd_steps"`
	AtOnce    int    `json:"at_once"`
	Precision string `json:"precision"`
	Device    string `json:"device"`
	Devices   int    `json:"devices"`
	Library   string `json:"library"`
	Compile   bool   `json:"compile"`
	Hand      string `json:"hand"` // file of weights and examples
	Write     bool   `json:"write"`
}

// evaluated is how many examples are evaluated at a time, as a Classifier does.
const evaluated = 128

func (p Plan) task(row string) task {
	t := task{Row: row, StepsRow: steps(row), Net: p.Net, Batch: p.Batch, Shape: p.Shape, Classes: p.Classes, Images: p.Images,
		PGDSteps: p.PGDSteps, AtOnce: p.AtOnce, Precision: p.Precision, Device: p.Device, Devices: p.Devices, Library: p.Library, Compile: p.Compile}
	if !t.StepsRow {
		t.Batch = min(evaluated, p.Images)
	}
	return t
}

// Validate reports the first setting that cannot be timed.
func (p Plan) Validate() error {
	if _, err := nets.Parse(p.Net); err != nil {
		return err
	}
	for _, c := range []struct {
		name  string
		value int
	}{{"batch", p.Batch}, {"classes", p.Classes}, {"images", p.Images}, {"PGD steps", p.PGDSteps}, {"steps at once", p.AtOnce}, {"times", p.Times}, {"rounds", p.Rounds}, {"devices", p.Devices}} {
		if c.value < 1 {
			return fmt.Errorf("bench: %s is %d; it must be 1 or more", c.name, c.value)
		}
	}
	if len(p.Shape) != 1 && len(p.Shape) != 3 || slices.Min(p.Shape) < 1 {
		return fmt.Errorf("bench: examples cannot be shaped %v; give height, width and channels, as in 32x32x3, or the size of a point", p.Shape)
	}
	if p.AtOnce > 1 && (p.Devices > 1 || slices.Contains(p.Rows, JEM)) {
		return fmt.Errorf("bench: %d steps at once are asked for, but JEM's steps and those of several devices are taken one by one; time others", p.AtOnce)
	}
	for _, row := range p.Rows {
		if !slices.Contains(Rows(), row) {
			return fmt.Errorf("bench: there is no row %.60q%s; there are %s", row, nearest.Hint(row, Rows()), strings.Join(Rows(), ", "))
		}
	}
	return nil
}

// Run times every row and returns the table. If ctx ends, so does Run, with an error
// that wraps [ngebm.ErrStopped]. worker starts a process that hands its
// last argument, a task, to [Work].
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
	table := &Table{Plan: p}
	began := time.Now()
	for i, row := range p.Rows {
		tell := func(round int) {
			p.Progress.Report(progress.Report{Task: "time " + row, Unit: "rounds", Done: int64(i*(p.Rounds+1) + round), Total: int64(len(p.Rows) * (p.Rounds + 1)),
				Elapsed: time.Since(began), Finished: i == len(p.Rows)-1 && round == p.Rounds+1})
		}
		tell(0)
		t := p.task(row)
		t.Hand, t.Write = filepath.Join(dir, "hand.npz"), p.Library != "" || p.Against != ""
		r, err := p.row(ctx, t, worker, []string{p.Python, script}, tell)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("bench: %w", ngebm.ErrStopped)
		}
		if err != nil {
			return nil, fmt.Errorf("bench: %s: %w", row, err)
		}
		table.Rows = append(table.Rows, *r)
		tell(p.Rounds + 1)
	}
	return table, nil
}

// row times one row.
func (p Plan) row(ctx context.Context, t task, worker, python []string, tell func(round int)) (*Row, error) {
	ours, err := start(ctx, worker, t)
	if err != nil {
		return nil, err
	}
	defer ours.end()
	r := &Row{Name: t.Row, Ours: side{hello: ours.hello}}
	sides, workers := []*side{&r.Ours}, []*process{ours}
	if p.Library != "" {
		theirs, err := start(ctx, python, t)
		if err != nil {
			return nil, err
		}
		defer theirs.end()
		r.Peer = &side{hello: theirs.hello}
		sides, workers = append(sides, r.Peer), append(workers, theirs)
	}
	// The warm-up compiles what is left, and gives losses to compare that the rounds
	// will not give.
	warmUp := 1
	if t.StepsRow && len(workers) > 1 {
		warmUp = max(warmUp, agreeing-p.Times*p.Rounds)
	}
	if p.Against != "" {
		warmUp = max(warmUp, onOther-p.Times*p.Rounds)
	}
	for i, w := range workers {
		if _, err := sides[i].run(w, warmUp); err != nil {
			return nil, err
		}
	}
	for round := range p.Rounds {
		tell(round + 1)
		for i, w := range workers {
			seconds, err := sides[i].run(w, p.Times)
			if err != nil {
				return nil, err
			}
			sides[i].Rounds = append(sides[i].Rounds, seconds)
		}
	}
	if p.Against != "" && t.StepsRow && t.Row != JEM {
		t.Device, t.Devices, t.Write = p.Against, 1, false
		other, err := start(ctx, worker, t)
		if err != nil {
			return nil, err
		}
		defer other.end()
		r.Against = &side{hello: other.hello}
		if _, err := r.Against.run(other, onOther); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// side is what one program did for a row.
type side struct {
	hello
	Rounds  [][]float64 `json:"rounds"`  // seconds, without the warm-up
	Results []float64   `json:"results"` // losses, from the first on; or what an evaluation found
	Peak    float64     `json:"peak_mib"`
}

// hello is how a process says that it is ready.
type hello struct {
	Name       string  `json:"name"`                 // of the program
	Where      string  `json:"where"`                // on what it runs
	Parameters int     `json:"parameters,omitempty"` // of the network
	Operations float64 `json:"operations,omitempty"` // of its logits for one example
}

// did is what a process says when it has worked.
type did struct {
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
		panic(err) // it holds nothing that JSON cannot
	}
	return string(b)
}

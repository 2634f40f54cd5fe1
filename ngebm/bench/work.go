package bench

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// Work runs a task, in JSON, in this process. It prints a line of JSON to out when it is
// ready. For each number on a line of in it repeats the work that many times and prints a
// line with the times and results. The task names the device; opts says how to open it.
func Work(ctx context.Context, description string, opts device.Options, in io.Reader, out io.Writer) error {
	var t task
	if err := json.Unmarshal([]byte(description), &t); err != nil {
		return fmt.Errorf("bench: invalid task %q: %w", description, err)
	}
	w, err := newWorker(ctx, t, opts)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(w.ready); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		times, err := strconv.Atoi(lines.Text())
		if err != nil {
			return fmt.Errorf("bench: %q is not a number of repeats", lines.Text())
		}
		steps := t.Calls
		if t.StepsRow {
			steps = t.StepsPerCall
		}
		var r result
		for range times {
			began := time.Now()
			var value float64
			for range t.Calls {
				if value, err = w.do(); err != nil {
					return err
				}
			}
			r.Seconds, r.Results = append(r.Seconds, time.Since(began).Seconds()/float64(steps)), append(r.Results, value)
		}
		r.Peak = peakMemory()
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// worker does the work of one row.
type worker struct {
	ready
	do func() (value float64, err error)
}

func newWorker(ctx context.Context, t task, opts device.Options) (*worker, error) {
	opts = opts.With(t.Device)
	opts.Devices = t.Devices
	dev, err := device.OpenContext(ctx, opts)
	if err != nil {
		return nil, err
	}
	cfg := ngebm.DefaultConfig("", t.Net)
	cfg.Batch, cfg.LearningRate, cfg.Warmup, cfg.Precision = t.Batch, 1e-4, 0, t.Precision
	switch t.Row {
	case NGEBM:
		cfg.Beta, cfg.Gamma = 1, 1
	case JEM:
		err = cfg.Set("jem.weight=1,jem.buffer=1000") // the size does not affect the time of a step
	}
	if err != nil {
		return nil, err
	}
	n := max(t.Batch, t.Images)
	if t.StepsRow {
		n = t.Batch
	}
	set, err := noise(t, n)
	if err != nil {
		return nil, err
	}
	s, err := train.NewStepper(dev.Backend, cfg, set, t.Devices, t.StepsPerCall)
	if err != nil {
		return nil, err
	}
	c := s.Classifier()
	w := &worker{ready: ready{Name: "ngebm", Where: where(dev), Kind: dev.Kind, Parameters: c.Parameters()}}
	if w.Operations, err = c.Operations(); err != nil {
		return nil, err
	}
	if t.Write {
		x, labels := s.Batch()
		if !t.StepsRow {
			x, labels = values(set), set.Labels
		}
		if err := exportInputs(t.Inputs, c, x, labels, append([]int{len(labels)}, t.Shape...)); err != nil {
			return nil, err
		}
		if t.Library == ONNXRuntime {
			if err := exportONNX(t.Inputs+".onnx", c); err != nil {
				return nil, err
			}
		}
	}
	switch t.Row {
	case Logits:
		w.do = func() (float64, error) { return mean(c.Energies(ctx, set)) }
	case GradientNorms:
		w.do = func() (float64, error) { return mean(c.GradientNorms(ctx, set)) }
	case PGD:
		w.do, err = attackOn(ctx, c, set, t.PGDSteps)
	case Latency1, Latency8, Latency32:
		x := values(set)
		w.do = func() (float64, error) {
			logits, err := c.LogitsAt(ctx, x)
			if err != nil {
				return 0, err
			}
			sum := 0.
			for _, row := range logits {
				sum += floats.LogSumExp(row)
			}
			return sum / float64(len(logits)), nil
		}
	default:
		w.do = s.Step
	}
	return w, err
}

func where(d *device.Device) string {
	if device.IsGo(d.Backend) {
		return "pure Go"
	}
	return fmt.Sprintf("XLA on %s, devices: %d", strings.ToUpper(d.Kind), d.Count)
}

func mean(values []float64, err error) (float64, error) {
	return stat.Mean(values, nil), err
}

// attackOn returns an attack on all examples of a set, with the classifier's predictions
// as labels, so that none is misclassified before the attack.
func attackOn(ctx context.Context, c *ngebm.Classifier, set *data.Dataset, steps int) (func() (float64, error), error) {
	logits, err := c.Logits(ctx, set)
	if err != nil {
		return nil, err
	}
	answered := *set
	answered.Labels = make([]int32, len(logits))
	for i, row := range logits {
		answered.Labels[i] = int32(slices.Index(row, slices.Max(row)))
	}
	attacker, err := attack.New(c, attack.Options{})
	if err != nil {
		return nil, err
	}
	pgd := attack.PGD{Norm: attack.Linf, Steps: steps, Step: .1}
	return func() (float64, error) {
		curve, err := attacker.Run(ctx, &answered, pgd, []float64{8. / 255})
		if err != nil {
			return 0, err
		}
		return curve.Points[len(curve.Points)-1].Accuracy, nil
	}, nil
}

// noise returns n random examples.
func noise(t task, n int) (*data.Dataset, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	d := data.Dataset{Info: data.Info{Name: "noise", Split: "train"}, Shape: t.Shape, Labels: make([]int32, n)}
	for k := range t.Classes {
		d.Classes = append(d.Classes, strconv.Itoa(k))
	}
	for i := range d.Labels {
		d.Labels[i] = int32(rng.IntN(t.Classes))
	}
	size := n
	for _, s := range t.Shape {
		size *= s
	}
	if len(t.Shape) == 1 {
		d.Points = make([]float32, size)
		for i := range d.Points {
			d.Points[i] = 2*rng.Float32() - 1
		}
		return data.New(d)
	}
	d.MaxPixel, d.Pixels = 255, make([]uint8, size)
	for i := range d.Pixels {
		d.Pixels[i] = uint8(rng.IntN(256))
	}
	return data.New(d)
}

// values returns all examples as the network sees them, one after the other.
func values(set *data.Dataset) []float32 {
	size := set.Size()
	x := make([]float32, set.Len()*size)
	for i := range set.Len() {
		set.Example(i, x[i*size:(i+1)*size])
	}
	return x
}

// processor returns the processor's name and the number of cores that this process may use.
func processor() string {
	name := cmp.Or(ngebm.Processor(), runtime.GOOS+"/"+runtime.GOARCH)
	return fmt.Sprintf("%s, %d cores", name, runtime.NumCPU())
}

// peakMemory returns the peak resident memory of this process in MiB; 0 where the system
// does not report it.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kib), " kB"), 64) // 0 if it is not a number
			return n / 1024
		}
	}
	return 0
}

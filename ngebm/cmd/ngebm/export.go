package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/onnx"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/torchweights"
)

const exportAbout = `Write a trained run as an ONNX file, which ONNX Runtime and other programs run without this one, or its weights
as a safetensors file for PyTorch.

The ONNX file has the input "input", [batch, shape…] in the network's units (images: NHWC, pixels scaled to [-1,1],
which is 2p/255-1 of a byte p), and the outputs "logits", "probabilities" (softmax at the temperature)
and "energy" (logsumexp of the logits: larger where the model finds an input more likely). The batch may have any
size. Class names, run, hash and the checkpoint's SHA-256 are in its metadata. In Python:

` + onnxLines + `
The safetensors file has the names and layouts of PyTorch's modules: conv1.weight, layer1.0.conv1.weight …,
linear.weight of a Wide ResNet, as the authors' code has them; conv0, conv1 …, linear of a convnet; fc0, fc1 … of
an mlp. PyTorch takes images as NCHW; an mlp's are flattened from NHWC. In Python, into a model of these layers:

` + torchLines + `
The weights are those that the run is evaluated with: the average, if it was trained with ema. A network of your
own cannot be loaded by this program: in yours, use packages onnx and torchweights.`

// The two lines that load a file; %q is its name.
const (
	onnxLines = `  session = onnxruntime.InferenceSession("model.onnx")
  logits, probabilities, energy = session.run(None, {"input": x})
`
	torchLines = `  from safetensors.torch import load_file
  model.load_state_dict(load_file("model.safetensors"))
`
)

// exportFlags are the flags of the command.
type exportFlags struct {
	onnx, safetensors string
	temperature       float64
	best, force       bool
}

func export(ctx context.Context, args []string, stdout io.Writer) error {
	var f exportFlags
	flags := flagSet("export", exportAbout, "ngebm export runs/digits-0123456789ab -onnx digits.onnx")
	flags.StringVar(&f.onnx, "onnx", "", "`file` to write as ONNX")
	flags.StringVar(&f.safetensors, "safetensors", "", "`file` to write the weights to for PyTorch")
	flags.Float64Var(&f.temperature, "temperature", 0, "`number` that divides the logits before the softmax of the ONNX file's probabilities (0: that of the run's predictor, 1 without one)")
	flags.BoolVar(&f.best, "best", false, "export the checkpoint with the highest validation accuracy instead of the last")
	flags.BoolVar(&f.force, "force", false, "replace existing files")
	dirs, err := parseAmong(flags, args)
	if err != nil {
		return err
	}
	if len(dirs) != 1 {
		return fmt.Errorf("ngebm export: %d folders of runs are given (%q); give one, as in ngebm export runs/digits-0123456789ab -onnx digits.onnx", len(dirs), dirs)
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("ngebm export: %w", err)
	}
	if f.onnx == "" && given(flags)["temperature"] {
		return errors.New("ngebm export: -temperature has no effect without -onnx; the weights stay as they are")
	}
	return f.export(ctx, dirs[0], stdout)
}

// check refuses what cannot be written, before a run is loaded.
func (f *exportFlags) check() error {
	if f.onnx == "" && f.safetensors == "" {
		return errors.New("no file is named; give -onnx FILE, -safetensors FILE or both")
	}
	if !(f.temperature >= 0) || math.IsInf(f.temperature, 0) {
		return fmt.Errorf("-temperature is %v; it must be positive and finite, or 0 for that of the run's predictor", f.temperature)
	}
	if f.onnx != "" && f.safetensors != "" && samePath(f.onnx, f.safetensors) {
		return fmt.Errorf("-onnx and -safetensors both name %q; give two files", f.onnx)
	}
	for _, path := range []string{f.onnx, f.safetensors} {
		if path == "" {
			continue
		}
		if _, err := os.Lstat(path); err == nil && !f.force {
			return fmt.Errorf("%q exists; choose another name, or replace it with -force", path)
		}
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("%q: its folder does not exist; create it, or choose another file", path)
		}
	}
	return nil
}

// export loads the run on the pure-Go backend, since nothing is computed, and writes the
// files.
func (f *exportFlags) export(ctx context.Context, dir string, stdout io.Writer) error {
	dev, err := device.Open("go", nil)
	if err != nil {
		return err
	}
	load := ngebm.Load
	if f.best {
		load = ngebm.LoadBest
	}
	run, err := load(ctx, dev.Backend, dir, nil)
	if err != nil {
		return err
	}
	defer run.Close()
	warnOf(run.Warning, run.CodeNotes())
	if done, all := run.History.Steps(), run.Config.Epochs*run.History.StepsPerEpoch; done < all && !f.best {
		fmt.Fprintf(os.Stderr, "warning: the run is not complete: the weights are those of step %d of %d\n", done, all)
	}
	checksum, err := run.Checksum()
	if err != nil {
		return err
	}
	metadata := map[string]string{
		"run": plain.Text(filepath.Base(run.Dir)), "run_hash": run.Hash, "checkpoint_sha256": checksum, "steps": fmt.Sprint(run.History.Steps()),
	}
	if f.onnx != "" {
		if err := f.findTemperature(run); err != nil {
			return err
		}
		if err := f.writeONNX(stdout, run.Classifier, metadata); err != nil {
			return err
		}
	}
	if f.safetensors == "" {
		return nil
	}
	return f.writeSafetensors(stdout, run.Classifier, metadata)
}

// findTemperature takes the temperature of the run's predictor, unless one is given.
func (f *exportFlags) findTemperature(run *ngebm.Run) error {
	if f.temperature != 0 {
		return nil
	}
	p, err := predict.Open(run)
	if errors.Is(err, fs.ErrNotExist) {
		f.temperature = 1
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w, or give -temperature", err)
	}
	defer p.Close()
	if p.Vector != nil {
		return errors.New("ngebm export: the run's predictor has vector scaling, which the file cannot hold; give -temperature (1 for the network's own probabilities)")
	}
	if !ngebm.SameCode(p.Computation) {
		warnOf("", p.Notes)
	}
	f.temperature = p.Temperature
	return nil
}

// writeONNX writes the ONNX file and prints what is in it.
func (f *exportFlags) writeONNX(stdout io.Writer, c *ngebm.Classifier, metadata map[string]string) error {
	m, err := onnx.Export(c, onnx.Options{Temperature: f.temperature, Metadata: metadata})
	if err != nil {
		return err
	}
	size, err := writeFile(f.onnx, func(w io.Writer) error {
		_, err := m.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s as ONNX, opset %d, %s\n", plain.Text(f.onnx), c.Network, onnx.Opset, megabytes(size))
	units := "values as the network has them"
	if len(c.Shape) == 3 {
		units = "images, height by width by channels, pixels in [-1,1]"
	}
	if c.Encoder != nil {
		units = `rows of the table, as the metadata's "encoder" says`
	}
	for _, t := range m.Inputs {
		fmt.Fprintf(&b, "  input   %-14s float32 [%s]  %s\n", t.Name, strings.Join(t.Shape, ", "), units)
	}
	for _, t := range m.Outputs {
		about := ""
		if t.Name == "probabilities" {
			about = fmt.Sprintf("  at temperature %.4g", f.temperature)
		}
		fmt.Fprintf(&b, "  output  %-14s float32 [%s]%s\n", t.Name, strings.Join(t.Shape, ", "), about)
	}
	fmt.Fprintf(&b, "in Python:\n%s", strings.ReplaceAll(onnxLines, `"model.onnx"`, fmt.Sprintf("%q", plain.Text(f.onnx))))
	_, err = io.WriteString(stdout, b.String())
	return err
}

// writeSafetensors writes the weights for PyTorch and prints how they are loaded.
func (f *exportFlags) writeSafetensors(stdout io.Writer, c *ngebm.Classifier, metadata map[string]string) error {
	size, err := writeFile(f.safetensors, func(w io.Writer) error { return torchweights.Write(w, c, metadata) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d weights of %s as safetensors, %s\nin Python:\n%s", plain.Text(f.safetensors), c.Parameters(), c.Network, megabytes(size),
		strings.ReplaceAll(torchLines, `"model.safetensors"`, fmt.Sprintf("%q", plain.Text(f.safetensors))))
	return err
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.3g MB", float64(bytes)/1e6) }

// writeFile writes a file and returns its size, or leaves an existing one as it is.
func writeFile(path string, write func(io.Writer) error) (size int64, err error) {
	p, err := files.Create(path, 0o644)
	if err != nil {
		return 0, fmt.Errorf("ngebm export: %w", err)
	}
	defer p.Discard()
	counted := &counter{w: p}
	if err := write(counted); err != nil {
		return 0, err
	}
	if err := p.Commit(); err != nil {
		return 0, fmt.Errorf("ngebm export: %w", err)
	}
	return counted.n, nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

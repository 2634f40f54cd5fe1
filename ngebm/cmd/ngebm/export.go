package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/onnx"
)

const exportAbout = `Write a trained run as an ONNX file, which ONNX Runtime and other programs run without this one.

The ONNX file has the input "input", [batch, shape…] in the network's units (images: NHWC, pixels in [-1,1], that
is 2p/255-1 of a byte p), and the outputs "logits", "probabilities" (softmax at -temperature) and "energy"
(logsumexp of the logits: larger where the model finds an input more likely). The batch may have any size.
Class names, run, hash and the checkpoint's SHA-256 are in its metadata. In Python:

  session = onnxruntime.InferenceSession("model.onnx")
  logits, probabilities, energy = session.run(None, {"input": x})

The weights are those that the run is evaluated with: the average, if it was trained with ema. A network of your
own cannot be loaded by this program: use onnx.Export in yours.`

// exportFlags are the flags of the command.
type exportFlags struct {
	onnx        string
	temperature float64
	best, force bool
}

func export(ctx context.Context, args []string, stdout io.Writer) error {
	var f exportFlags
	fs := flagSet("export", exportAbout, "ngebm export runs/digits-0123456789ab -onnx digits.onnx")
	fs.StringVar(&f.onnx, "onnx", "", "`file` to write as ONNX")
	fs.Float64Var(&f.temperature, "temperature", 1, "`number` that divides the logits before the softmax of the probabilities, as fitted on validation data")
	fs.BoolVar(&f.best, "best", false, "export the checkpoint with the highest validation accuracy instead of the last")
	fs.BoolVar(&f.force, "force", false, "replace existing files")
	// The run may come before the flags, too.
	var dirs []string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		dirs, args = args[:1], args[1:]
	}
	if err := parse(fs, args); err != nil {
		return err
	}
	if dirs = append(dirs, fs.Args()...); len(dirs) != 1 {
		return fmt.Errorf("ngebm export: %d folders of runs are given (%q); give one, as in ngebm export runs/digits-0123456789ab -onnx digits.onnx", len(dirs), dirs)
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("ngebm export: %w", err)
	}
	return f.export(ctx, dirs[0], stdout)
}

// check refuses what cannot be written, before a run is loaded.
func (f exportFlags) check() error {
	if f.onnx == "" {
		return errors.New("no file is named; give -onnx FILE")
	}
	if _, err := os.Lstat(f.onnx); err == nil && !f.force {
		return fmt.Errorf("%q exists; choose another name, or replace it with -force", f.onnx)
	}
	if _, err := os.Stat(filepath.Dir(f.onnx)); err != nil {
		return fmt.Errorf("%q: its folder does not exist; create it, or choose another file", f.onnx)
	}
	return nil
}

// export loads the run on the pure-Go backend, since nothing is computed.
func (f exportFlags) export(ctx context.Context, dir string, stdout io.Writer) error {
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
	if run.Warning != "" {
		fmt.Fprintf(os.Stderr, "warning: %s\n", run.Warning)
	}
	checksum, err := run.Checksum()
	if err != nil {
		return err
	}
	model, err := onnx.Export(run.Classifier, onnx.Options{Temperature: f.temperature, Metadata: map[string]string{
		"run": plain.Text(filepath.Base(run.Dir)), "run_hash": run.Hash, "checkpoint_sha256": checksum, "steps": fmt.Sprint(run.History.Steps()),
	}})
	if err != nil {
		return err
	}
	if err := write(f.onnx, model); err != nil {
		return fmt.Errorf("ngebm export: %w", err)
	}
	return f.report(stdout, model)
}

// write writes a file, or leaves an existing one as it is.
func write(path string, content io.WriterTo) error {
	p, err := files.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer p.Discard()
	if _, err := content.WriteTo(p); err != nil {
		return err
	}
	return p.Commit()
}

// report prints what was written and how it is loaded.
func (f exportFlags) report(w io.Writer, m *onnx.Model) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ONNX, opset %d, %.1f MB\n", plain.Text(f.onnx), onnx.Opset, float64(m.Len())/1e6)
	line := func(kind string, tensors []onnx.Tensor) {
		for _, t := range tensors {
			fmt.Fprintf(&b, "  %-7s %-14s float32 [%s]\n", kind, t.Name, strings.Join(t.Shape, ", "))
		}
	}
	line("input", m.Inputs)
	line("output", m.Outputs)
	fmt.Fprintf(&b, "  in Python:\n    session = onnxruntime.InferenceSession(%q)\n    logits, probabilities, energy = session.run(None, {\"input\": x})\n", plain.Text(f.onnx))
	_, err := io.WriteString(w, b.String())
	return err
}

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	onnxpb "github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/torchweights"
)

// trained is the folder of a small run with settings.
func trained(t *testing.T, device, settings string) string {
	t.Helper()
	runs := t.TempDir()
	args := []string{"train", "-preset", "moons", "-model", "mlp-4", "-device", device, "-max-train", "128", "-runs", runs, "-set", "eval_every=1,warmup=0," + settings}
	if err := dispatch(t.Context(), args, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(runs, "moons-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("runs %v (%v)", dirs, err)
	}
	return dirs[0]
}

// exported is the output of ngebm export, run in its own folder.
func exported(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := dispatch(t.Context(), append([]string{"export"}, args...), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// read is the model in an ONNX file, and its metadata.
func readONNX(t *testing.T, path string) (*onnxpb.ModelProto, map[string]string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, about := new(onnxpb.ModelProto), map[string]string{}
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.MetadataProps {
		about[p.Key] = p.Value
	}
	return m, about
}

// The files hold the weights that the run is evaluated with, and say which they are.
func TestExport(t *testing.T) {
	run, dir := trained(t, "go", "epochs=2,ema=.9,validation=16"), t.TempDir()
	onnx, torch := filepath.Join(dir, "m.onnx"), filepath.Join(dir, "m.safetensors")
	out := exported(t, "-temperature", "2", run, "-onnx", onnx, "-safetensors", torch)
	for _, want := range []string{onnx + ": mlp-4 as ONNX, opset 17, ", "input          float32 [batch, 2]", "logits         float32 [batch, 2]", "float32 [batch, 2]  at temperature 2\n", "energy         float32 [batch]\n",
		fmt.Sprintf("InferenceSession(%q)", onnx), fmt.Sprintf("model.load_state_dict(load_file(%q))", torch)} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
	m, about := readONNX(t, onnx)
	for _, c := range []struct{ flag, file string }{{"", "checkpoint.ngebm"}, {"-best", "best.ngebm"}} {
		if c.flag != "" {
			exported(t, run, c.flag, "-onnx", onnx, "-force")
			_, about = readONNX(t, onnx)
		}
		checkpoint, err := os.ReadFile(filepath.Join(run, c.file))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(checkpoint)
		if about["checkpoint_sha256"] != hex.EncodeToString(sum[:]) || about["run"] != filepath.Base(run) || !strings.HasSuffix(about["run"], about["run_hash"]) {
			t.Errorf("%s: metadata %v", c.file, about)
		}
	}
	arrays, err := torchweights.Read(torch)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range m.Graph.Initializer {
		a := arrays[strings.ReplaceAll(w.Name, "/", ".")]
		if !strings.HasSuffix(w.Name, "bias") {
			continue // matrices have other layouts
		}
		if a == nil {
			t.Errorf("%s is missing", w.Name)
			continue
		}
		var raw []byte
		for _, v := range a.Floats() {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
		}
		if !bytes.Equal(w.RawData, raw) {
			t.Errorf("%s differs between the files", w.Name)
		}
	}
}

// The probabilities are at the temperature of the run's predictor, which must be of the
// exported weights.
func TestExportPredictor(t *testing.T) {
	run, file := trained(t, "go", "epochs=60,learning_rate=.02,validation=64"), filepath.Join(t.TempDir(), "m.onnx")
	if out := exported(t, run, "-onnx", file); !strings.Contains(out, "at temperature 1\n") {
		t.Errorf("without a predictor it prints\n%s", out)
	}
	r, err := ngebm.Load(t.Context(), testdevice.Open(t, "go"), run, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := data.Open(t.Context(), "moons", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.Train, r.Validation = d, d
	p, err := predict.Fit(t.Context(), r, predict.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Save(); err != nil {
		t.Fatal(err)
	}
	exported(t, run, "-onnx", file, "-force")
	if _, about := readONNX(t, file); about["temperature"] != fmt.Sprint(p.Temperature) || p.Temperature == 1 {
		t.Errorf("temperature %s, want %v", about["temperature"], p.Temperature)
	}
	err = dispatch(t.Context(), []string{"export", run, "-best", "-onnx", file, "-force"}, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "is of other weights") || !strings.HasSuffix(err.Error(), "give -temperature") {
		t.Errorf("of the best checkpoint: %v", err)
	}
	exported(t, run, "-best", "-temperature", "3", "-onnx", file, "-force")
	p.Computation = "another"
	if err := p.Save(); err != nil {
		t.Fatal(err)
	}
	if notices := noticesOf(t, func() { exported(t, run, "-onnx", file, "-force") }); !strings.Contains(notices, "note: the predictor was fitted otherwise") {
		t.Errorf("of a predictor that other code fitted, the notices are %q", notices)
	}
}

// Nothing is computed for the files: on what the run was trained and its predictor fitted does not matter.
func TestExportAfterAnotherDevice(t *testing.T) {
	run, file := trained(t, "cpu", "epochs=60,learning_rate=.02,validation=64"), filepath.Join(t.TempDir(), "m.onnx")
	if err := dispatch(t.Context(), []string{"predict", "-device", "cpu", run}, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	if notices := noticesOf(t, func() { exported(t, run, "-onnx", file) }); strings.Contains(notices, "note:") {
		t.Errorf("the notices are %q", notices)
	}
	if _, notices, err := predictedWithNotices(t, run); err != nil || !strings.Contains(notices, "note: it was trained on xla:cpu, and this is go") || !strings.Contains(notices, "note: the predictor was fitted otherwise") {
		t.Errorf("predicting elsewhere: %v, the notices are %q", err, notices)
	}
}

// An existing file is kept without -force, and what cannot be written is refused before a
// run is loaded.
func TestExportRefuses(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.onnx")
	if err := os.WriteFile(there, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	free := filepath.Join(dir, "free.onnx")
	for want, args := range map[string][]string{
		"there.onnx\" exists; choose another name":  {"no-run", "-onnx", there},
		"there.onnx\" exists; choose another name,": {"no-run", "-onnx", free, "-safetensors", there},
		"its folder does not exist":                 {"no-run", "-onnx", filepath.Join(dir, "no", "x.onnx")},
		"give -onnx FILE, -safetensors FILE":        {"no-run"},
		"0 folders of runs are given":               {"-onnx", free},
		`2 folders of runs are given (["a" "b"])`:   {"a", "-onnx", free, "b"},
		"both name":             {"no-run", "-onnx", free, "-safetensors", free},
		"-temperature is -1":    {"no-run", "-onnx", free, "-temperature", "-1"},
		"-temperature is NaN":   {"no-run", "-onnx", free, "-temperature", "NaN"},
		`"no-run" holds no run`: {"no-run", "-onnx", free},
		"did you mean -onnx?":   {"no-run", "-onx", free},
	} {
		var out bytes.Buffer
		if err := dispatch(t.Context(), append([]string{"export"}, args...), &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
	if b, err := os.ReadFile(there); err != nil || string(b) != "precious" {
		t.Errorf("the existing file has %q (%v)", b, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("files were left: %v (%v)", names, err)
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/data/testdisk"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/predict"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// trainedOn is the folder of a run that is trained in pure Go with some flags.
func trainedOn(t *testing.T, flags ...string) string {
	t.Helper()
	runs := t.TempDir()
	if err := dispatch(t.Context(), append([]string{"train", "-device", "go", "-runs", runs}, flags...), new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(runs, "*", "config.json"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("runs %v (%v)", dirs, err)
	}
	return filepath.Dir(dirs[0])
}

// predicted is the output of ngebm predict, and its error.
func predicted(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := dispatch(t.Context(), append([]string{"predict", "-device", "go"}, args...), &out)
	return out.String(), err
}

// predictedWithNotices also returns what goes to the standard error.
func predictedWithNotices(t *testing.T, args ...string) (out, notices string, err error) {
	t.Helper()
	notices = noticesOf(t, func() { out, err = predicted(t, args...) })
	return out, notices, err
}

// noticesOf returns what goes to the standard error.
func noticesOf(t *testing.T, of func()) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = write
	of()
	os.Stderr = stderr
	write.Close()
	all, _ := io.ReadAll(read)
	return string(all)
}

// ending is a context that ends once it was asked a number of times: once for each of a few inputs.
type ending struct {
	context.Context
	left int
}

func (c *ending) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestPredict(t *testing.T) {
	dir := trainedOn(t, "-preset", "moons", "-model", "mlp-4", "-max-train", "300", "-set", "epochs=20,batch=20,validation=60,warmup=5,learning_rate=.02")
	rows := write(t, "rows.csv", "0.5,0.25\n300,-200\n")
	stored := filepath.Join(dir, "predictor.json")

	t.Run("describes a new predictor once", func(t *testing.T) {
		_, err := os.Stat(stored)
		if err == nil {
			t.Fatal("a predictor is stored already")
		}
		out, also, err := predictedWithNotices(t, dir)
		if n := strings.Count(out+also, "exchangeable"); err != nil || n != 1 {
			t.Errorf("%v; the description is there %d times:\n%s%s", err, n, out, also)
		}
		if err := os.Remove(stored); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("fits, stores and decides", func(t *testing.T) {
		out, err := predicted(t, dir, rows)
		if !errors.Is(err, errRefused) {
			t.Errorf("error %v, want that some are refused", err)
		}
		lines := strings.Split(out, "\n")
		if len(lines) < 3 || !strings.Contains(lines[1], "rows.csv row 0") || !strings.Contains(lines[1], "answered") ||
			!strings.Contains(lines[2], "refused: ") || !strings.Contains(lines[2], "input score is -") {
			t.Errorf("it prints\n%s", out)
		}
		if _, err := os.Stat(stored); err != nil {
			t.Error(err)
		}
	})

	t.Run("says that other code trained the run", func(t *testing.T) {
		path := filepath.Join(dir, "cost.json")
		cost, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, bytes.ReplaceAll(cost, []byte(ngebm.Source()), []byte("0123456789ab")), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, notices, err := predictedWithNotices(t, dir, rows)
		if !errors.Is(err, errRefused) || !strings.Contains(notices, "note: it was trained by other code than this (source 0123456789ab") {
			t.Errorf("%v, notices %q", err, notices)
		}
		if err := os.WriteFile(path, cost, 0o644); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("prints JSON", func(t *testing.T) {
		out, err := predicted(t, dir, rows, "-o", "-")
		var r decisions
		if e := json.Unmarshal([]byte(out), &r); e != nil || !errors.Is(err, errRefused) {
			t.Fatalf("%v, %v:\n%s", e, err, out)
		}
		if len(r.Decisions) != 2 || r.Run == "" {
			t.Fatalf("%+v", r)
		}
		for i, d := range r.Decisions {
			if d.File != rows || *d.Row != i || d.Refused != (i == 1) || d.Probability < .5 || d.Class == "" {
				t.Errorf("row %d: %+v", i, d)
			}
		}
	})

	t.Run("describes what is stored, or fits again", func(t *testing.T) {
		before, err := predicted(t, dir)
		if err != nil || !strings.Contains(before, "60 validation examples") || !strings.Contains(before, "exchangeable") {
			t.Errorf("%v\n%s", err, before)
		}
		how := []string{"-sets", "aps", "-randomized", "-scores", "py", dir}
		after, notices, err := predictedWithNotices(t, how...)
		if err != nil || !strings.Contains(after, "sets: aps") || !strings.Contains(after, "MSP (py)") || strings.Contains(after, "input score") {
			t.Errorf("%v\n%s", err, after)
		}
		if again, err := predicted(t, "-data", "moons", dir); err != nil || again != before || !strings.Contains(notices, "the stored one stays as it is (add -refit to replace it)") {
			t.Errorf("%v; without -refit, stored is\n%s\nwant\n%s\nand it says %q", err, again, before, notices)
		}
		if refitted, err := predicted(t, append([]string{"-refit"}, how...)...); err != nil || refitted != after {
			t.Errorf("%v; with -refit it is\n%s\nwant\n%s", err, refitted, after)
		}
		if again, err := predicted(t, dir); err != nil || again != after {
			t.Errorf("%v; stored is\n%s\nwant\n%s", err, again, after)
		}
	})

	t.Run("answers for the other files", func(t *testing.T) {
		wide, missing := write(t, "wide.csv", "1,2,3\n"), filepath.Join(t.TempDir(), "none.csv")
		out, err := predicted(t, dir, wide, rows, missing, "-o", "-")
		testerror.Want(t, err, "none.csv", "no such file", "2 of 3 files cannot be used")
		nothing := filepath.Join(t.TempDir(), "nothing.json")
		if _, err := predicted(t, "-o", nothing, dir, missing); err == nil {
			t.Error("a file that is not there is no error")
		}
		if got, err := os.ReadFile(nothing); err != nil || !strings.Contains(string(got), `"decisions": []`) {
			t.Errorf("where no file can be used, the results are %s (%v)", got, err)
		}
		whole := write(t, "whole.json", "whole")
		_, failed := predicted(t, "-o", whole, dir, missing)
		testerror.Want(t, failed, "1 of 1 files cannot be used", `whole.json" is as it was`)
		if kept, err := os.ReadFile(whole); err != nil || string(kept) != "whole" {
			t.Errorf("the file of before holds %q (%v)", kept, err)
		}
		if errors.Is(err, errRefused) {
			t.Error("the status is that of a refusal")
		}
		var r decisions
		if e := json.Unmarshal([]byte(out), &r); e != nil || len(r.Decisions) != 2 || len(r.Unusable) != 2 {
			t.Fatalf("%v: %+v", e, r)
		}
		if bad := r.Unusable[0]; bad.File != wide || !strings.Contains(bad.Error, "rows of 3 values") {
			t.Errorf("%+v", bad)
		}
	})

	t.Run("keeps what is decided when it is stopped", func(t *testing.T) {
		d, err := openPredictor(t.Context(), testdevice.Open(t, "go"), dir, "", predict.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		whole, fresh := write(t, "whole.json", "whole"), filepath.Join(t.TempDir(), "part.json")
		for _, out := range []string{"", whole, fresh} {
			var printed bytes.Buffer
			err := d.decide(&ending{context.Background(), 2}, []string{rows, rows}, out, &printed)
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 of 2 files are done") || strings.Count(printed.String(), "rows.csv row") != 2 {
				t.Errorf("-o %q: %v\n%s", out, err, &printed)
			}
		}
		if kept, err := os.ReadFile(whole); err != nil || string(kept) != "whole" {
			t.Errorf("the file of before holds %q (%v)", kept, err)
		}
		if part, err := os.ReadFile(fresh); err != nil || bytes.Count(part, []byte(`"row"`)) != 2 {
			t.Errorf("the new file holds %q (%v)", part, err)
		}
		if err := d.decide(&ending{context.Background(), 0}, []string{rows}, fresh+"2", io.Discard); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := os.Stat(fresh + "2"); err == nil {
			t.Error("a file without decisions is written")
		}
	})

	t.Run("names what is wrong", func(t *testing.T) {
		wide, missing := write(t, "wide.csv", "1,2,3\n4,5,6\n"), filepath.Join(t.TempDir(), "none.csv")
		for _, c := range []struct {
			args, want []string
		}{
			{nil, []string{"no run is given"}},
			{[]string{filepath.Join(t.TempDir(), "none"), rows}, []string{"holds no run"}},
			{[]string{dir, wide}, []string{"wide.csv", "rows of 3 values", "takes 2"}},
			{[]string{dir, missing}, []string{"none.csv", "no such file"}},
			{[]string{dir, "-alpha", "0"}, []string{"-alpha", "between 0 and 1"}},
			{[]string{filepath.Join(t.TempDir(), "none"), "-alpha", "2"}, []string{"alpha is 2", "between 0 and 1"}}, // before anything is loaded
			{[]string{dir, "-delta", ".1"}, []string{"-delta has no effect without -risk"}},
			{[]string{dir, "-sets", "raps", "-rank", "2"}, []string{"-sets raps without a penalty is aps; give -penalty"}},
			{[]string{dir, "-scores", "none", "-false-alarms", ".01"}, []string{"-false-alarms has no effect with -scores none"}},
			{[]string{dir, "-sets", "aps", "-seed", "3"}, []string{"-seed has no effect without -randomized"}},
			{[]string{dir, "-data", "digits", "-refit"}, []string{"digits holds images of 8x8x1", "trained on points of 2 numbers", "name those data once: ngebm predict"}},
			{[]string{dir, "-alpha", ".001"}, []string{"60 held-out examples", "needs 999"}},
			{[]string{dir, "-scores", "pz"}, []string{`no score "pz"`, "px"}},
			{[]string{dir, "-sets", "best"}, []string{`"best"`, "lac, aps or raps"}},
			{[]string{dir, "-o", "/nowhere/x.json", rows}, []string{"-o", "folder does not exist"}},
			{[]string{dir, "-o", rows, rows}, []string{"-o names the input", "would be lost"}},
		} {
			_, err := predicted(t, c.args...)
			testerror.Want(t, err, c.want...)
		}
	})
}

// The outliers are part of the run's hash. Runs of before SynthesizeOutliers have those of SynthesizeOOD.
func TestPredictAfterOutliers(t *testing.T) {
	dir := trainedOn(t, "-preset", "moons", "-model", "mlp-4", "-max-train", "300", "-method", "energy-margin", "-set", "epochs=20,batch=20,validation=60,warmup=5,learning_rate=.02")
	for _, dir := range []string{dir, withEarlierOutliers(t, dir)} {
		if out, err := predicted(t, dir); err != nil || !strings.Contains(out, "60 validation examples") {
			t.Errorf("%s: %v\n%s", dir, err, out)
		}
	}
	other := filepath.Join(t.TempDir(), "renamed")
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(other, "predictor.json")); err != nil {
		t.Fatal(err)
	}
	_, err := predicted(t, other)
	testerror.Want(t, err, "was renamed", "its folder is "+filepath.Base(dir))
}

// withEarlierOutliers stores a run with the configuration and the weights of another, and with the outliers
// of earlier versions.
func withEarlierOutliers(t *testing.T, dir string) string {
	t.Helper()
	backend := testdevice.Open(t, "go")
	loaded, err := ngebm.Load(t.Context(), backend, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	cfg := loaded.Config
	trainSet, test, err := data.Open(t.Context(), cfg.Data, data.Options{Limit: cfg.Limit})
	if err != nil {
		t.Fatal(err)
	}
	outliers, err := trainSet.SynthesizeOOD(cfg.Margin.Outliers, cfg.Seed)
	if err != nil {
		t.Fatal(err)
	}
	run, err := ngebm.NewRun(backend, cfg, ngebm.Setup{Runs: filepath.Dir(dir), Train: trainSet, Test: test, Outliers: outliers})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	err = loaded.Classifier.Weights(func(name string, value *tensors.Tensor) error {
		own, err := value.LocalClone()
		if err != nil {
			return err
		}
		return run.Classifier.Store().GetVariable("/net/" + name).SetValue(own)
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := make([]float32, cfg.Epochs)
	run.History = &ngebm.History{StepsPerEpoch: 1, Loss: steps, LearningRate: steps}
	e, err := run.Evaluate(t.Context(), test, nil)
	if err != nil {
		t.Fatal(err)
	}
	run.History.Evaluations = []ngebm.Evaluation{e}
	unlock, err := run.Lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := run.Save(ngebm.LastCheckpoint, nil); err != nil {
		t.Fatal(err)
	}
	return run.Dir
}

func TestPredictImages(t *testing.T) {
	dir := trainedOn(t, "-data", "digits", "-model", "mlp-8", "-max-train", "300", "-set", "epochs=2,batch=20,validation=100,warmup=2,learning_rate=.01")
	picture := func(size int, gray uint8) string {
		img := image.NewGray(image.Rect(0, 0, size, size))
		for i := range img.Pix {
			img.Pix[i] = gray
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		return write(t, "picture.png", b.String())
	}
	out, err := predicted(t, dir, picture(8, 255), "-o", "-")
	var r decisions
	if e := json.Unmarshal([]byte(out), &r); e != nil || !errors.Is(err, errRefused) || len(r.Decisions) != 1 {
		t.Fatalf("%v, %v:\n%s", e, err, out)
	}
	if d := r.Decisions[0]; d.Row != nil || !strings.Contains(d.Why, "input score") {
		t.Errorf("a white image: %+v", d)
	}
	p, err := predict.Load(t.Context(), testdevice.Open(t, "go"), dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Predict(t.Context(), [][]float32{slices.Repeat([]float32{200}, 64)})
	testerror.Want(t, err, "value 0 of input 0 (from 0) is 200; pixels are from -1")
	p.Close()
	bytesOfPixels := write(t, "bytes.csv", strings.TrimSuffix(strings.Repeat("200,", 64), ",")+"\n"+strings.TrimSuffix(strings.Repeat("20,", 64), ",")+"\n")
	for path, want := range map[string]string{picture(9, 1): "9x9", bytesOfPixels: "pixels are from -1", write(t, "text.png", "text"): "does not decode", t.TempDir(): "not a regular file"} {
		_, err := predicted(t, dir, path)
		testerror.Want(t, err, want)
	}
}

// A run does not store the folder of its data; without one the error says how to name it.
func TestPredictRows(t *testing.T) {
	testdisk.Inputs(t, "../../../data/testdata/tables")
	path, err := filepath.Abs("../../../data/testdata/tables/wine.csv")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := write(t, "rows.csv", strings.Join(strings.SplitAfter(string(content), "\n")[:3], ""))
	name := "csv:" + path + "@class"
	dir := trainedOn(t, "-data", name, "-model", "mlp-lrelu-16", "-set", "augment.pad=0,augment.flip=false,epochs=30,batch=16,validation=70,learning_rate=.003,warmup=0")
	_, err = predicted(t, dir, rows)
	testerror.Want(t, err, "no table", "-data csv:/path/to/wine.csv@class")
	_, err = predicted(t, dir, rows, "-data", "digits")
	testerror.Want(t, err, "digits holds images of 8x8x1", "trained on rows of a table, encoded as 13 numbers", "-data csv:/path/to/wine.csv@class")
	// Nor is a file elsewhere read because the run of an outsider names its folder.
	config := filepath.Join(dir, "config.json")
	stored, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(stored), `"csv:wine.csv@class"`, `"`+name+`"`, 1)
	if err := os.WriteFile(config, []byte(forged), 0o644); err != nil || forged == string(stored) {
		t.Fatalf("%s is not changed (%v)", config, err)
	}
	_, err = predicted(t, dir, rows)
	testerror.Want(t, err, "the predictor is fitted on the run's validation split", "say so once: ngebm predict")
	if out, err := predicted(t, dir, rows, "-data", name); err != nil || strings.Count(out, "class_0") < 2 {
		t.Errorf("%v\n%s", err, out)
	}
	_, err = predicted(t, dir, write(t, "bad.csv", "alcohol\n3\n"))
	testerror.Want(t, err, "bad.csv", `no column "malic_acid"`)
}

func TestElsewhere(t *testing.T) {
	for set, want := range map[string]string{
		"csv:wine.csv@class": "csv:/path/to/wine.csv@class", "csv:wine.csv@mg/l": "csv:/path/to/wine.csv@mg/l", "csv:a@b.csv@1": "csv:/path/to/a@b.csv@1",
		"csv:train.csv,test.csv@class": "csv:/path/to/train.csv,/path/to/test.csv@class",
		"folder:pets@64":               "folder:/path/to/pets@64", "celeba:faces.zip": "celeba:/path/to/faces.zip",
		"digits": "digits", "celeba@64": "celeba@64", "moons:200": "moons:200", "cifar10-c:fog/3": "cifar10-c:fog/3",
	} {
		if got := elsewhere(set); got != want {
			t.Errorf("%s becomes %s, not %s", set, got, want)
		}
	}
}

// Only data that have a folder can be in another one.
func TestWhereTheDataAre(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		ctx        context.Context
		trained    string
		mayBeOther bool
	}{{t.Context(), "csv:none.csv@y", true}, {stopped, "csv:none.csv@y", false}, {t.Context(), "digits", false}} {
		loaded := &ngebm.Run{Dir: "run", Config: ngebm.Config{Data: c.trained}}
		_, err := withData(c.ctx, nil, loaded, "csv:nowhere/none.csv@y", predict.Options{})
		testerror.Want(t, err, "the predictor is fitted on the run's validation split: ")
		if err != nil && strings.Contains(err.Error(), "in another folder") != c.mayBeOther {
			t.Errorf("%s: %v; want that it may be in another folder: %v", c.trained, err, c.mayBeOther)
		}
	}
}

// Images that no file gives are read from files of numbers.
func TestNumbersOfImages(t *testing.T) {
	net, err := nets.Parse("mlp-4")
	if err != nil {
		t.Fatal(err)
	}
	classifier, err := ngebm.NewClassifier(testdevice.Open(t, "go"), net, 1, []int{2, 2, 2}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	read := newInputReader(&ngebm.Run{Config: ngebm.Config{Data: "npz:set.npz"}, Classifier: classifier})
	inputs, _, err := read.file(t.Context(), write(t, "x.csv", "-1,0,.5,1,0,0,0,0\n"))
	if err != nil || len(inputs) != 1 || inputs[0][2] != .5 {
		t.Errorf("%v, %v", inputs, err)
	}
	_, _, err = read.file(t.Context(), write(t, "x.csv", "-1,0,.5,2,0,0,0,0\n"))
	testerror.Want(t, err, "pixels are from -1")
	_, _, err = read.file(t.Context(), write(t, "x.png", ""))
	testerror.Want(t, err, "takes no image files", "1 or 3 channels", ".npy")
	if strings.Contains(err.Error(), ".zst") || strings.Contains(err.Error(), ".xz") {
		t.Errorf("it offers what is refused: %v", err)
	}
	for name, start := range map[string]string{"x.csv.zst": "\x28\xb5\x2f\xfd", "x.csv.xz": "\xfd7zXZ\x00"} {
		_, _, err = read.file(t.Context(), write(t, name, start))
		testerror.Want(t, err, "unpack it first")
	}
}

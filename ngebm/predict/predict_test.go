package predict_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/train"
)

func TestMain(m *testing.M) { os.Exit(testdevice.RunFast(m)) }

// trained returns a small run on two moons with a validation split.
func trained(t *testing.T, validation int) (compute.Backend, *ngebm.Run) {
	t.Helper()
	backend := testdevice.Open(t, "cpu")
	cfg := ngebm.DefaultConfig("moons:1400", "mlp-16")
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Validation = 5, 50, 1e-2, validation
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	return backend, run
}

func examples(d *data.Dataset) [][]float32 {
	inputs := make([][]float32, d.Len())
	for i := range inputs {
		inputs[i] = make([]float32, d.Size())
		d.Example(i, inputs[i])
	}
	return inputs
}

func TestPredictor(t *testing.T) {
	backend, run := trained(t, 400)
	all := predict.Options{
		Sets:   conformal.Options{Method: conformal.APS, Alpha: .1, Randomized: true},
		Scores: []string{"px", "pxgrad", "input", "MDS", "ReAct"}, FalseAlarms: .1, Risk: .25, Seed: 3,
	}
	p, err := predict.Fit(t.Context(), run, all)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	inputs := examples(run.Test)
	decisions, err := p.Predict(t.Context(), inputs)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("an input that overflows is the input's fault", func(t *testing.T) {
		far := make([]float32, len(inputs[0]))
		for i := range far {
			far[i] = 3e38
		}
		if _, err := p.Predict(t.Context(), [][]float32{far}); !errors.Is(err, ngebm.ErrNotFinite) {
			t.Errorf("error %v", err)
		}
	})

	t.Run("keeps its promises on test data", func(t *testing.T) {
		covered, alarms, answered, wrong := 0., 0., 0., 0.
		for i, d := range decisions {
			label := run.Test.Labels[i]
			if slices.Contains(d.Set, run.Test.Classes[label]) {
				covered++
			}
			if d.Score <= all.FalseAlarms {
				alarms++
			}
			if !d.Refused {
				answered++
				if d.Label != int(label) {
					wrong++
				}
			}
		}
		n := float64(len(decisions))
		// Four standard deviations of the test set's and the validation split's chance.
		slack := func(p float64) float64 { return 4 * math.Sqrt(p*(1-p)*(1/n+1./400)) }
		if share := covered / n; math.Abs(share-.9) > slack(.9) {
			t.Errorf("%.3f of the sets have the right class, want .9", share)
		}
		if share := alarms / n; share > .1+slack(.1) {
			t.Errorf("%.3f of usual inputs are refused by a score, want .1 or less", share)
		}
		if answered < n/4 || wrong/answered > .25 {
			t.Errorf("%.0f of %.0f are answered, %.0f wrong", answered, n, wrong)
		}
	})

	t.Run("decides as the classifier does", func(t *testing.T) {
		logits, err := run.Classifier.Logits(t.Context(), run.Test)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range decisions {
			if label := slices.Index(logits[i], slices.Max(logits[i])); d.Label != label || d.Class != run.Test.Classes[label] {
				t.Fatalf("example %d: label %d %q, want %d", i, d.Label, d.Class, label)
			}
			want := 1 / (1 + math.Exp((slices.Min(logits[i])-slices.Max(logits[i]))/p.Temperature))
			if math.Abs(d.Probability-want) > 1e-5 {
				t.Fatalf("example %d: probability %v, want %v", i, d.Probability, want)
			}
			if d.Refused != (d.Why != "") {
				t.Fatalf("example %d: refused %v because of %q", i, d.Refused, d.Why)
			}
		}
	})

	t.Run("refuses an input from elsewhere and says why", func(t *testing.T) {
		d, err := p.Predict(t.Context(), [][]float32{{300, -200}})
		if err != nil {
			t.Fatal(err)
		}
		if !d[0].Refused || !strings.Contains(d[0].Why, "input score is -") || d[0].Score > .1 {
			t.Errorf("%+v", d[0])
		}
	})

	t.Run("answers the same whatever else is asked, from any goroutine", func(t *testing.T) {
		var wg sync.WaitGroup
		for start := range 8 {
			wg.Go(func() {
				part := inputs[start*7 : start*7+1+start]
				got, err := p.Predict(t.Context(), part)
				for i := range got {
					near(t, got[i], decisions[start*7+i])
				}
				if err != nil || len(got) != len(part) {
					t.Errorf("%d decisions: %v", len(got), err)
				}
			})
		}
		wg.Wait()
		set, err := p.PredictSet(t.Context(), run.Test)
		if err != nil || len(set) != len(decisions) {
			t.Fatalf("%d decisions: %v", len(set), err)
		}
		for i := range set {
			near(t, set[i], decisions[i])
		}
		if none, err := p.Predict(t.Context(), nil); err != nil || len(none) != 0 {
			t.Errorf("no inputs: %v, %v", none, err)
		}
	})

	t.Run("names bad inputs", func(t *testing.T) {
		_, err := p.Predict(t.Context(), [][]float32{{1, 2}, {1}})
		testerror.Want(t, err, "input 1", "1 values", "shaped [2]")
		_, err = p.Predict(t.Context(), [][]float32{{1, float32(math.NaN())}})
		testerror.Want(t, err, "NaN", "must be finite")
	})

	t.Run("is stored", func(t *testing.T) {
		_, loading := predict.Load(t.Context(), backend, run.Dir)
		_, opening := predict.Open(run)
		for _, err := range []error{loading, opening} {
			testerror.Want(t, err, "has no predictor.json", "or with ngebm predict")
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("without predictor.json: %v", err)
			}
		}
		if err := p.Save(); err != nil {
			t.Fatal(err)
		}
		loaded, err := predict.Load(t.Context(), backend, run.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer loaded.Close()
		got, err := loaded.Predict(t.Context(), inputs)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			near(t, got[i], decisions[i])
		}
		if len(loaded.Notes) > 0 {
			t.Errorf("what fitted it is another: %q", loaded.Notes)
		}
		if loaded.String() != p.String() || !strings.Contains(p.String(), "exchangeable") {
			t.Errorf("it says\n%s\nand stored\n%s", p, loaded)
		}
	})

	t.Run("is refused with other weights, classes or inputs", func(t *testing.T) {
		path := filepath.Join(run.Dir, "predictor.json")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for want, change := range map[string]func(m map[string]any){
			"was changed after it was fitted": func(m map[string]any) { m["temperature"] = 2. },
			"has version 9":                   func(m map[string]any) { m["version"] = 9. },
			"cannot be read":                  func(m map[string]any) { m["scores"] = "none" },
		} {
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			b, _ := json.Marshal(m)
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := predict.Open(run)
			testerror.Want(t, err, want, "fit it again")
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, change := range []func(r *ngebm.Run, c *ngebm.Classifier) string{
			func(r *ngebm.Run, c *ngebm.Classifier) string { c.Classes = []string{"a", "b"}; return "classes" },
			func(r *ngebm.Run, c *ngebm.Classifier) string { c.Shape = []int{3}; return "shape [2]" },
			func(r *ngebm.Run, c *ngebm.Classifier) string { r.Hash = "0123456789ab"; return "is of run" },
		} {
			other, c := *run, ngebm.Classifier{Classes: run.Classifier.Classes, Shape: run.Classifier.Shape}
			other.Classifier = &c
			want := change(&other, &c)
			_, err := predict.Open(&other)
			testerror.Want(t, err, want, "fit it again")
		}
		if err := run.Save(ngebm.LastCheckpoint, nil); err != nil {
			t.Fatal(err)
		}
		checkpoint := filepath.Join(run.Dir, "checkpoint.ngebm")
		b, err := os.ReadFile(checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(checkpoint, append(b, 0), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = predict.Open(run)
		testerror.Want(t, err, "is of other weights", "fit it again")
	})

	t.Run("cannot be used once it is closed", func(t *testing.T) {
		p.Close()
		p.Close()
		_, err := p.Predict(t.Context(), inputs[:1])
		testerror.Want(t, err, "closed")
	})
}

// near compares decisions that differ by rounding at most: the batch may be another.
func near(t *testing.T, got, want predict.Decision) {
	t.Helper()
	if math.Abs(got.Probability-want.Probability) > 1e-5 || math.Abs(got.Energy-want.Energy) > 1e-4 || math.Abs(got.Score-want.Score) > .01 {
		t.Errorf("%+v, want %+v", got, want)
	}
	got.Probability, got.Energy, got.Score, got.Why = want.Probability, want.Energy, want.Score, want.Why
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Vector scaling changes the probability, and neither classes nor sets.
func TestVectorScaling(t *testing.T) {
	_, run := trained(t, 400)
	inputs := examples(run.Test)
	var found [2][]predict.Decision
	for i, method := range []predict.Calibration{predict.TemperatureScaling, predict.VectorScaling} {
		p, err := predict.Fit(t.Context(), run, predict.Options{Calibration: method})
		if err == nil {
			err = p.Save()
		}
		if err == nil {
			p, err = predict.Open(run)
		}
		if err == nil {
			found[i], err = p.Predict(t.Context(), inputs)
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 && (p.Vector == nil || !strings.Contains(p.String(), "vector scaling: scales [")) {
			t.Errorf("it says\n%s", p)
		}
		for j, d := range found[i] {
			if i == 0 {
				continue
			}
			logits, err := run.Classifier.LogitsAt(t.Context(), inputs[j])
			if err != nil {
				t.Fatal(err)
			}
			// Two classes: the logistic function of the scaled logits' difference.
			k, v := d.Label, p.Vector
			other := 1 - k
			want := 1 / (1 + math.Exp(v.Scale[other]*logits[0][other]+v.Shift[other]-v.Scale[k]*logits[0][k]-v.Shift[k]))
			if math.Abs(d.Probability-want) > 1e-5 {
				t.Fatalf("input %d: probability %v, want %v", j, d.Probability, want)
			}
			d.Probability = found[0][j].Probability
			near(t, d, found[0][j])
		}
	}
}

func TestFitRefuses(t *testing.T) {
	_, run := trained(t, 100)
	noise, err := run.Test.SynthesizeOOD("uniform box", 1)
	if err != nil {
		t.Fatal(err)
	}
	lacking := *run
	lacking.Validation = nil
	untrained := *run
	untrained.Train = nil
	none := lacking
	none.Config.Validation = 0
	for name, c := range map[string]struct {
		run     *ngebm.Run
		options predict.Options
		want    []string
	}{
		"sets of too few":      {run, predict.Options{Sets: conformal.Options{Alpha: .001}}, []string{"100 held-out examples", "needs 999", "hold out more"}},
		"a class of too few":   {run, predict.Options{Sets: conformal.Options{Alpha: .01, PerClass: true}}, []string{"of class ", "needs 99"}},
		"false alarms":         {run, predict.Options{FalseAlarms: .01}, []string{"energy (px)", "100 held-out", "0.005", "needs 199"}},
		"a risk of too few":    {run, predict.Options{Risk: .001}, []string{"100 held-out", "risk of 0.001", "hold out more"}},
		"alpha":                {run, predict.Options{Sets: conformal.Options{Alpha: 2}}, []string{"alpha is 2", "between 0 and 1"}},
		"an unknown score":     {run, predict.Options{Scores: []string{"pxx"}}, []string{`"pxx"`, "px"}},
		"another spelling":     {run, predict.Options{Scores: []string{"Energy", "px"}}, []string{"score px is given twice"}},
		"a detector of rows":   {run, predict.Options{Scores: []string{"knn"}}, []string{"kNN cannot be stored", "features of all training examples", "ViM"}},
		"ODIN":                 {run, predict.Options{Scores: []string{"ODIN"}}, []string{"ODIN cannot be stored", "gradient"}},
		"a detector, no data":  {&untrained, predict.Options{Scores: []string{"MDS"}}, []string{"MDS is fitted on the training split", "train the configuration again"}},
		"a calibration":        {run, predict.Options{Calibration: "isotonic"}, []string{`"isotonic"`, "temperature or vector"}},
		"a score twice":        {run, predict.Options{Scores: []string{"px", "px"}}, []string{"given twice"}},
		"no validation split":  {&none, predict.Options{}, []string{"held out no", "validation=N", "need 39"}},
		"a run without data":   {&lacking, predict.Options{}, []string{"without its data", "train its configuration again"}},
		"NaN":                  {run, predict.Options{FalseAlarms: math.NaN()}, []string{"NaN"}},
		"outliers like inputs": {run, predict.Options{Scores: []string{"px"}, Outliers: noise}, []string{"energy (px)", "does not separate", "AUROC", "choose another"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := predict.Fit(t.Context(), c.run, c.options)
			testerror.Want(t, err, c.want...)
		})
	}
}

// Classes may have any names that a set may give them, and outliers a name of any bytes.
func TestStoredNames(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	moons, test, err := data.Open(t.Context(), "moons:700", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	named := func(d *data.Dataset, name string) *data.Dataset {
		other := *d
		other.Name, other.Classes = name, []string{"en\u00a0haut", "下\u3000"}
		out, err := data.New(other)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	cfg := ngebm.DefaultConfig("moons:700", "mlp-16")
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Validation = 5, 50, 1e-2, 100
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir(), TrainSet: named(moons, "mine"), TestSet: named(test, "mine")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	box, err := run.Test.SynthesizeOOD("uniform box", 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := predict.Fit(t.Context(), run, predict.Options{Scores: []string{"input"}, FalseAlarms: .1, Outliers: named(box, "\xfcber")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Save(); err != nil {
		t.Fatal(err)
	}
	stored, err := predict.Load(t.Context(), backend, run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	if !slices.Equal(stored.Classes(), run.Train.Classes) {
		t.Errorf("classes %q", stored.Classes())
	}
}

// mine is a network of a person's own, whose features are not part of its logits' graph.
type mine struct {
	nets.MLP
	scale float64
}

func (mine) String() string { return "mine" }

func (n mine) Features(scope *model.Scope, x *graph.Node) *graph.Node {
	return graph.MulScalar(n.MLP.Features(scope, x), n.scale)
}

// What was fitted on features is not used with those of an edited method, which the run's hash does
// not cover.
func TestOwnFeatures(t *testing.T) {
	backend, runs := testdevice.Open(t, "cpu"), t.TempDir()
	cfg := ngebm.DefaultConfig("moons:400", "")
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Validation = 5, 50, 1e-2, 100
	load := func(scale float64) *ngebm.Run {
		run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Network: mine{nets.MLP{Hidden: []int{4}}, scale}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(run.Close)
		return run
	}
	before, after := load(1), load(2)
	if !after.Loaded || after.Hash != before.Hash {
		t.Fatalf("%v and %v are two runs", before, after)
	}
	measured := func(run *ngebm.Run) int {
		noise, err := run.Test.SynthesizeOOD("uniform box", 1)
		if err == nil {
			_, err = measure.MeasureCached(t.Context(), run, measure.Options{Out: []*data.Dataset{noise}, Detectors: []string{"ReAct"}})
		}
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(run.Dir, "measured-*.json"))
		return len(files)
	}
	for i, want := range []int{1, 1, 2} {
		if got := measured([]*ngebm.Run{before, before, after}[i]); got != want {
			t.Errorf("after %d measurements there are %d reports, want %d", i+1, got, want)
		}
	}
	p, err := predict.Fit(t.Context(), before, predict.Options{Scores: []string{"MDS"}})
	if err == nil {
		err = p.Save()
	}
	if err != nil {
		t.Fatal(err)
	}
	if p, err := predict.Open(before); err != nil {
		t.Errorf("with the features that it was fitted on: %v", err)
	} else {
		p.Close()
	}
	_, err = predict.Open(after)
	testerror.Want(t, err, "is of other features", "fit it again")
}

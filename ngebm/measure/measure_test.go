package measure_test

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/train"
)

// trained is a run that is good enough to be measured.
func trained(t *testing.T) *ngebm.Run {
	t.Helper()
	backend := testdevice.Open(t, "cpu")
	cfg := ngebm.DefaultConfig("digits", "mlp-64")
	cfg.Epochs, cfg.Validation = 10, 200
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestMeasure(t *testing.T) {
	run := trained(t)
	noise, err := run.Test.SynthesizeOOD("uniform noise", 1)
	if err != nil {
		t.Fatal(err)
	}
	options := measure.Options{
		Bootstrap: bootstrap.Options{Resamples: 50, Seed: 1},
		Out:       []*data.Dataset{noise},
		Attacks:   []measure.Plan{{Attack: attack.FGSM(attack.Linf), Epsilons: []float64{.02, .1}, Examples: 100}},
		Seed:      1,
		Detectors: []string{"kNN", "ViM", "ReAct"},
	}
	r, err := measure.MeasureCached(t.Context(), run, options)
	if err != nil {
		t.Fatal(err)
	}

	// The report's parts against the classifier's own answers.
	accuracy, err := run.Classifier.Accuracy(t.Context(), run.Test)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.Calibration.Accuracy-accuracy) > 1e-12 {
		t.Errorf("accuracy %v, the classifier's is %v", r.Calibration.Accuracy, accuracy)
	}
	right, all := 0, 0
	for label, row := range r.Confusion {
		for answer, n := range row {
			all += n
			if label == answer {
				right += n
			}
		}
	}
	if all != run.Test.Len() || float64(right)/float64(all) != accuracy {
		t.Errorf("the confusion matrix counts %d of %d as right, accuracy is %v", right, all, accuracy)
	}
	norms, err := run.Classifier.GradientNorms(t.Context(), run.Test)
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.
	for _, n := range norms {
		mean += n / float64(len(norms))
	}
	if math.Abs(r.GradientNorm.Mean-mean) > 1e-9 || r.GradientNorm.Mean <= 0 {
		t.Errorf("mean gradient norm %v, the classifier's is %v", r.GradientNorm.Mean, mean)
	}
	if r.Calibration.Calibrated == nil || r.Calibration.TOpt <= 0 || r.Calibration.AfterT.Accuracy != r.Calibration.Accuracy {
		t.Errorf("after temperature: %+v", r.Calibration.Calibrated)
	}
	scores := map[string]bool{}
	for _, d := range r.OOD {
		scores[d.Score] = true
		if d.Set.Name != noise.Name || d.In != run.Test.Len() || d.Out != noise.Len() {
			t.Errorf("detection %+v", d)
		}
		for _, c := range ood.Conventions() { // none where all resamples are equal
			if _, ok := d.Intervals[c.Name]; ok != (c.Of(d.Metrics) > 0 && c.Of(d.Metrics) < 1) {
				t.Errorf("%s, %s: %v, intervals %v", d.Score, c.Name, c.Of(d.Metrics), d.Intervals)
			}
		}
	}
	for _, name := range []string{"px", "py", "pxgrad", "max_logit", "entropy", "GEN", "ODIN", "kNN", "ViM", "ReAct"} {
		if !scores[name] {
			t.Errorf("no score %s among %v", name, scores)
		}
	}
	if c := r.Robustness[0]; c.N != 100 || len(c.Points) != 2 || c.Points[0].Accuracy < c.Points[1].Accuracy || c.Clean.Accuracy < c.Points[0].Accuracy {
		t.Errorf("robustness %+v", c)
	}
	for _, want := range []string{"mlp-64, 4810 weights", "ECE_midpoint", "at T = ", "uniform noise", "pxgrad", "FGSM Linf", "energy "} {
		if !strings.Contains(r.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, r)
		}
	}

	for _, d := range r.OOD {
		if d.Score == "kNN" && (d.Parameter != 50 || d.AUROC < .9) {
			t.Errorf("kNN with k = %v has AUROC %v on noise", d.Parameter, d.AUROC)
		}
	}

	// It is stored, read again, and measured anew only for other options.
	files := func() int {
		f, _ := filepath.Glob(filepath.Join(run.Dir, "measured-*.json"))
		return len(f)
	}
	again, err := measure.MeasureCached(t.Context(), run, options)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(r)
	b, _ := json.Marshal(again)
	if !reflect.DeepEqual(a, b) || files() != 1 {
		t.Errorf("measured again: equal is %v, %d files", reflect.DeepEqual(a, b), files())
	}
	// A set that is called otherwise since has the name of now.
	renamed, test := *noise, *run.Test
	renamed.Name, renamed.Source, test.Name = "noise", "elsewhere", "digits"
	moved, asked := *run, options
	moved.Test, asked.Out = &test, []*data.Dataset{&renamed}
	if again, err = measure.MeasureCached(t.Context(), &moved, asked); err != nil || files() != 1 {
		t.Fatalf("measured again: %v, %d files", err, files())
	}
	if got := again.Robustness[0].Dataset; again.Data.Name != "digits" || got != "digits" {
		t.Errorf("the test set is called %q, and %q where it is attacked", again.Data.Name, got)
	}
	for _, d := range again.OOD {
		if d.Set.Name != "noise" || d.Set.Source != "elsewhere" {
			t.Errorf("the OOD set is %+v", d.Set)
		}
	}

	options.Bins = 20
	if _, err := measure.MeasureCached(t.Context(), run, options); err != nil || files() != 2 {
		t.Errorf("with other bins: %v, %d files", err, files())
	}

	// A stored report that was spoilt is not passed off as a measurement.
	f, _ := filepath.Glob(filepath.Join(run.Dir, "measured-*.json"))
	for _, path := range f {
		if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := measure.MeasureCached(t.Context(), run, options); err == nil || !strings.Contains(err.Error(), "delete it to measure again") {
		t.Errorf("a spoilt report gives %v", err)
	}

	for want, o := range map[string]measure.Options{
		"it is always measured, so leave it out":                   {Out: options.Out, Detectors: []string{"MSP"}},
		"give Options.Train":                                       {Out: options.Out, Detectors: []string{"kNN"}},
		"which has the same examples as UCI digits, uniform noise": {Out: options.Out, Validation: run.Validation, OODValidation: noise},
		"there are no validation examples":                         {Out: options.Out, Detectors: []string{"kNN"}, Train: run.Train, OODValidation: noise},
		"k is 50; it must be from 1 to the 9":                      {Out: options.Out, Detectors: []string{"kNN"}, Train: nine(t, run.Train)},
	} {
		if _, err := measure.Measure(t.Context(), run.Classifier, run.Test, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}

	odinIsTuned(t, run, noise)

	moons, _, err := data.Open(t.Context(), "moons", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := measure.Measure(t.Context(), run.Classifier, run.Test, measure.Options{Out: []*data.Dataset{moons}}); err == nil || !strings.Contains(err.Error(), "shape [2]") {
		t.Errorf("a set of another shape gives %v", err)
	}
}

// odinIsTuned checks that ODIN has those of OpenOOD's parameters that separate validation examples
// best from the OOD validation set.
func odinIsTuned(t *testing.T, run *ngebm.Run, noise *data.Dataset) {
	t.Helper()
	tuneOn, err := run.Validation.SynthesizeOOD("rotated", 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure.Measure(t.Context(), run.Classifier, run.Test, measure.Options{Out: []*data.Dataset{noise}, Validation: run.Validation, OODValidation: tuneOn})
	if err != nil {
		t.Fatal(err)
	}
	exec, err := run.Classifier.NewExec(func(logits func(*graph.Node) *graph.Node, in []*graph.Node) (scores []*graph.Node) {
		for _, p := range ood.ODINCandidates() {
			scores = append(scores, ood.ODIN(logits, in[0], p.Temperature, 2*p.Epsilon))
		}
		return scores
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	var scores [2][][]float64
	for i, set := range []*data.Dataset{run.Validation, tuneOn} {
		if scores[i], err = run.Classifier.Apply(t.Context(), exec, set, nil); err != nil {
			t.Fatal(err)
		}
	}
	best, want := -1., ""
	for i, p := range ood.ODINCandidates() {
		auroc, err := ood.AUROC(scores[0][i], scores[1][i])
		if err != nil {
			t.Fatal(err)
		}
		if auroc > best {
			best, want = auroc, p.String()
		}
	}
	for _, d := range r.OOD {
		if d.Score == "ODIN" && d.Is != want {
			t.Errorf("ODIN is %q, want %q", d.Is, want)
		}
	}
}

// nine are the first nine examples.
func nine(t *testing.T, d *data.Dataset) *data.Dataset {
	t.Helper()
	part, err := d.Subset(d.Split, []int{0, 1, 2, 3, 4, 5, 6, 7, 8})
	if err != nil {
		t.Fatal(err)
	}
	return part
}

// refuses is progress of what should not have begun.
type refuses struct{ t *testing.T }

// Report implements progress.Reporter.
func (r refuses) Report(p progress.Report) { r.t.Errorf("reported %q", p.Task) }

// Labels that the classifier does not have are refused, in the set that is measured and in that
// which the temperature is fitted to.
func TestMeasureOtherClasses(t *testing.T) {
	net, err := nets.Parse("mlp-4")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ngebm.NewClassifier(testdevice.Open(t, "go"), net, 1, []int{2}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	named := func(label int32, classes ...string) *data.Dataset {
		d, err := data.New(data.Dataset{
			Info:  data.Info{Name: "points", Split: "test", Classes: classes},
			Shape: []int{2}, Points: []float32{0, 0, 1, 1}, Labels: []int32{0, label},
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	set := func(label int32) *data.Dataset { return named(label, []string{"a", "b", "c"}[:max(2, label+1)]...) }
	for name, o := range map[string]struct {
		in *data.Dataset
		measure.Options
	}{
		"test":       {set(2), measure.Options{}},
		"validation": {set(1), measure.Options{Validation: set(2)}},
	} {
		if _, err := measure.Measure(t.Context(), c, o.in, o.Options); err == nil || !strings.Contains(err.Error(), "class 2, counted from 0, and the classifier has 2 classes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, measured := measure.Measure(t.Context(), c, named(1, "b", "a"), measure.Options{})
	_, validated := measure.Measure(t.Context(), c, set(1), measure.Options{Validation: named(1, "b", "a")})
	_, shifted := measure.Shifts(t.Context(), c, named(1, "b", "a"), nil, 1)
	_, fitted := measure.Shifts(t.Context(), c, set(1), named(1, "b", "a"), 1)
	for _, err := range []error{measured, validated, shifted, fitted} {
		testerror.Want(t, err, `points has 2 classes, "b, a", and the classifier 2, "a, b"; give a set of the same classes in one order`)
	}
	// Options that cannot be carried out are refused before anything is computed: progress is not reported.
	plan := func(change func(*measure.Plan)) []measure.Plan {
		bad := measure.Plan{Attack: attack.FGSM(attack.Linf), Epsilons: []float64{.1}}
		change(&bad)
		return []measure.Plan{{Attack: attack.FGSM(attack.Linf), Epsilons: []float64{.1}}, bad}
	}
	for want, o := range map[string]measure.Options{
		"noise":                      {Refine: jem.Refinement{Steps: 3, Noise: -1}},
		"an attack on -1 examples":   {Attacks: plan(func(p *measure.Plan) { p.Examples = -1 })},
		"the list of ε is empty":     {Attacks: plan(func(p *measure.Plan) { p.Epsilons = nil })},
		"the attack is nil":          {Attacks: plan(func(p *measure.Plan) { p.Attack = nil })},
		"0 steps":                    {Attacks: plan(func(p *measure.Plan) { p.Attack = attack.PGD{Norm: attack.Linf} })},
		"at least 4 classes":         {Attacks: plan(func(p *measure.Plan) { p.Attack = attack.Standard(attack.Linf) })},
		"-1 examples are attacked":   {AttackBatch: -1},
		"15 bins for the 2 examples": {Bins: 15},
		"level is 2":                 {Bootstrap: bootstrap.Options{Level: 2}},
		"OOD set 1 (from 0) is nil":  {Out: []*data.Dataset{set(1), nil}},
	} {
		o.Bins = cmp.Or(o.Bins, 2)
		o.Progress = refuses{t}
		if _, err := measure.Measure(t.Context(), c, set(1), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := measure.Measure(t.Context(), c, nil, measure.Options{}); err == nil || !strings.Contains(err.Error(), "the set is nil") {
		t.Errorf("no set: %v", err)
	}
	if _, err := measure.Measure(t.Context(), c, set(1), measure.Options{Bins: 2}); err != nil {
		t.Error(err)
	}
}

package train_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// Each method's run, stopped in the middle and resumed, ends with the bytes of the one
// left alone: the replay buffer, the averages and the ramps are where they were.
func TestEveryMethodResumesExactly(t *testing.T) {
	for name, set := range map[string]string{
		"JEM":            "gamma=0,jem.weight=1,jem.steps=5,jem.step=.01,jem.noise=.1,jem.buffer=50",
		"JEM by class":   "gamma=0,jem.weight=1,jem.joint=1,jem.conditional=true,jem.steps=3,jem.step=.01,jem.noise=.1,jem.buffer=51,jem.start=data,jem.energy_l2=.01",
		"adversarial":    "gamma=0,adversarial.epsilon=.1,adversarial.norm=l2,adversarial.steps=3",
		"margin":         "gamma=0,margin.outliers=far away,margin.in=3,margin.out=1",
		"momentum":       "optimizer=sgd,momentum=.9,nesterov=true,weight_decay=.01,clip_norm=1",
		"controls":       "jacobian=.01,z_loss=.1,input_gradient=.1,logitnorm=.5,input_noise=.1",
		"average, ramps": "ema=.9,ramp_epochs=1,fade_epochs=2,gamma_per_dimension=true,augment.mixup=.5,focal=2",
	} {
		for _, device := range []string{"go", "cpu"} {
			t.Run(name+" on "+device, func(t *testing.T) {
				if device == "cpu" && testing.Short() {
					t.Skip("SKIPPED with -short: it compiles a method three times; pure Go resumes it too")
				}
				backend, cfg := testdevice.Open(t, device), small()
				if err := cfg.Set(set); err != nil {
					t.Fatal(err)
				}
				alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				runs := t.TempDir()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if _, err := train.Run(ctx, backend, cfg, train.Options{Runs: runs, Progress: stopAfter{13, cancel}, SaveEvery: time.Hour}); !errors.Is(err, train.ErrStopped) {
					t.Fatal(err)
				}
				resumed, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, resumed)) {
					t.Error("the resumed run ended with another checkpoint than the one left alone")
				}
				loaded, err := ngebm.Load(t.Context(), backend, resumed.Dir, nil)
				if err != nil {
					t.Fatal(err)
				}
				a, err1 := alone.Classifier.Energies(t.Context(), alone.Test)
				b, err2 := loaded.Classifier.Energies(t.Context(), alone.Test)
				if err := errors.Join(err1, err2); err != nil || !slices.Equal(a, b) {
					t.Errorf("energies when loaded differ (%v)", err)
				}
			})
		}
	}
}

// A checkpoint whose replay buffer is not this run's, or gone, is refused and left alone.
func TestDamagedBuffer(t *testing.T) {
	backend, runs, cfg := testdevice.Open(t, "go"), t.TempDir(), jemOnMoons(.01)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run, err := train.Run(ctx, backend, cfg, train.Options{Runs: runs, Progress: stopAfter{3, cancel}})
	if !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	path, good := filepath.Join(run.Dir, "checkpoint.ngebm"), checkpointOf(t, run)
	for what, c := range map[string]struct{ from, to, want string }{
		"as many values":  {`"shape":[100,2]`, `"shape":[50,4]`, "the replay buffer is (Float32)[50, 4]; this run's holds 100 samples shaped [2]"},
		"another type":    {`"companion:state","dtype":"Float32"`, `"companion:state","dtype":"Int32"`, "the replay buffer is (Int32)[100, 2]"},
		"by another name": {`"companion:state"`, `"companion:gone!"`, `the name "companion:gone!", which no variable has`},
	} {
		n := binary.LittleEndian.Uint64(good[8:])
		head := strings.Replace(string(good[16:16+n]), c.from, c.to, 1)
		if head == string(good[16:16+n]) {
			t.Fatalf("%s: the header has no %s: %.600s", what, c.from, head)
		}
		bad := append(binary.LittleEndian.AppendUint64([]byte("NGEBMCK1"), uint64(len(head))), head...)
		bad = append(bad, good[16+n:len(good)-32]...)
		sum := sha256.Sum256(bad)
		bad = append(bad, sum[:]...)
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
		testerror.Want(t, err, path, c.want, "delete it to restart training")
		if !bytes.Equal(bad, checkpointOf(t, run)) {
			t.Errorf("%s: the file was changed", what)
		}
	}
}

// A run may start from another one's weights, or their average; once begun it needs
// that one no more.
func TestInitFrom(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	base := small()
	base.LearningRate, base.EMA = 1e-2, .5
	first, err := train.Run(t.Context(), backend, base, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	tuned := small()
	tuned.InitFrom, tuned.Epochs, tuned.LearningRate, tuned.Warmup = first.Hash, 1, 1e-12, 0
	second, err := train.Run(t.Context(), backend, tuned, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	a, err1 := first.Classifier.Energies(t.Context(), first.Test) // of the average
	b, err2 := second.Classifier.Energies(t.Context(), first.Test)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if d := a[i] - b[i]; d > 1e-5 || d < -1e-5 {
			t.Fatalf("energy of example %d is %v at the start, %v there where it came from", i, b[i], a[i])
		}
	}
	if second.Hash == first.Hash {
		t.Error("one hash for two runs")
	}
	// Incomplete, of another network, unknown.
	ctx, cancel := context.WithCancel(t.Context())
	long := base
	long.Seed = 9
	half, err := train.Run(ctx, backend, long, train.Options{Runs: runs, Progress: stopAfter{3, cancel}})
	cancel()
	if !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*ngebm.Config)
		want   []string
	}{
		{func(c *ngebm.Config) { c.InitFrom = half.Hash }, []string{half.Hash, "not complete", "train it to its end first"}},
		{func(c *ngebm.Config) { c.Net = "mlp-17" }, []string{first.Hash, "another network", "/net/fc0/"}},
		{func(c *ngebm.Config) { c.InitFrom = "0123456789ab" }, []string{"0123456789ab", runs, "train it first"}},
		{func(c *ngebm.Config) { c.InitFrom = "../*" }, []string{`start is "../*"`, "12 hex digits"}},
	} {
		cfg := tuned
		cfg.Seed = 3
		c.change(&cfg)
		_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
		testerror.Want(t, err, c.want...)
	}
	// Once that run has other weights, trained on another device, those that started before are marked.
	load := func(fresh bool) string {
		run, err := train.Run(t.Context(), backend, tuned, train.Options{Runs: runs, Fresh: fresh})
		if err != nil || run.Loaded == fresh {
			t.Fatalf("%v, %v", run, err)
		}
		return strings.Join(run.Notes, "\n")
	}
	if notes := load(false); notes != "" {
		t.Errorf("notes %q", notes)
	}
	if _, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), base, train.Options{Runs: runs, Fresh: true}); err != nil {
		t.Fatal(err)
	}
	if notes := load(false); !strings.Contains(notes, "it started from other weights than run "+first.Hash+" has now") {
		t.Errorf("notes %q", notes)
	}
	if notes := load(true); notes != "" {
		t.Errorf("trained again, it has the notes %q", notes)
	}
	if err := os.RemoveAll(first.Dir); err != nil {
		t.Fatal(err)
	}
	if again, err := train.Run(t.Context(), backend, tuned, train.Options{Runs: runs}); err != nil || !again.Loaded {
		t.Errorf("without the run it started from: %v", err)
	}
}

// Adversarial training buys robustness, the margin low energies far away; both beside
// cross-entropy, otherwise the same.
func TestMethodsDoWhatTheyAreFor(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it trains three networks and attacks two")
	}
	backend := testdevice.Open(t, "cpu")
	trained := func(set string) *ngebm.Run {
		cfg := ngebm.DefaultConfig("moons:600", "mlp-32-32")
		cfg.Epochs, cfg.LearningRate = 40, 1e-2
		if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	robust := func(r *ngebm.Run) (clean, attacked float64) {
		a, err := attack.New(r.Classifier, attack.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c, err := a.Run(t.Context(), r.Test, attack.PGD{Norm: attack.Linf, Steps: 40, Step: .1, RandomStart: true}, []float64{.3})
		if err != nil {
			t.Fatal(err)
		}
		return c.Clean.Accuracy, c.Points[0].Accuracy
	}
	plain := trained("")
	clean, attacked := robust(plain)
	_, hardened := robust(trained("adversarial.epsilon=.3"))
	t.Logf("accuracy %.3f; under PGD at L∞ .3: %.3f, trained adversarially %.3f", clean, attacked, hardened)
	if hardened < attacked+.02 {
		t.Errorf("adversarial training brought the accuracy under attack from %v to %v", attacked, hardened)
	}

	far, err := plain.Test.SynthesizeOOD("uniform box", 7) // other points than the training's
	if err != nil {
		t.Fatal(err)
	}
	gap := func(r *ngebm.Run) float64 {
		in, err1 := r.Classifier.Energies(t.Context(), r.Test)
		out, err2 := r.Classifier.Energies(t.Context(), far)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return stat.Mean(in, nil) - stat.Mean(out, nil)
	}
	before, after := gap(plain), gap(trained("margin.outliers=far away,margin.in=6,margin.out=5"))
	t.Logf("energies of data and of points far away are %.2f apart, with the margin %.2f", before, after)
	if after < before+2 || after < 3 {
		t.Errorf("the margin brought energies from %v apart to %v", before, after)
	}
}

// Outliers may be a dataset, brought to the same size; what is neither is an error that
// says what there is.
func TestOutliers(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	cfg := small()
	cfg.Margin.Outliers = "no such thing"
	_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	testerror.Want(t, err, `margin.outliers is "no such thing"`, "uniform box")
	cfg.Margin.Outliers = "digits"
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	testerror.Want(t, err, `margin.outliers is "digits"`, "[8 8 1]", "[2]")
	cfg.Margin.Outliers, cfg.Batch, cfg.Validation = "moons:30", 40, 0
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	testerror.Want(t, err, `margin.outliers is "moons:30"`, "batch size 40", "30 examples")
}

// Noise that a model was trained on is not in the OOD sets of the same seed. Other kinds have too few
// different images of 8x8 pixels for that: "blobs" has black ones in both.
func TestOutliersAreNotInOODSets(t *testing.T) {
	trainSet, test, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"uniform noise", "gaussian noise"} {
		cfg := ngebm.DefaultConfig("digits", "mlp-4")
		cfg.Margin.Outliers, cfg.Validation = kind, 100
		_, validation, err := trainSet.RandomSplit(cfg.Validation, cfg.Seed, "train", "validation")
		if err != nil {
			t.Fatal(err)
		}
		outliers, err := train.OpenOutliers(t.Context(), cfg, trainSet, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		trainedOn := map[string]bool{}
		for i := range outliers.Len() {
			trainedOn[exampleOf(outliers, i)] = true
		}
		for _, held := range []*data.Dataset{test, validation} {
			ood, err := held.SynthesizeOOD(kind, cfg.Seed)
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for i := range ood.Len() {
				if trainedOn[exampleOf(ood, i)] {
					seen++
				}
			}
			if seen > 0 {
				t.Errorf("%s: %d of %d %s examples are training outliers", kind, seen, ood.Len(), held.Split)
			}
		}
	}
}

// exampleOf is an example as text.
func exampleOf(d *data.Dataset, i int) string {
	x := make([]float32, d.Size())
	d.Example(i, x)
	return fmt.Sprint(x)
}

// Runs of the versions before the rivals came in keep their folders, and a default
// written out is the one left out. The hash of digits-ngebm with epochs=5 is what the
// commit a68d95d gives.
func TestHashesStay(t *testing.T) {
	digits, _, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ngebm.PresetConfig("digits-ngebm")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Epochs = 5
	if got, want := cfg.Hash(digits.Checksum), "bf5d0b9de493"; got != want {
		t.Errorf("the hash of digits-ngebm with epochs=5 is %s, was %s", got, want)
	}
	for _, pair := range [][2]string{
		{"", "ema=0,jem.weight=0,margin.weight=0"},
		{"jem.weight=1", "jem.weight=1,jem.steps=20,jem.step=1,jem.noise=.01,jem.buffer=10000,jem.restart=.05,jem.start=uniform,jem.max_gap=100"},
		{"adversarial.epsilon=.1", "adversarial.epsilon=.1,adversarial.norm=linf,adversarial.steps=10,adversarial.step=.025"},
		{"margin.outliers=far away", "margin.outliers=far away,margin.weight=.1,margin.in=23,margin.out=5"},
		{"recover.times=2", "recover.times=2,recover.shrink=.5"},
	} {
		var hashes [2]string
		for i, set := range pair {
			c := ngebm.DefaultConfig("moons", "mlp-8")
			if err := c.Set(set); err != nil {
				t.Fatal(err)
			}
			hashes[i] = c.Hash("d")
		}
		if hashes[0] != hashes[1] {
			t.Errorf("%q is %s, %q is %s", pair[0], hashes[0], pair[1], hashes[1])
		}
	}
}

// The presets' hashes, on data with the checksum "data", are those of revision 1a18e98, but for
// cifar10-cpu, which issue 23 made larger.
func TestPresetHashesStay(t *testing.T) {
	want := map[string]string{
		"moons":             "a0cbb0dd8807",
		"digits":            "866cdc47fdc8",
		"digits-ngebm":      "d1c5da93f588",
		"digits-few":        "65bcd385c9e1",
		"moons-few":         "2afbaf04390e",
		"moons-jem":         "4e46d2147ae5",
		"digits-jem":        "50a869613394",
		"cifar10-smoke":     "9b3c5e815fe6",
		"cifar10-cpu":       "d13c7952a7b1",
		"cifar10-wrn16-4":   "9f1af56eb378",
		"cifar10-wrn28-10":  "507e3511fec4",
		"cifar100-wrn28-10": "507e3511fec4",
	}
	for _, p := range ngebm.Presets() {
		cfg, err := ngebm.PresetConfig(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Hash("data"); got != want[p.Name] {
			t.Errorf("%s has the hash %q, want %q", p.Name, got, want[p.Name])
		}
		delete(want, p.Name)
	}
	if len(want) > 0 {
		t.Errorf("presets are gone: %v", want)
	}
}

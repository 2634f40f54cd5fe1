package train_test

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// A stepper starts where a run of its configuration starts: its first loss is the
// run's, and its losses fall, for it learns one batch by heart.
func TestStepper(t *testing.T) {
	cfg := small()
	cfg.Augment.Noise, cfg.Validation, cfg.Epochs = 0, 0, 1
	backend := testdevice.Open(t, "cpu")
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := train.NewStepper(backend, cfg, run.Train, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if x, labels := s.Batch(); len(labels) != cfg.Batch || len(x) != 2*cfg.Batch {
		t.Errorf("the batch has %d values and %d labels, want %d and %d", len(x), len(labels), 2*cfg.Batch, cfg.Batch)
	}
	var losses []float64
	for range 50 {
		loss, err := s.Step()
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	if losses[0] != float64(run.History.Loss[0]) {
		t.Errorf("the first loss is %v, a run's is %v", losses[0], run.History.Loss[0])
	}
	if losses[49] >= losses[0] {
		t.Errorf("the loss goes from %v to %v", losses[0], losses[49])
	}
	for want, change := range map[string]func(*ngebm.Config){
		"batch is 0": func(c *ngebm.Config) { c.Batch = 0 },
		`margin.outliers is "uniform box", which only a run has; leave it out`: func(c *ngebm.Config) { c.Margin.Outliers = "uniform box" },
		`start is "0123456789ab", which only a run has; leave it out`:          func(c *ngebm.Config) { c.InitFrom = "0123456789ab" },
		"ema is 0.9, which only a run has; leave it out":                       func(c *ngebm.Config) { c.EMA = .9 },
	} {
		other := cfg
		change(&other)
		_, err := train.NewStepper(backend, other, run.Train, 1, 1)
		testerror.Want(t, err, want)
	}
}

// The convolutions of convnet on 8×8×1 pixels multiply and add, for each position and
// output channel, 9 values of each input channel:
//
//	64·16·9·1 + 16·32·9·16 + 4·64·9·32 + 64·10 = 157312, times 2
func TestOperations(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it compiles convolutional networks")
	}
	cfg := ngebm.DefaultConfig("digits", "convnet")
	cfg.Limit, cfg.Epochs = 64, 1
	run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := run.Classifier.Operations(); err != nil || got != 2*157312 {
		t.Errorf("%v operations, want %d (%v)", got, 2*157312, err)
	}

	// A Wide ResNet's, some of which are computed by tiles on the CPU: 8×8 positions, from the
	// second group's stride on 4×4, then 2×2.
	want := 64*16*9*1 + // the first convolution
		64*64*(9*16+9*64+16) + // each group's two, and the 1×1 beside them
		64*128*9*64 + 16*128*(9*128+64) +
		16*256*9*128 + 4*256*(9*256+128) +
		256*10
	cfg.Net = "wrn-10-4"
	s, err := train.NewStepper(testdevice.Open(t, "cpu"), cfg, run.Train, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Classifier().Operations(); err != nil || got != float64(2*want) {
		t.Errorf("%v operations of %s, want %d (%v)", got, cfg.Net, 2*want, err)
	}

	var names []string
	weights := 0
	if err := run.Classifier.Weights(func(name string, value *tensors.Tensor) error {
		names, weights = append(names, name), weights+value.Size()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	wantNames := []string{"conv0/bias", "conv0/weight", "conv1/bias", "conv1/weight", "conv2/bias", "conv2/weight", "linear/bias", "linear/weight"}
	if !slices.Equal(names, wantNames) || weights != run.Classifier.Parameters() {
		t.Errorf("weights are %v, %d values; want %v, %d", names, weights, wantNames, run.Classifier.Parameters())
	}
}

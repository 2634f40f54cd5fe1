package ngebm

import (
	"slices"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm/device"
	"ngebm/ngebm/progress"
)

// BenchmarkTrain is what Train makes of the bare step: its batches, augmentation,
// history, reports and checkpoints included. An epoch of Train and as many runs of the
// bare executable take turns; it reports the ratio of their speeds.
//
//	go test ./ngebm -run - -bench Train
func BenchmarkTrain(b *testing.B) {
	dev, err := device.Open("", progress.Silent{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, net, set string
		train          *data.Dataset
		epochs         int
	}{
		{"WRN-10-2", "wrn-10-2", "beta=.1,gamma=.1,augment.pad=4,augment.flip=true,augment.noise=.03", noise(b, 64*8), 5},
		{"MLP", "mlp-128-128", "beta=.1,gamma=.1,batch=128,augment.noise=.03", plane(b, 128*2000), 5},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				cfg := DefaultConfig("", c.net)
				if err := cfg.Set(c.set); err != nil {
					b.Fatal(err)
				}
				cfg.Epochs = c.epochs
				bare := newBare(b, dev, cfg, c.train)
				var trained, alone []float64
				began := time.Now()
				watch := func(r *Run) {
					trained = append(trained, time.Since(began).Seconds())
					alone = append(alone, bare(r.History.StepsPerEpoch))
					began = time.Now()
				}
				test, err := c.train.Subset("test", []int{0, 1})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Train(b.Context(), dev.Backend, cfg, Options{Runs: b.TempDir(), TrainSet: c.train, TestSet: test, Watch: watch}); err != nil {
					b.Fatal(err)
				}
				trained, alone = trained[1:], alone[1:] // the first epoch compiles
				slices.Sort(trained)
				slices.Sort(alone)
				steps := float64(c.train.Len() / cfg.Batch)
				b.ReportMetric(1e3*trained[len(trained)/2]/steps, "ms/step")
				b.ReportMetric(1e3*alone[len(alone)/2]/steps, "ms/bare-step")
				b.ReportMetric(alone[len(alone)/2]/trained[len(trained)/2], "of-the-bare-step")
			}
		})
	}
}

// newBare returns a function that runs the step's executable alone so many times, with
// inputs that lie on the device, and says how many seconds that took.
func newBare(b *testing.B, dev *device.Device, cfg Config, train *data.Dataset) func(steps int) float64 {
	s, err := NewStepper(dev.Backend, cfg, train, 1)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.prepare(); err != nil {
		b.Fatal(err)
	}
	t, batch := s.trainer, s.batch
	x := tensors.FromFlatDataAndDimensions(batch.X, append([]int{cfg.Batch}, train.Shape...)...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, cfg.Batch)
	args := list(t.run.Config, inputs[any]{x: x, labels: labels, rate: float32(1e-4)})
	return func(steps int) float64 {
		began := time.Now()
		for range steps {
			out, err := t.step.Exec(args...)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tensors.CopyFlatData[float32](out[0]); err != nil { // waits for it
				b.Fatal(err)
			}
			if err := release(out...); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began).Seconds()
	}
}

// plane is a set of random points in two classes.
func plane(b *testing.B, n int) *data.Dataset {
	d := data.Dataset{Info: data.Info{Name: "points", Split: "train", Classes: []string{"0", "1"}}, Shape: []int{2}, Points: make([]float32, 2*n), Labels: make([]int32, n)}
	for i := range d.Points {
		d.Points[i] = float32(i*2654435761>>7%1000)/500 - 1
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 2)
	}
	set, err := data.New(d)
	if err != nil {
		b.Fatal(err)
	}
	return set
}

package train

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/testdevice"
)

// BenchmarkTrain is what Train makes of the bare step: its batches, augmentation,
// history, reports and checkpoints included. An epoch of Train and as many runs of the
// bare executable take turns; it reports the ratio of their speeds, and that of the
// processor's time, which says more where the machine is busy.
//
//	go test ./ngebm -run - -bench Train
func BenchmarkTrain(b *testing.B) {
	backend := testdevice.Open(b, "")
	for _, c := range []struct {
		name, net, set string
		train          *data.Dataset
		epochs         int
	}{
		{"WRN-10-2", "wrn-10-2", "beta=.1,gamma=.1,augment.pad=4,augment.flip=true,augment.noise=.03", noise(b, 64*5), 6},
		{"MLP", "mlp-128-128", "beta=.1,gamma=.1,batch=128,augment.noise=.03", plane(b, 128*2000), 5},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				cfg := ngebm.DefaultConfig("", c.net)
				if err := cfg.Set(c.set); err != nil {
					b.Fatal(err)
				}
				cfg.Epochs = c.epochs
				bare := newBare(b, backend, cfg, c.train)
				var trained, alone, trainedCPU, aloneCPU []float64
				began, beganCPU := time.Now(), processorTime(b)
				watch := func(r *ngebm.Run) {
					trained, trainedCPU = append(trained, time.Since(began).Seconds()), append(trainedCPU, processorTime(b)-beganCPU)
					began, beganCPU = time.Now(), processorTime(b)
					bare(r.History.StepsPerEpoch)
					alone, aloneCPU = append(alone, time.Since(began).Seconds()), append(aloneCPU, processorTime(b)-beganCPU)
					began, beganCPU = time.Now(), processorTime(b)
				}
				test, err := c.train.Subset("test", []int{0, 1})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Run(b.Context(), backend, cfg, Options{Runs: b.TempDir(), TrainSet: c.train, TestSet: test, OnEpochEnd: watch}); err != nil {
					b.Fatal(err)
				}
				steps := float64(c.train.Len() / cfg.Batch)
				middle := func(all []float64) float64 {
					all = slices.Sorted(slices.Values(all[1:])) // the first epoch compiles
					return all[len(all)/2] / steps
				}
				b.ReportMetric(1e3*middle(trained), "ms/step")
				b.ReportMetric(1e3*middle(alone), "ms/bare-step")
				b.ReportMetric(middle(alone)/middle(trained), "of-the-bare-step")
				b.ReportMetric(middle(aloneCPU)/middle(trainedCPU), "of-the-bare-step's-CPU")
			}
		})
	}
}

// processorTime is what this process used so far, in seconds.
func processorTime(b *testing.B) float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// newBare returns a function that runs the step's executable alone for so many steps,
// with inputs that lie on the device.
func newBare(b *testing.B, backend compute.Backend, cfg ngebm.Config, train *data.Dataset) func(steps int) {
	s, err := NewStepper(backend, cfg, train, 1, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.prepare(); err != nil {
		b.Fatal(err)
	}
	t := s.trainer
	args := []any{int32(t.stepsPerCall)}
	for _, stacked := range t.stacked(s.batches) {
		args = append(args, stacked)
	}
	if t.stepsPerCall == 1 {
		x := tensors.FromFlatDataAndDimensions(s.batches[0].X, append([]int{cfg.Batch}, train.Shape...)...)
		labels := tensors.FromFlatDataAndDimensions(s.batches[0].Labels, cfg.Batch)
		args = pack(cfg, stepInputs[any]{x: x, labels: labels, learningRate: float32(1e-4)})
	}
	return func(steps int) {
		for range steps / t.stepsPerCall {
			out, err := t.step.Exec(args...)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tensors.CopyFlatData[float32](out[0]); err != nil { // waits for it
				b.Fatal(err)
			}
			if err := devmem.Free(out...); err != nil {
				b.Fatal(err)
			}
		}
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

package train

import (
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	_ "ngebm/ngebm/device/heap"
	"ngebm/ngebm/internal/testdevice"
)

// noise is a set of random images in the shape of CIFAR-10.
func noise(b *testing.B, n int) *data.Dataset {
	d := data.Dataset{
		Info:  data.Info{Name: "noise", Split: "train", Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
		Shape: []int{32, 32, 3}, MaxPixel: 255, Pixels: make([]uint8, n*3072), Labels: make([]int32, n),
	}
	for i := range d.Pixels {
		d.Pixels[i] = uint8(i * 2654435761 >> 7)
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 10)
	}
	set, err := data.New(d)
	if err != nil {
		b.Fatal(err)
	}
	return set
}

// BenchmarkStep is one training step of wrn-10-2 on 64 images of 32×32×3. Each reports
// how many times the one before it takes. Cross-entropy makes three convolution-sized
// passes a layer and NG-EBM six, so the floor of their ratio is 2.0; JEM makes 46, two in
// each of 20 SGLD steps and three each for data and samples, 7.7 times NG-EBM's.
func BenchmarkStep(b *testing.B) {
	backend := testdevice.Open(b, "")
	before := 0. // seconds a step
	for _, c := range []struct{ name, set string }{
		{"cross-entropy", ""},
		{"NG-EBM", "beta=.1,gamma=.1"},
		{"JEM", "jem.weight=1,jem.buffer=1000"}, // the size of the buffer is nothing to a step
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg := ngebm.DefaultConfig("", "wrn-10-2")
			if err := cfg.Set(c.set); err != nil {
				b.Fatal(err)
			}
			s, err := NewStepper(backend, cfg, noise(b, 64), 1, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Step(); err != nil { // compiles what is left
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Step(); err != nil {
					b.Fatal(err)
				}
			}
			seconds := b.Elapsed().Seconds() / float64(b.N)
			if before > 0 {
				b.ReportMetric(seconds/before, "times-the-one-before")
			}
			before = seconds
			b.ReportMetric(float64(cfg.Batch)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// BenchmarkEvaluate takes 1,000 images of 32×32×3 through wrn-10-2, without and
// with ‖∂E/∂x‖.
func BenchmarkEvaluate(b *testing.B) {
	backend := testdevice.Open(b, "")
	d := noise(b, 1000)
	cfg := ngebm.DefaultConfig("", "wrn-10-2")
	_, net, err := cfg.Resolve(nil)
	if err != nil {
		b.Fatal(err)
	}
	c, err := ngebm.NewClassifier(backend, net, cfg.Seed, d.Shape, d.Classes)
	if err != nil {
		b.Fatal(err)
	}
	for name, evaluate := range map[string]func() error{
		"logits":         func() error { _, err := c.Logits(b.Context(), d); return err },
		"gradient-norms": func() error { _, err := c.GradientNorms(b.Context(), d); return err },
	} {
		b.Run(name, func(b *testing.B) {
			if err := evaluate(); err != nil { // compiles
				b.Fatal(err)
			}
			for b.Loop() {
				if err := evaluate(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

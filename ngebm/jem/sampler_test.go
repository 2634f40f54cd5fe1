package jem_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/jem"
)

// flat is a model without slopes anywhere, so that its chains are noise alone.
func flat(t *testing.T, classes int) jem.Model {
	t.Helper()
	store := model.NewStore()
	zero := make([]float32, 2*classes)
	if _, err := store.CreateVariable("/net/weight", tensors.FromFlatDataAndDimensions(zero, 2, classes)); err != nil {
		t.Fatal(err)
	}
	return jem.Model{Backend: testdevice.Open(t, "go"), Store: store, Scope: "net", Logits: func(x *Node) *Node {
		return Dot(x, store.GetVariable("/net/weight").NodeValue(x.Graph())).Product()
	}}
}

// clouds is a set of points, class k around (100k, -100k), in proportions of its own.
func clouds(t *testing.T, sizes ...int) *data.Dataset {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	d := data.Dataset{Info: data.Info{Name: "clouds", Split: "train"}, Shape: []int{2}}
	for class, n := range sizes {
		d.Classes = append(d.Classes, string(rune('a'+class)))
		for range n {
			u, v := rng.NormFloat64(), rng.NormFloat64()
			d.Points = append(d.Points, float32(100*float64(class)+2*u), float32(-100*float64(class)+u+.5*v))
			d.Labels = append(d.Labels, int32(class))
		}
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func sampler(t *testing.T, m jem.Model, s jem.Settings, train *data.Dataset, batch int, seed uint64) *jem.Sampler {
	t.Helper()
	out, err := jem.NewSampler(m, s, train, batch, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	if err := out.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

// fill sets every value of slot i of a buffer of points to value(i).
func fill(t *testing.T, s *jem.Sampler, slots int, value func(slot int) float32) {
	t.Helper()
	var all []float32
	for i := range slots {
		all = append(all, value(i), value(i))
	}
	if err := s.SetBuffer(tensors.FromFlatDataAndDimensions(all, slots, 2)); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, s *jem.Sampler, step int, attempt uint64, scale float64) ([]float32, []int32) {
	t.Helper()
	samples, err := s.Next(step, attempt, scale)
	if err != nil {
		t.Fatal(err)
	}
	return values(t, samples.X), samples.Labels
}

// Without slopes a chain of 4 steps of noise .5 is N(0, 1) away from its start: the
// mean of n = 20,000 values is 0 ± 1/√n, their variance 1 ± √(2/n), the share beyond
// two deviations .0455 ± .0015, and neighbors (examples, values, steps) do not
// correlate, ± 1/√n. The test allows four standard errors.
func TestNoise(t *testing.T) {
	const batch, steps, n = 100, 100, 2 * 100 * 100
	s := sampler(t, flat(t, 2), jem.Settings{Weight: 1, Steps: 4, Noise: .5, Restart: 1e-9, Buffer: 50}, clouds(t, 20, 20), batch, 1)
	var all []float64
	for step := range steps {
		fill(t, s, 50, func(int) float32 { return 7 })
		x, _ := next(t, s, step, 0, 1)
		for _, v := range x {
			all = append(all, float64(v)-7)
		}
	}
	var mean, square, beyond float64
	for _, v := range all {
		mean, square = mean+v/n, square+v*v/n
		if math.Abs(v) > 2 {
			beyond += 1. / n
		}
	}
	for _, c := range []struct {
		what              string
		got, want, errors float64
	}{
		{"mean", mean, 0, 1 / math.Sqrt(n)},
		{"variance", square - mean*mean, 1, math.Sqrt(2. / n)},
		{"share beyond 2", beyond, .0455, math.Sqrt(.0455 * .9545 / n)},
	} {
		if math.Abs(c.got-c.want) > 4*c.errors {
			t.Errorf("%s is %v, want %v ± %.2g", c.what, c.got, c.want, c.errors)
		}
	}
	for _, lag := range []int{1, 2, 2 * batch} {
		var c float64
		for i := range n - lag {
			c += all[i] * all[i+lag] / n
		}
		if math.Abs(c) > 4/math.Sqrt(n) {
			t.Errorf("values %d apart correlate by %v", lag, c)
		}
	}
}

// The share of chains that start anew is what was asked, within four standard errors.
func TestRestarts(t *testing.T) {
	for _, share := range []float64{.05, .3, 1} {
		const batch, steps, n = 100, 50, 100 * 50
		s := sampler(t, flat(t, 2), jem.Settings{Weight: 1, Steps: 1, Restart: share, Buffer: 80}, clouds(t, 20, 20), batch, 1)
		fresh := 0.
		for step := range steps {
			fill(t, s, 80, func(int) float32 { return 5000 })
			x, _ := next(t, s, step, 0, 1)
			for i := range batch {
				if x[2*i] < 4000 {
					fresh += 1. / n
				}
			}
		}
		if math.Abs(fresh-share) > 4*math.Sqrt(share*(1-share)/n)+1e-9 {
			t.Errorf("%v of the chains started anew, want %v", fresh, share)
		}
	}
}

// A conditional sampler's buffer keeps the classes apart, the remainder too where they
// do not divide it, and its labels say which class a sample is of.
func TestConditionalBuffer(t *testing.T) {
	const slots, classes, batch = 31, 3, 40
	s := sampler(t, flat(t, classes), jem.Settings{Weight: 1, Joint: 1, Conditional: true, Steps: 2, Restart: .3, Buffer: slots, Start: "data"}, clouds(t, 20, 10, 15), batch, 1)
	class := func(x float32) int { return int(math.Round(float64(x) / 100)) }
	whole := func(when string) {
		v := values(t, s.Buffer())
		for i := range slots {
			if want := i * classes / slots; class(v[2*i]) != want || class(-v[2*i+1]) != want {
				t.Fatalf("%s: slot %d holds (%v, %v), want class %d", when, i, v[2*i], v[2*i+1], want)
			}
		}
	}
	whole("fresh")
	var counts [classes]int
	for step := range 20 {
		x, labels := next(t, s, step, 0, 1)
		for i, label := range labels {
			counts[label]++
			if class(x[2*i]) != int(label) {
				t.Fatalf("sample (%v, %v) is labeled %d", x[2*i], x[2*i+1], label)
			}
		}
		whole("later")
	}
	for k, n := range counts { // 800 draws, a third each: 267 ± 13.3
		if math.Abs(float64(n)-800./3) > 4*13.3+800/slots { // and a slot more or less
			t.Errorf("%d samples of class %d among 800", n, k)
		}
	}
}

// Starts from the data have each class's mean and covariance, the class being that of
// the slot; the standard error of a mean of n normal values is √(Σjj/n), of a
// covariance √((Σii·Σjj + Σij²)/n). Uniform ones fill the box of all points.
func TestStarts(t *testing.T) {
	train := clouds(t, 30, 7)
	const slots, n = 8000, 4000.
	s := sampler(t, flat(t, 2), jem.Settings{Weight: 1, Conditional: true, Buffer: slots, Start: "data"}, train, 10, 1)
	v := values(t, s.Buffer())
	moments := func(points []float32) (mean [2]float64, cov [2][2]float64) {
		n := float64(len(points) / 2)
		for i, p := range points {
			mean[i%2] += float64(p) / n
		}
		for i := 0; i < len(points); i += 2 {
			d := [2]float64{float64(points[i]) - mean[0], float64(points[i+1]) - mean[1]}
			for j := range 2 {
				for k := range 2 {
					cov[j][k] += d[j] * d[k] / n
				}
			}
		}
		return mean, cov
	}
	for class, from := range []int{0, 30} {
		mean, cov := moments(train.Points[2*from : 2*[]int{30, 37}[class]])
		gotMean, gotCov := moments(v[class*slots : (class+1)*slots])
		for j := range 2 {
			if math.Abs(gotMean[j]-mean[j]) > 4*math.Sqrt(cov[j][j]/n) {
				t.Errorf("class %d: mean %v, want %v", class, gotMean, mean)
			}
			for k := range 2 {
				if math.Abs(gotCov[j][k]-cov[j][k]) > 4*math.Sqrt((cov[j][j]*cov[k][k]+cov[j][k]*cov[j][k])/n) {
					t.Errorf("class %d: covariance %v, want %v", class, gotCov, cov)
				}
			}
		}
	}
	low, high := slices.Min(train.Points), slices.Max(train.Points)
	u := values(t, sampler(t, flat(t, 2), jem.Settings{Weight: 1, Buffer: slots}, train, 10, 1).Buffer())
	if a, b := slices.Min(u), slices.Max(u); a < low || b > high || b-a < .99*(high-low) {
		t.Errorf("uniform starts reach from %v to %v, the points from %v to %v", a, b, low, high)
	}
}

// The same seed draws the same samples; a step's are the same whether the step before
// had their noise drawn ahead or not, and another attempt or seed has others.
func TestSamplesFollowFromTheSeed(t *testing.T) {
	train := clouds(t, 20, 20)
	settings := jem.Settings{Weight: 1, Steps: 3, Noise: 1, Buffer: 30, Restart: .2}
	fresh := func(seed uint64) *jem.Sampler { return sampler(t, flat(t, 2), settings, train, 8, seed) }
	a, b := fresh(1), fresh(1)
	var buffers []*tensors.Tensor
	var drawn [][]float32
	for step := range 4 {
		buffers = append(buffers, a.Buffer())
		x, _ := next(t, a, step, 0, 1)
		y, _ := next(t, b, step, 0, 1)
		if !slices.Equal(x, y) {
			t.Fatalf("step %d: the same seed drew other samples", step)
		}
		drawn = append(drawn, x)
	}
	c := fresh(1)
	for _, step := range []int{2, 0, 3, 1} {
		if err := c.SetBuffer(buffers[step]); err != nil {
			t.Fatal(err)
		}
		if x, _ := next(t, c, step, 0, 1); !slices.Equal(x, drawn[step]) {
			t.Errorf("step %d, taken out of turn, drew other samples", step)
		}
	}
	for what, s := range map[string]*jem.Sampler{"seed": fresh(2), "attempt": fresh(1)} {
		if err := s.SetBuffer(buffers[1]); err != nil {
			t.Fatal(err)
		}
		var attempt uint64
		if what == "attempt" {
			attempt = 1
		}
		if x, _ := next(t, s, 1, attempt, 1); slices.Equal(x, drawn[1]) {
			t.Errorf("another %s drew the same samples", what)
		}
	}
	if slices.Equal(drawn[0], drawn[1]) {
		t.Error("two steps drew the same samples")
	}
}

// A step's size is Settings.Step times scale: on a slope of 1 along x, without noise to
// speak of, 5 steps of 2·½ move a sample by 5.
func TestScale(t *testing.T) {
	m := flat(t, 2)
	m.Logits = func(x *Node) *Node {
		return Concatenate([]*Node{Slice(x, AxisRange(), AxisRange(0, 1)), Slice(x, AxisRange(), AxisRange(0, 1))}, 1)
	}
	s := sampler(t, m, jem.Settings{Weight: 1, Steps: 5, Step: 2, Noise: 1e-9, Restart: 1e-9, Buffer: 3}, clouds(t, 5, 5), 4, 1)
	fill(t, s, 3, func(int) float32 { return 1 })
	samples, err := s.Next(0, 0, .5)
	if err != nil {
		t.Fatal(err)
	}
	if x := values(t, samples.X); math.Abs(float64(x[0])-6) > 1e-5 || math.Abs(float64(x[1])-1) > 1e-5 {
		t.Errorf("a sample moved from (1, 1) to %v, want (6, 1)", x[:2])
	}
	if math.Abs(samples.Slope-1) > 1e-6 {
		t.Errorf("slope %v, want 1", samples.Slope)
	}
}

// What draws noise ahead ends, also where nobody asks for the noise.
func TestGoroutinesEnd(t *testing.T) {
	m, train := flat(t, 2), clouds(t, 20, 20)
	before := runtime.NumGoroutine()
	for seed := range uint64(20) {
		s, err := jem.NewSampler(m, jem.Settings{Weight: 1, Steps: 2, Buffer: 30}, train, 8, seed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(0, 0, 1); err == nil || !strings.Contains(err.Error(), "the replay buffer is empty") {
			t.Errorf("before the buffer is filled: %v", err)
		}
		if err := s.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		next(t, s, 0, 0, 1)
		next(t, s, 9, 0, 1) // not the step whose noise is ready
		s.Close()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before+2 { // the runtime's own come and go
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestSamplerRefuses(t *testing.T) {
	s := sampler(t, flat(t, 2), jem.Settings{Weight: 1, Buffer: 6}, clouds(t, 5, 5), 4, 1)
	for _, bad := range []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(make([]float32, 10), 5, 2),
		tensors.FromFlatDataAndDimensions(make([]float32, 12), 4, 3), // as many values
		tensors.FromFlatDataAndDimensions(make([]float64, 12), 6, 2),
	} {
		if err := s.SetBuffer(bad); err == nil || !strings.Contains(err.Error(), "6 samples shaped [2]") {
			t.Errorf("a buffer of %s: %v", bad.Shape(), err)
		}
	}
	_, err := jem.NewSampler(flat(t, 3), jem.Settings{Weight: 1, Conditional: true, Buffer: 2}, clouds(t, 5, 5, 5), 4, 1)
	if err == nil || !strings.Contains(err.Error(), "jem.buffer is 2") || !strings.Contains(err.Error(), "3 classes") {
		t.Errorf("a buffer smaller than the classes: %v", err)
	}
}

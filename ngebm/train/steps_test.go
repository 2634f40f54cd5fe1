package train_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// stepReference is testdata/steps.json; steps.py next to it says what it holds.
type stepReference struct {
	Cases  map[string]struct{ Losses, First, Third []float64 }
	Losses map[string]struct {
		Loss     float64
		Gradient []float64
	}
}

func readSteps(t *testing.T) (want stepReference) {
	t.Helper()
	raw, err := os.ReadFile("testdata/steps.json")
	if err == nil {
		err = json.Unmarshal(raw, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// wave is steps.py's: values that both sides make.
func wave(phase, scale float64, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(scale * math.Sin(phase+1.7*float64(i)))
	}
	return values
}

// waveSet is the batch of steps.py, as a set.
func waveSet(t *testing.T) *data.Dataset {
	t.Helper()
	d, err := data.New(data.Dataset{Info: data.Info{Name: "wave", Classes: []string{"a", "b", "c"}}, Shape: []int{2}, Points: wave(5, 1.5, 16), Labels: []int32{0, 1, 2, 0, 1, 2, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// waveStepper steps from the weights of steps.py.
func waveStepper(t *testing.T, device string, cfg ngebm.Config, stepsPerCall int) *train.Stepper {
	t.Helper()
	s, err := train.NewStepper(testdevice.Open(t, device), cfg, waveSet(t), 1, stepsPerCall)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for path, w := range map[string]struct {
		phase, scale float64
		dims         []int
	}{
		"/net/fc0/bias": {1, .3, []int{6}}, "/net/fc0/weight": {2, .9, []int{2, 6}},
		"/net/fc1/bias": {3, .3, []int{3}}, "/net/fc1/weight": {4, .9, []int{6, 3}},
	} {
		size := w.dims[0]
		if len(w.dims) > 1 {
			size *= w.dims[1]
		}
		if err := s.Classifier().Store().GetVariable(path).SetValue(tensors.FromFlatDataAndDimensions(wave(w.phase, w.scale, size), w.dims...)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// weightsOf are a classifier's weights, sorted by name.
func weightsOf(t *testing.T, c *ngebm.Classifier) []float64 {
	t.Helper()
	byName := map[string][]float32{}
	err := c.Weights(func(name string, value *tensors.Tensor) (err error) {
		byName[name], err = tensors.CopyFlatData[float32](value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for _, name := range []string{"fc0/bias", "fc0/weight", "fc1/bias", "fc1/weight"} {
		for _, v := range byName[name] {
			all = append(all, float64(v))
		}
	}
	return all
}

// differ is max|got-want| / max|want|.
func differ(got, want []float64) float64 {
	largest, scale := 0., 0.
	for i, v := range want {
		largest, scale = max(largest, math.Abs(got[i]-v)), max(scale, math.Abs(v))
	}
	return largest / scale
}

// One training step, and three, end with PyTorch's weights (testdata/steps.py): every
// optimizer, weight decay and clipping, and the controls. The pure-Go backend computes them all, XLA those
// with the most parts, alone and in a loop on the device.
func TestStepsEqualPyTorch(t *testing.T) {
	want := readSteps(t)
	onXLA := []string{"beta=.1,gamma=.1,optimizer=sgd,momentum=.9,nesterov=true,weight_decay=.1"}
	for set, ref := range want.Cases {
		cfg := ngebm.DefaultConfig("wave", "mlp-6")
		cfg.Batch, cfg.LearningRate, cfg.Warmup = 8, .05, 0
		if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		devices := []string{"go 1"}
		if slices.Contains(onXLA, set) && !testing.Short() {
			devices = append(devices, "cpu 1", "cpu 3")
		}
		for _, device := range devices {
			t.Run(set+" on "+device, func(t *testing.T) {
				name, steps, _ := strings.Cut(device, " ")
				s := waveStepper(t, name, cfg, map[string]int{"1": 1, "3": 3}[steps])
				for i := 0; i < 3; i++ {
					loss, err := s.Step()
					if err != nil {
						t.Fatal(err)
					}
					if steps == "3" {
						i = 2
					}
					if d := math.Abs(loss/ref.Losses[i] - 1); !(d < 2e-6) {
						t.Errorf("loss %d is %v, PyTorch's %v", i, loss, ref.Losses[i])
					}
					if after := map[int][]float64{0: ref.First, 2: ref.Third}[i]; after != nil {
						if d := differ(weightsOf(t, s.Classifier()), after); !(d < 1e-6) {
							t.Errorf("after step %d the weights differ by %.2g", i+1, d)
						} else {
							t.Log(fmt.Sprintf("after step %d: %.1e", i+1, d))
						}
					}
				}
			})
		}
	}
	if len(want.Cases) < 18 {
		t.Errorf("%d cases", len(want.Cases))
	}
}

// The loss of every control and its gradient of the weights equal PyTorch's, for given
// outliers and random directions.
func TestControlsEqualPyTorch(t *testing.T) {
	want := readSteps(t)
	double := func(phase, scale float64, dims ...int) *tensors.Tensor {
		size := 1
		for _, d := range dims {
			size *= d
		}
		values := make([]float64, size)
		for i, v := range wave(phase, scale, size) {
			values[i] = float64(v)
		}
		return tensors.FromFlatDataAndDimensions(values, dims...)
	}
	net := nets.MLP{Hidden: []int{6}}
	for set, ref := range want.Losses {
		cfg := ngebm.DefaultConfig("wave", "mlp-6")
		if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		store := model.NewStore()
		for path, value := range map[string]*tensors.Tensor{
			"/net/fc0/bias": double(1, .3, 6), "/net/fc0/weight": double(2, .9, 2, 6),
			"/net/fc1/bias": double(3, .3, 3), "/net/fc1/weight": double(4, .9, 6, 3),
		} {
			if _, err := store.CreateVariable(path, value); err != nil {
				t.Fatal(err)
			}
		}
		exec, err := model.NewExec(testdevice.Open(t, "go"), store, func(_ *model.Scope, in []*graph.Node) []*graph.Node {
			directions := graph.Div(in[3], graph.InsertAxes(energy.Norm(in[3]), -1))
			loss := energy.Total(cfg.Objective([]int{2}).Terms(energy.Inputs{
				Logits: func(x *graph.Node) *graph.Node { return net.Logits(store.RootScope().In("net"), x, 3) },
				X:      in[0], Labels: in[1], Others: in[2], Directions: directions,
			}), nil)
			var weights []*graph.Node
			for _, name := range []string{"fc0/bias", "fc0/weight", "fc1/bias", "fc1/weight"} {
				weights = append(weights, store.GetVariable("/net/"+name).NodeValue(loss.Graph()))
			}
			return append([]*graph.Node{loss}, graph.Gradient(loss, weights...)...)
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Exec(double(5, 1.5, 8, 2), []int32{0, 1, 2, 0, 1, 2, 0, 1}, double(6, 3, 8, 2), double(7, 1, 8, 3))
		if err != nil {
			t.Fatal(set, err)
		}
		var gradient []float64
		for _, g := range out[1:] {
			gradient = append(gradient, reference.Values(t, g)...)
		}
		loss := reference.Values(t, out[0])[0]
		if d := differ(gradient, ref.Gradient); !(d < 1e-9) || !(math.Abs(loss-ref.Loss) < 1e-9) {
			t.Errorf("%s: the loss is %v, PyTorch's %v; gradients differ by %.2g", set, loss, ref.Loss, d)
		}
	}
	if len(want.Losses) < 9 {
		t.Errorf("%d losses", len(want.Losses))
	}
}

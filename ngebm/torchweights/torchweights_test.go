package torchweights_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/format"
	"ngebm/data/testdisk"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/torchweights"
)

var classes = strings.Split("abcdefghij", "")

// safetensorsOf writes arrays as float32, in order of their names but for renames.
func safetensorsOf(t *testing.T, arrays map[string]*format.Array, rename func(string) string) string {
	t.Helper()
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header := map[string]entry{}
	var values []byte
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		start := len(values)
		for _, v := range arrays[name].Floats() {
			values = binary.LittleEndian.AppendUint32(values, math.Float32bits(float32(v)))
		}
		header[rename(name)] = entry{"F32", arrays[name].Shape, [2]int{start, len(values)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	file := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, values)
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The logits of the authors' network are PyTorch's (testdata/reference.py), from both
// kinds of file and under the names of this project's layers too. PyTorch's own float32
// is 3e-7 away from the float64 that is held to here.
func TestLogits(t *testing.T) {
	testdisk.Inputs(t, "testdata")
	backend := testdevice.Open(t, "cpu")
	const npz = "testdata/wrn-10-1.npz"
	arrays, err := torchweights.Read(npz)
	if err != nil {
		t.Fatal(err)
	}
	unused := func(name string) bool {
		return strings.HasPrefix(name, "energy_output") || strings.HasPrefix(name, "f.linear")
	}
	own := maps.Clone(arrays)
	maps.DeleteFunc(own, func(name string, _ *format.Array) bool { return unused(name) })
	want := reference.Read(t, "testdata/logits.npz")
	for name, path := range map[string]string{
		"npz":                npz,
		"safetensors":        safetensorsOf(t, arrays, func(name string) string { return name }),
		"compiled":           safetensorsOf(t, arrays, func(name string) string { return "_orig_mod." + name }),
		"both, in Lightning": safetensorsOf(t, arrays, func(name string) string { return "model._orig_mod.module." + name }),
		"a checkpoint's":     safetensorsOf(t, arrays, func(name string) string { return "model_state_dict.module." + name }),
		"in parallel":        safetensorsOf(t, arrays, func(name string) string { return "module." + name }),
		"one network only": safetensorsOf(t, own, func(name string) string {
			return strings.NewReplacer("class_output", "linear", "f.", "", "shortcut.0", "shortcut").Replace(name)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := torchweights.Load(backend, path, []int{32, 32, 3}, classes)
			if err != nil {
				t.Fatal(err)
			}
			if c.Network.String() != "wrn-10-1" || c.Parameters() != 77706 {
				t.Errorf("%s with %d weights, want wrn-10-1 with 77706", c.Network, c.Parameters())
			}
			logits, err := c.LogitsAt(t.Context(), want["x"].Float32())
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.
			for i, v := range slices.Concat(logits...) {
				worst = max(worst, math.Abs(v-want["logits"].Values[i]))
			}
			if !(worst <= 1e-5) || len(logits) != 2 {
				t.Errorf("%d images, logits are %.2g away from PyTorch's", len(logits), worst)
			}
		})
	}
	if _, err := torchweights.Load(backend, npz, []int{32, 32, 3}, classes[:9]); err == nil || !strings.Contains(err.Error(), "linear/bias is (Float32)[10], not (Float32)[9]") {
		t.Errorf("with nine classes: %v", err)
	}
	if _, err := torchweights.Load(backend, npz, []int{32, 32, 1}, classes); err == nil || !strings.Contains(err.Error(), "conv1/weight is") {
		t.Errorf("for grey images: %v", err)
	}
	if _, err := torchweights.Load(backend, npz, []int{32, 32, 3}, nil); err == nil || !strings.Contains(err.Error(), "0 classes are named") {
		t.Errorf("without classes: %v", err)
	}
}

// Depth and width follow from names and shapes.
func TestNetwork(t *testing.T) {
	for _, want := range []nets.WideResNet{{Depth: 10, Width: 1}, {Depth: 16, Width: 4}, {Depth: 28, Width: 10}} {
		arrays := map[string]*format.Array{}
		for i := range (want.Depth - 4) / 6 {
			arrays[fmt.Sprintf("f.layer1.%d.conv1.weight", i)] = array(t, 16*want.Width, 1, 1, 1)
		}
		if net, _, err := torchweights.WideResNet(arrays); err != nil || net != want {
			t.Errorf("%v, want %v (%v)", net, want, err)
		}
	}
}

// array is an array of zeros.
func array(t *testing.T, shape ...int) *format.Array {
	return filled(t, "F32", "\x00\x00\x00\x00", shape...)
}

// filled is an array of one value, given as its bytes.
func filled(t *testing.T, dtype, value string, shape ...int) *format.Array {
	t.Helper()
	size := len(value)
	for _, s := range shape {
		size *= s
	}
	header := fmt.Sprintf(`{"w":{"dtype":%q,"shape":%s,"data_offsets":[0,%d]}}`, dtype, strings.Join(strings.Fields(fmt.Sprint(shape)), ","), size)
	file := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), bytes.Repeat([]byte(value), size/len(value)))
	arrays, _, err := format.ReadSafetensors(bytes.NewReader(file), int64(size))
	if err != nil {
		t.Fatal(err)
	}
	return arrays["w"]
}

// Weights of half precision are those of float32; what float32 does not hold is refused
// with the tensor's name.
func TestHalfPrecision(t *testing.T) {
	for dtype, value := range map[string]string{"F16": "\x00\x3e", "BF16": "\xc0\x3f", "F32": "\x00\x00\xc0\x3f", "F64": "\x00\x00\x00\x00\x00\x00\xf8\x3f"} {
		_, weights, err := torchweights.WideResNet(map[string]*format.Array{"layer1.0.conv1.weight": filled(t, dtype, value, 16, 1, 1, 1)})
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		got, err := tensors.CopyFlatData[float32](weights["layer1.0/conv1/weight"])
		if err != nil || len(got) != 16 || got[0] != 1.5 || got[15] != 1.5 {
			t.Errorf("%s: %v (%v), want 1.5", dtype, got, err)
		}
	}
	for what, a := range map[string]*format.Array{
		"NaN":  filled(t, "BF16", "\xc0\x7f", 16, 1, 1, 1),
		"+Inf": filled(t, "F64", "\x00\x00\x00\x00\x00\x00\xf0\x7e", 16, 1, 1, 1), // 2^1008, beyond float32
		"-Inf": filled(t, "F16", "\x00\xfc", 16, 1, 1, 1),
	} {
		_, _, err := torchweights.WideResNet(map[string]*format.Array{"module.layer1.0.conv1.weight": a})
		if want := `"layer1.0.conv1.weight": value 0 (from 0) of shape [16 1 1 1] is ` + what; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A small file cannot have a large network built.
func TestCompleteBeforeTheNetworkIsBuilt(t *testing.T) {
	one := map[string]*format.Array{"layer1.0.conv1.weight": array(t, 1<<20, 1, 1, 1)}
	_, err := torchweights.Load(nil, safetensorsOf(t, one, func(name string) string { return name }), []int{32, 32, 3}, classes)
	if err == nil || !strings.Contains(err.Error(), "layer1.0/conv2/weight of wrn-10-65536 is missing") {
		t.Errorf("%v", err)
	}
	deep := map[string]*format.Array{}
	for i := range 21 {
		deep[fmt.Sprintf("layer1.%d.conv1.weight", i)] = array(t, 16, 1, 1, 1)
	}
	if _, _, err := torchweights.WideResNet(deep); err == nil || !strings.Contains(err.Error(), "21 blocks") {
		t.Errorf("%v", err)
	}
}

func TestRefuses(t *testing.T) {
	conv, bias := array(t, 16, 16, 3, 3), array(t, 16)
	type arrays = map[string]*format.Array
	for name, c := range map[string]struct {
		arrays arrays
		want   string
	}{
		"nothing":              {arrays{}, "layer1.0.conv1.weight, which has"},
		"batch norm":           {arrays{"f.layer1.0.bn1.weight": bias}, `normalization layer "layer1.0.bn1.weight"`},
		"another network":      {arrays{"features.0.weight": conv}, `"features.0.weight" is not a weight of the authors' Wide ResNet`},
		"some wrapped":         {arrays{"module.conv1.bias": bias, "linear.bias": bias}, `"module.conv1.bias" is not a weight of`},
		"a name for terminals": {arrays{"x\x1b[2J": bias}, `"x\x1b[2J" is not a weight of`},
		"twice":                {arrays{"f.conv1.bias": bias, "conv1.bias": bias}, `"conv1.bias" exists twice`},
		"twice, also with .0":  {arrays{"layer2.0.shortcut.weight": conv, "layer2.0.shortcut.0.weight": conv}, `"layer2.0.shortcut.weight" exists twice, also as "layer2.0.shortcut.0.weight"`},
		"two heads":            {arrays{"class_output.bias": bias, "linear.bias": bias}, `"linear.bias" exists twice, also as "class_output.bias"`},
		"odd width":            {arrays{"layer1.0.conv1.weight": array(t, 17, 1, 1, 1)}, "has 17 channels"},
		"a vector":             {arrays{"layer1.0.conv1.weight": bias}, "its shape [16] is not that of a weight"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := torchweights.WideResNet(c.arrays); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for path, want := range map[string]string{
		"testdata/reference.py":   "its name ends neither in .npz nor in .safetensors",
		"testdata/nothing.npz":    "no such file",
		"testdata/logits.npz":     "is not a weight of the authors' Wide ResNet",
		"testdata/wrong.SAFETENS": "no such file",
	} {
		if _, err := torchweights.Load(nil, path, []int{32, 32, 3}, classes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

// FuzzWideResNet checks that whatever the file, its weights are refused with an error of
// one line, or are finite and as many as the arrays hold.
func FuzzWideResNet(f *testing.F) {
	file := func(header string, values int) []byte {
		return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), make([]byte, values))
	}
	f.Add(file(`{"module._orig_mod.layer1.0.conv1.weight":{"dtype":"BF16","shape":[16,1,1,1],"data_offsets":[0,32]}}`, 32))
	f.Add(file(`{"state_dict.f.layer1.0.conv1.weight":{"dtype":"F16","shape":[16,1,1,1],"data_offsets":[0,32]},"epoch":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}`, 40))
	f.Add(file(`{"layer1.0.conv1.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"linear.bias":{"dtype":"F32","shape":[],"data_offsets":[16,20]}}`, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		arrays, _, err := format.ReadSafetensors(bytes.NewReader(b), 1<<20)
		if err != nil {
			return
		}
		_, weights, err := torchweights.WideResNet(arrays)
		if err != nil && strings.ContainsAny(err.Error(), "\n\x1b\r") {
			t.Errorf("an error of more than one line, or with a control code: %q", err)
		}
		for name, w := range weights {
			values, err := tensors.CopyFlatData[float32](w)
			if err != nil || slices.ContainsFunc(values, func(v float32) bool { return v != v || math.IsInf(float64(v), 0) }) {
				t.Errorf("%s holds %v (%v)", name, values, err)
			}
		}
	})
}

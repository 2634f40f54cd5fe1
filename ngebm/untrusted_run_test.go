//go:build unix

package ngebm

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/nets"
)

// honest is a run of mlp-3 on points, as an attacker would take it to change it.
type honest struct {
	info       runInfo
	checkpoint checkpoint
}

func newHonest(t *testing.T) honest {
	t.Helper()
	h := honest{checkpoint: exampleCheckpoint()}
	if err := json.Unmarshal(infoOf(t, "mlp-3", []int{2}, []string{"a", "b"}), &h.info); err != nil {
		t.Fatal(err)
	}
	weight := func(name string, dims ...int) ckpt.Tensor {
		return ckpt.Tensor{Name: "/net/" + name, Trainable: true, Value: tensors.FromFlatDataAndDimensions(make([]float32, nets.Size(dims)), dims...)}
	}
	h.checkpoint.weights = []ckpt.Tensor{weight("fc0/weight", 2, 3), weight("fc0/bias", 3), weight("fc1/weight", 3, 2), weight("fc1/bias", 2)}
	return h
}

// store writes the run's folder; change, if not nil, is applied to the checkpoint's header,
// and the checksum is made to fit.
func (h honest) store(t *testing.T, change func(*header)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text, err := json.Marshal(h.info)
	if err != nil {
		t.Fatal(err)
	}
	raw := written(t, h.checkpoint)
	if change != nil {
		length := int(raw[8]) | int(raw[9])<<8
		var head header
		if err := json.Unmarshal(raw[16:16+length], &head); err != nil {
			t.Fatal(err)
		}
		change(&head)
		changed, err := json.Marshal(head)
		if err != nil {
			t.Fatal(err)
		}
		raw = sealed(string(changed), string(raw[16+length:len(raw)-32]))
	}
	for name, content := range map[string][]byte{ckpt.ConfigFile: text, ckpt.LastFile: raw} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustRefuse loads a run, which must be refused with one line that says want, soon and
// with little memory.
func mustRefuse(t *testing.T, dir, want string) {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before, began := sample[0].Value.Uint64(), time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = Load(ctx, backend, dir, nil)
	metrics.Read(sample)
	if took := sample[0].Value.Uint64() - before; took > 300<<20 || time.Since(began) > 5*time.Second {
		t.Errorf("it took %d bytes and %v", took, time.Since(began))
	}
	if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 5000 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
		t.Errorf("error %q, want %q", fmt.Sprint(err), want)
	}
}

func TestAnHonestRunLoads(t *testing.T) {
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Load(t.Context(), backend, newHonest(t).store(t, nil), nil)
	if err != nil || !strings.Contains(r.Warning, "no checksum covers the class names") {
		t.Fatalf("%v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, backend, r.Dir, nil); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("a context that has ended: %v", err)
	}
	if _, err := Load(t.Context(), nil, r.Dir, nil); err == nil || !strings.Contains(err.Error(), "backend is nil") {
		t.Errorf("no backend: %v", err)
	}
}

// A checkpoint with a right checksum whose header tells what no program wrote.
func TestHostileHeaders(t *testing.T) {
	add := func(name, dtype string, shape ...int) func(*header) {
		return func(h *header) {
			h.Tensors = append(h.Tensors, ckpt.TensorInfo{Name: name, DType: dtype, Shape: shape, Trainable: true})
		}
	}
	cases := map[string]struct {
		change func(*header)
		want   string
	}{
		"a step beyond all":      {func(h *header) { h.Step = 1 << 62 }, "parts do not fit|no whole history"},
		"a step below zero":      {func(h *header) { h.Step = -1 }, "parts do not fit"},
		"another hash":           {func(h *header) { h.Hash = "00000000000\n" }, `belongs to run "00000000000\n"`},
		"terminal codes":         {add("/net/\x1b]0;pwned\a\x1b[2J", "Float32", 0), `name "/net/\x1b]0;pwned\a\x1b[2J"`},
		"a relative name":        {add("relative", "Float32", 0), `name "relative"`},
		"a name that is empty":   {add("", "Float32", 0), `the name "", which no variable has`},
		"a name of separators":   {add("//", "Float32", 0), `the name "//", which no variable has`},
		"a long name":            {add("/"+strings.Repeat("a/", 100_000), "Float32", 0), "a name of 200001 bytes"},
		"a product beyond all":   {add("/x", "Float32", 1<<32, 1<<32), "ends within"},
		"a product of negatives": {add("/x", "Float32", -58, -58), "ends within"},
		"nothing, 2^62 times":    {add("/x", "Float32", 0, 1<<62), "ends within"},
		"seventeen axes":         {add("/x", "Float32", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), "cannot hold"},
		"a weight too many":      {add("/net/more", "Float32", 0), "no weight /net/more"},
		"a weight of integers":   {func(h *header) { h.Tensors[3].DType = "Int32" }, "is (Int32)[2, 3] in the file"},
		"a weight without shape": {func(h *header) { h.Tensors[3].Shape = nil }, "more than its tensors"},
		"a replay buffer":        {add(ckpt.AuxState, "Float32", 0), "replay buffer"},
		"a type of a megabyte":   {add("/x", strings.Repeat("x", 1<<20), 1), `of type "xxx`},
		"a thousand axes": {func(h *header) {
			h.Tensors = append(h.Tensors, ckpt.TensorInfo{Name: "/x", DType: "Float32", Shape: make([]int, 1000), Trainable: true})
		}, "cannot hold"},
		"a hash of a megabyte": {func(h *header) { h.Hash = strings.Repeat("0", 1<<20) }, `belongs to run "000`},
		"another seal":         {func(h *header) { h.Seal = "00" }, "saved with another config.json"},
	}
	for _, dtype := range []string{"", "InvalidDType", "TOKEN", "Bool", "Complex64", "Int2", "Int4", "Uint4", "F8E5M2", "F8E4M3FN", "F8E4M3B11FNUZ", "F8E5M2FNUZ", "F8E4M3FNUZ", "F8E4M3", "F8E3M4", "F8E8M0FNU", "F4E2M1FN", "object"} {
		cases["type "+dtype] = struct {
			change func(*header)
			want   string
		}{add("/x", dtype, 1), fmt.Sprintf("of type %q", dtype)}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := newHonest(t).store(t, c.change)
			first, second, both := strings.Cut(c.want, "|")
			if both && c.change != nil {
				first = second
			}
			mustRefuse(t, dir, first)
		})
	}
}

// Weights that are no numbers are refused by name; a history with NaN is one of training
// that diverged.
func TestWeightsAreNumbers(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		h := newHonest(t)
		h.checkpoint.weights[2].Value = tensors.FromFlatDataAndDimensions([]float32{0, 0, 0, 0, bad, 0}, 3, 2)
		mustRefuse(t, h.store(t, nil), `"/net/fc1/weight" that is NaN or infinite`)
	}
	h := newHonest(t)
	h.checkpoint.history.Loss = []float32{1, float32(math.NaN())}
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), backend, h.store(t, nil), nil); err != nil {
		t.Error(err)
	}
}

// What a configuration promises is compared with the checkpoint before anything is built.
func TestHostileConfigurations(t *testing.T) {
	for name, c := range map[string]struct {
		net     string
		shape   []int
		classes int
		want    string
	}{
		"layers beyond memory": {"mlp-65536-65536-65536", []int{2}, 2, "another architecture"},
		"5,000 layers":         {"mlp" + strings.Repeat("-1", 5000), []int{2}, 2, "5000 hidden layers"},
		"64 layers":            {"mlp" + strings.Repeat("-1", 64), []int{2}, 2, "64 hidden layers"},
		"32 layers":            {"mlp" + strings.Repeat("-1", 32), []int{2}, 2, "another architecture"},
		"a deep Wide ResNet":   {"wrn-4000-1", []int{8, 8, 1}, 2, "is too large"},
		"a wide Wide ResNet":   {"wrn-28-65536", []int{8, 8, 1}, 2, "is too large"},
		"channels":             {"convnet", []int{8, 8, 1 << 17}, 2, "another architecture"},
		"inputs":               {"convnet", []int{16384, 16384, 1}, 2, "not of 1 to 16777216"},
		"a million classes":    {"mlp-3", []int{2}, 1 << 20, "has 1048576 classes, not 1 to 65536"},
		"65,536 classes":       {"mlp-3", []int{2}, 1 << 16, "another architecture"},
		"other inputs":         {"mlp-3", []int{3}, 2, "another architecture"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHonest(t)
			classes := make([]string, c.classes)
			if err := json.Unmarshal(infoOf(t, c.net, c.shape, classes), &h.info); err != nil {
				t.Fatal(err)
			}
			mustRefuse(t, h.store(t, nil), c.want)
		})
	}
	h := newHonest(t)
	h.info.Algorithm = 2
	mustRefuse(t, h.store(t, nil), "trained by algorithm 2, and this program has 1")
	h = newHonest(t)
	h.info.Training = "abc"
	mustRefuse(t, h.store(t, nil), "config.json\" was changed")
	h = newHonest(t)
	h.info.Config = json.RawMessage(strings.Replace(string(h.info.Config), `"alpha"`, `"dropout"`, 1))
	mustRefuse(t, h.store(t, nil), "use the newer program")
}

// A run's files that are no files, or are larger than they look.
func TestARunsFilesAreRegular(t *testing.T) {
	for name, file := range map[string]string{"the checkpoint": ckpt.LastFile, "the configuration": ckpt.ConfigFile, "the cost": ckpt.CostFile} {
		for kind, put := range map[string]func(path string) error{
			"a named pipe":    func(path string) error { return syscall.Mkfifo(path, 0o644) },
			"a symbolic link": func(path string) error { return os.Symlink("/dev/zero", path) },
			"a folder":        func(path string) error { return os.Mkdir(path, 0o755) },
			"more than the": func(path string) error {
				f, err := os.Create(path)
				if err != nil {
					return err
				}
				defer f.Close()
				return f.Truncate(40 << 30)
			},
		} {
			t.Run(name+" is "+kind, func(t *testing.T) {
				dir := newHonest(t).store(t, nil)
				path := filepath.Join(dir, file)
				_ = os.Remove(path)
				if err := put(path); err != nil {
					t.Skipf("SKIPPED: %v", err)
				}
				mustRefuse(t, dir, kind)
			})
		}
	}
	// Within the bound, and nothing but zeros.
	dir := newHonest(t).store(t, nil)
	if err := os.Truncate(filepath.Join(dir, ckpt.LastFile), 8<<30); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	mustRefuse(t, dir, "bytes more than its tensors")
}

// Sixteen megabytes of JSON that stand for a hundred times the memory.
func TestAHeaderTakesLittleMemory(t *testing.T) {
	for _, form := range []string{`{"tensors":[%s{}]}`, `{"history":{"evaluations":[%s{}]}}`, `{"history":{"evaluations":[{"values":[%s{}]}]}}`} {
		dir := newHonest(t).store(t, nil)
		header := fmt.Sprintf(form, strings.Repeat("{},", (16<<20)/3-100))
		if err := os.WriteFile(filepath.Join(dir, ckpt.LastFile), sealed(header, ""), 0o644); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, "an array of more than")
	}
}

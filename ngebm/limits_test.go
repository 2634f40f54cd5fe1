//go:build unix

package ngebm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/nets"
)

// honestOf is a run of a network that has a name, with weights of its shapes.
func honestOf(t *testing.T, name string, shape []int, classes int) honest {
	t.Helper()
	h := newHonest(t)
	if err := json.Unmarshal(infoOf(t, name, shape, make([]string, classes)), &h.info); err != nil {
		t.Fatal(err)
	}
	net, err := nets.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	h.checkpoint.weights = nil
	for path, dims := range net.(nets.Sized).Weights(shape, classes) {
		value := tensors.FromFlatDataAndDimensions(make([]float32, nets.Size(dims)), dims...)
		h.checkpoint.weights = append(h.checkpoint.weights, ckpt.Tensor{Name: "/net/" + path, Trainable: true, Value: value})
	}
	return h
}

// A folder of 300 KB whose weights fit promises layers of 137 GB.
func TestActivationsAreBounded(t *testing.T) {
	for name, shape := range map[string][]int{"convnet": {4096, 4096, 1}, "wrn-10-10": {1024, 1024, 3}} {
		mustRefuse(t, honestOf(t, name, shape, 2).store(t, nil), fmt.Sprintf("a layer of %s has ", name))
	}
	for _, c := range []struct {
		net      string
		shape    []int
		examples int
		want     int
	}{
		{"wrn-28-10", []int{32, 32, 3}, 10000, 128}, // what is published is evaluated as ever
		{"wrn-10-2", []int{64, 64, 3}, 10000, 128},
		{"convnet", []int{224, 224, 3}, 10000, 128},
		{"mlp-128-128", []int{2}, 10000, 128},
		{"mlp-128-128", []int{2}, 7, 7},
		{"mlp-128-128", []int{2}, 0, 1},
		{"wrn-28-10", []int{224, 224, 3}, 10000, 8},
		{"convnet", []int{2048, 2048, 1}, 10000, 2},
		{"mlp-3", []int{4096, 4096, 1}, 10000, 8},
	} {
		net, err := nets.Parse(c.net)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := examplesAtOnce(net, c.shape, 10, c.examples); err != nil || got != c.want {
			t.Errorf("%s on %v: %d of %d examples at once, want %d (%v)", c.net, c.shape, got, c.examples, c.want, err)
		}
	}
	if _, err := examplesAtOnce(nets.MLP{}, []int{2}, maxClasses+1, 1); err == nil || !strings.Contains(err.Error(), "65537 classes, more than 65536") {
		t.Errorf("too many classes to load them again: %v", err)
	}
}

// The widest layer that a network tells is that of its graph.
func TestWidestIsThatOfTheGraph(t *testing.T) {
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	for name, shape := range map[string][]int{
		"wrn-10-2": {8, 8, 3}, "wrn-16-1": {16, 8, 1}, "convnet": {8, 8, 3}, "mlp-5": {2}, "mlp-lrelu-5-70": {4, 4, 1}, "mlp-3": {5, 5, 1},
	} {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := traceNetwork(backend, net, newStore(1), shape, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := nets.Size(shape)
		for _, l := range g.Layers {
			want = max(want, nets.Size(l.Output))
		}
		if got := net.(nets.Sized).Widest(shape, 10); got != want {
			t.Errorf("%s on %v: %d, want %d of %+v", name, shape, got, want, g.Layers)
		}
	}
}

// Who takes seal or checksum away, or has a run of an older program, is warned.
func TestARunWithoutSealIsWarnedOf(t *testing.T) {
	h := newHonest(t)
	r, err := loaded(t, h.store(t, nil), nil)
	if err != nil || !strings.Contains(r.Warning, "lacks a seal in checkpoint.ngebm and the checksum of its training data in config.json") || !strings.Contains(r.String(), "warning: the run lacks a seal") {
		t.Errorf("without both: %v, %v", r, err)
	}
	seal := r.seal()
	r, err = loaded(t, h.store(t, func(head *header) { head.Seal = seal }), nil)
	if err != nil || strings.Contains(r.Warning, "seal") || !strings.Contains(r.Warning, "the checksum of its training data") {
		t.Errorf("without the checksum: %q, %v", r.Warning, err)
	}
	cfg, err := parseConfig(h.info.Config)
	if err != nil {
		t.Fatal(err)
	}
	h.info.Training = "0123"
	h.info.Hash = cfg.Hash(h.info.Training)
	h.checkpoint.hash = h.info.Hash
	r, err = loaded(t, h.store(t, nil), nil)
	if err != nil || !strings.Contains(r.Warning, "lacks a seal in checkpoint.ngebm, as") {
		t.Errorf("without the seal: %q, %v", r.Warning, err)
	}
	seal = r.seal()
	if r, err = loaded(t, h.store(t, func(head *header) { head.Seal = seal }), nil); err != nil || r.Warning != "" {
		t.Errorf("with both: %q, %v", r.Warning, err)
	}
}

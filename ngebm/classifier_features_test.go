package ngebm_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// Features, weight and bias make the logits; they are the same for a set and at inputs.
func TestFeatures(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	_, digits, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := digits.Subset("part", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	if err != nil {
		t.Fatal(err)
	}
	for _, net := range []nets.Network{nets.MLP{Hidden: []int{7}}, nets.MLP{}, nets.ConvNet{Channels: []int{3, 5}}, nets.WideResNet{Depth: 10, Width: 1}} {
		c, err := ngebm.NewClassifier(backend, net, 1, set.Shape, set.Classes)
		if err != nil {
			t.Fatal(err)
		}
		logits, err := c.Logits(t.Context(), set)
		if err != nil {
			t.Fatal(err)
		}
		features, err := c.Features(t.Context(), set)
		if err != nil {
			t.Fatal(err)
		}
		weight, bias, err := c.Head()
		if err != nil {
			t.Fatal(err)
		}
		for i, z := range features {
			for k, b := range bias {
				for j, v := range z {
					b += v * weight[j][k]
				}
				if math.Abs(b-logits[i][k]) > 1e-5 {
					t.Fatalf("%s: logit %d of example %d is %v, of its features %v", net, k, i, logits[i][k], b)
				}
			}
		}
		x := make([]float32, set.Size())
		set.Example(3, x)
		one, err := c.FeaturesAt(t.Context(), x)
		if err != nil || !slices.EqualFunc(one[0], features[3], func(a, b float64) bool { return math.Abs(a-b) < 1e-5 }) {
			t.Errorf("%s: features at an input are %v (%v), of the set %v", net, one, err, features[3])
		}
		c.Close()
		if _, err := c.Features(t.Context(), set); !errors.Is(err, ngebm.ErrClosed) {
			t.Errorf("%s, closed: %v", net, err)
		}
		if _, _, err := c.Head(); !errors.Is(err, ngebm.ErrClosed) {
			t.Errorf("%s, closed: the head gives %v", net, err)
		}
	}
}

// headless names a layer that does not exist.
type headless struct{ nets.MLP }

func (headless) Head() string { return "top" }

func (h headless) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	return h.MLP.Logits(scope, x, classes)
}

// A network of one's own without features, or with a wrong head, gets an error that says so.
func TestNoFeatures(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	without, err := ngebm.NewClassifier(backend, roots{}, 1, []int{2}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer without.Close()
	_, err = without.FeaturesAt(t.Context(), []float32{1, 2})
	_, _, err2 := without.Head()
	for _, err := range []error{err, err2} {
		if none := (*ngebm.NoFeaturesError)(nil); !errors.As(err, &none) || !strings.Contains(err.Error(), "network roots has no Features; implement nets.Featured") {
			t.Errorf("error %v", err)
		}
	}
	wrong, err := ngebm.NewClassifier(backend, headless{nets.MLP{Hidden: []int{3}}}, 1, []int{2}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if _, _, err := wrong.Head(); err == nil || !strings.Contains(err.Error(), `the head "top" of mlp-3: it has no weight named "weight"`) {
		t.Errorf("a wrong head: error %v", err)
	}
}

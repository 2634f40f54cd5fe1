package nets_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"ngebm/ngebm/nets"
)

// The weights that a network reports are those that it creates.
func TestReportedWeightsAreCreated(t *testing.T) {
	for name, shape := range map[string][]int{
		"wrn-10-2": {2, 32, 32, 3}, "wrn-16-1": {2, 8, 8, 1}, "convnet": {2, 8, 8, 3}, "mlp-5": {2, 2}, "mlp-lrelu-5-7": {2, 4, 4, 1},
		"convnet+batch": {2, 8, 8, 3}, "wrn-16-1+group+gelu": {2, 8, 8, 1}, "wrn-10-1+act": {2, 8, 8, 1}, "resnet-18-8": {2, 8, 8, 3}, "resnet-18-8+none": {2, 8, 8, 3},
		"convnet+gauge-exact": {2, 8, 8, 3}, "convnet+gauge-logits": {2, 8, 8, 3}, "convnet+gauge-mlp": {2, 8, 8, 3}, "convnet+gauge-network": {2, 8, 8, 3},
	} {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		want := maps.Collect(net.(nets.Sized).Weights(shape[1:], 10))
		store, _ := build(t, name, 1, 10, dtypes.Float32, shape...)
		made := 0
		for v := range store.RootScope().At("net").IterVariables() {
			made++
			if dims, ok := want[strings.TrimPrefix(v.Path(), "/net/")]; !ok || !slices.Equal(dims, v.Shape().Dimensions) {
				t.Errorf("%s: %s is %v, and %v is reported", name, v.Path(), v.Shape(), dims)
			}
		}
		if made != len(want) {
			t.Errorf("%s: %d weights are created, and %d are reported", name, made, len(want))
		}
	}
}

// A name may come from an untrusted run.
func TestParseRefusesWhatCannotBeCompiled(t *testing.T) {
	for name, want := range map[string]string{
		"mlp" + strings.Repeat("-1", 33):          "33 hidden layers",
		"mlp" + strings.Repeat("-1", 100_000):     "100000 hidden layers",
		"wrn-4000-1":                              "at most",
		"wrn-106-1":                               "at most",
		"wrn-28-65536":                            "at most",
		"resnet-18-65528":                         "at most",
		"resnet-18-12":                            "a multiple of 8",
		"resnet-50":                               "resnet-18",
		"wrn-10-2+goup":                           "none, instance, layer, group, act, batch",
		"wrn-10-2+group+layer":                    "at most once",
		"wrn-10-2+dropout1":                       "above 0 and below 1",
		"wrn-10-2+dropoutNaN":                     "above 0 and below 1",
		"wrn-10-2+":                               "has a part",
		"mlp-8+group":                             "an mlp does not have",
		"convnet" + strings.Repeat("+silu", 9999): "at most once",
		"convnet+gauge-":                          "no head is named \"\"",
		"convnet+gauge-mlp+gauge-mlp":             "after +gauge- comes one of exact, logits, mlp, network",
		"what+gauge-mlp":                          "no network is named \"what\"",
	} {
		if _, err := nets.Parse(name); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("%.20s…: %v", name, err)
		}
	}
}

package serve

import (
	"slices"
	"strings"
	"testing"

	"ngebm/data/tabular"
)

// The rows of a table are encoded as for training.
func TestRows(t *testing.T) {
	table, err := tabular.Read(t.Context(), strings.NewReader("size,kind,class\n1,a,x\n3,b,y\n1,a,x\n3,b,y\n"), "class")
	if err != nil {
		t.Fatal(err)
	}
	encoder, _, err := table.Fit([]int{0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, &echo{}, func(o *Options) { o.Shape, o.Fit, o.Encoder = []int{encoder.Size()}, "", encoder })
	wantLabels(t, post(h, "application/json", []byte(`{"rows": [{"size": 3, "kind": "a"}, {"kind": "b", "size": "1", "more": null}]}`)), 1000, -1000)
	for body, want := range map[string]string{
		`{"rows": [{"size": 3}]}`:              "row 0 (from 0): ",
		`{"rows": [{"size": 3, "kind": "c"}]}`: "row 0 (from 0): ",
		`{"rows": [[3, "a"]]}`:                 `row 0 (from 0) is no object; the JSON must be {"rows": [{"column": value, …}, …]}`,
		`{"inputs": [[0,0,0]]}`:                `the JSON has "inputs" where "rows" is expected`,
	} {
		wantError(t, post(h, "application/json", []byte(body)), 400, want)
	}
	wantError(t, post(h, "", square(t, 1)), 415, `send {"rows": [{"column": value, …}, …]}`)
}

// All sizes of batches are predicted before the first request.
func TestWarm(t *testing.T) {
	e := &echo{}
	h := newHandler(t, e, func(o *Options) { o.MaxBatch = 9 })
	if err := h.Warm(t.Context()); err != nil || !slices.Equal(e.batches, []int{1, 2, 4, 8, 9}) {
		t.Errorf("the batches are %v (%v)", e.batches, err)
	}
}

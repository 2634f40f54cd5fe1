package serve

import (
	"runtime"
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
		`{"rows": [{"size": 3}]}`:                         "row 0 (from 0): ",
		`{"rows": [{"size": 3, "kind": "c"}]}`:            "row 0 (from 0): ",
		`{"rows": [[3, "a"]]}`:                            `row 0 (from 0) cannot be used; the JSON must be {"rows": [{"column": value, …}, …]}: it is no object`,
		`{"rows": [null]}`:                                "it is no object",
		`{"rows": [{"size": 3, "kind": "a", "size": 1}]}`: `column "size" is there twice`,
		`{"rows": [{"size": [3], "kind": "a"}]}`:          `column "size" is a list or an object`,
		`{"rows": [{"size": null, "kind": "a"}]}`:         `column "size" has no value`,
		`{"rows": [{"size": 3, "kind": "a", "more": [}]}`: "row 0 (from 0) cannot be used",
		`{"rows": [{"size": 3, "kind": "a"`:               "row 0 (from 0) cannot be used",
		`{"inputs": [[0,0,0]]}`:                           `the JSON has "inputs" where "rows" is expected`,
	} {
		wantError(t, post(h, "application/json", []byte(body)), 400, want)
	}
	wantError(t, post(h, "", square(t, 1)), 415, `send {"rows": [{"column": value, …}, …]}`)
}

// What a row has besides the encoder's columns takes little memory: the bytes of its text, which the
// decoder of JSON keeps while its buffer grows, and not twenty times as many.
func TestRowsTakeLittleMemory(t *testing.T) {
	encoder := &tabular.Encoder{Label: "class", Columns: []tabular.Column{{Name: "size", Deviation: 1}}}
	const size = 4 << 20
	h := newHandler(t, &echo{}, func(o *Options) { o.Shape, o.Fit, o.Encoder, o.MaxBody = []int{1}, "", encoder, 2*size })
	body := []byte(`{"rows": [{"size": 0, "more": [` + strings.Repeat("{},", size/3) + `0]}]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wantLabels(t, post(h, "application/json", body), 0)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 8*size {
		t.Errorf("%d bytes were allocated for a body of %d", got, len(body))
	}
}

// All sizes of batches are predicted before the first request.
func TestWarm(t *testing.T) {
	e := &echo{}
	h := newHandler(t, e, func(o *Options) { o.MaxBatch = 9 })
	if err := h.Warm(t.Context()); err != nil || !slices.Equal(e.batches, []int{1, 2, 4, 8, 9}) {
		t.Errorf("the batches are %v (%v)", e.batches, err)
	}
}

package plots

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"ngebm/data"
)

// nearest is a model whose logit for an image is minus half its squared distance.
type nearest struct{ images [][]float32 }

func (m nearest) LogitsAt(_ context.Context, x []float32) ([][]float64, error) {
	size := len(m.images[0])
	var logits [][]float64
	for ; len(x) > 0; x = x[size:] {
		var f []float64
		for _, image := range m.images {
			sum := 0.
			for j, v := range image {
				sum += float64(v-x[j]) * float64(v-x[j])
			}
			f = append(f, -sum/2)
		}
		logits = append(logits, f)
	}
	return logits, nil
}

// broken is a model that answers for nothing.
type broken struct{ err error }

func (b broken) LogitsAt(context.Context, []float32) ([][]float64, error) { return nil, b.err }

func digits(t testing.TB) *data.Dataset {
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return test
}

// memory is a model that knows the given images of a set.
func memory(d *data.Dataset, indices []int) nearest {
	var m nearest
	for _, i := range indices {
		m.images = append(m.images, make([]float32, d.Size()))
		d.Example(i, m.images[len(m.images)-1])
	}
	return m
}

func TestImagePlaneGrid(t *testing.T) {
	d := digits(t)
	m := memory(d, []int{0, 1, 2})
	grid, pins, err := ImagePlaneGrid(t.Context(), m, d, [3]int{0, 1, 2}, 61)
	if err != nil {
		t.Fatal(err)
	}
	// Distances on the plane are those of the images, and at each pin the model has
	// its own image's logit of 0 but for the lattice's step.
	distance := func(i, j int) float64 { return math.Sqrt(-2 * must(t, m, m.images[i])[j]) }
	for i := range pins {
		for j := range i {
			if got, want := math.Hypot(pins[i].X-pins[j].X, pins[i].Y-pins[j].Y), distance(i, j); math.Abs(got-want) > 1e-3*want {
				t.Errorf("images %d and %d are %v apart on the plane, %v as they are", i, j, got, want)
			}
		}
		if at := grid.at(pins[i].X, pins[i].Y); math.Abs(at) > .05 {
			t.Errorf("at image %d the energy is %v, want one near 0", i, at)
		}
	}
	t.Run("golden", func(t *testing.T) {
		names := []string{"zero", "one", "two"}
		l := Landscape{Title: "nearest of three", Grid: grid, Pins: pins, Regions: names}
		f, err := Landscapes(OwnScale, l, l, l)
		golden(t, "landscapes-plane", f, err)
	})
	flat := stripes(t, 4, 8, 8, 1) // the first and the last two columns are dark in all
	failure := errors.New("out of memory")
	for name, test := range map[string]struct {
		m      InputModel
		d      *data.Dataset
		images [3]int
		n      int
		err    string
	}{
		"one image thrice": {m, d, [3]int{1, 1, 1}, 9, "are on one line: choose three others"},
		"one image twice":  {m, d, [3]int{0, 1, 0}, 9, "are on one line"},
		"too fine":         {m, d, [3]int{0, 1, 2}, 5000, "choose 2 to 1000"},
		"no such image":    {m, d, [3]int{0, 1, 9999}, 9, "index 9999 is outside"},
		"points":           {m, pointSet(t, 3, corners), [3]int{0, 1, 2}, 9, "an image has height, width"},
		"no set":           {m, nil, [3]int{0, 1, 2}, 9, "no dataset"},
		"model fails":      {broken{failure}, flat, [3]int{0, 1, 2}, 9, "out of memory"},
		"no logits":        {broken{}, flat, [3]int{0, 1, 2}, 9, "logits for 0 of 81 points"},
	} {
		if _, _, err := ImagePlaneGrid(t.Context(), test.m, test.d, test.images, test.n); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.err)
		}
	}
}

func must(t *testing.T, m nearest, x []float32) []float64 {
	t.Helper()
	f, err := m.LogitsAt(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return f[0]
}

func ExampleImagePlaneGrid() {
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		panic(err)
	}
	var model InputModel = memory(test, []int{0, 1, 2}) // in earnest, a trained classifier
	grid, pins, err := ImagePlaneGrid(context.Background(), model, test, [3]int{0, 1, 2}, 60)
	if err != nil {
		panic(err)
	}
	figure, err := Landscapes(OwnScale, Landscape{Title: "between three digits", Grid: grid, Pins: pins, Regions: []string{"0", "1", "2"}})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

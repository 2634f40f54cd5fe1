package plots

import (
	"math"
	"testing"
	"time"

	"ngebm/data"
	"ngebm/ngebm"
)

// sizeless is a set of images without pixels, as only a mistake makes it.
func sizeless() *data.Dataset {
	return &data.Dataset{Info: data.Info{Name: "sizeless", Classes: []string{"a"}}, Shape: []int{0, 0, 1}, MaxPixel: 255, Pixels: []uint8{}, Labels: []int32{0}}
}

// cut is a set with a pixel too few.
func cut(t testing.TB) *data.Dataset {
	d := *stripes(t, 2, 8, 8, 1)
	d.Pixels = d.Pixels[1:]
	return &d
}

// degenerateImages are the figures of images.
func degenerateImages(t *testing.T) map[string]degenerateCases {
	gray, one := stripes(t, 4, 8, 8, 1), stripes(t, 1, 8, 8, 1)
	dot := stripes(t, 1, 1, 1, 1) // one pixel: all equal
	lone := *one
	lone.Classes = lone.Classes[:1]
	unnamed := *gray
	unnamed.Classes = unnamed.Classes[:1]
	row := func(d *data.Dataset) ImageRow { return ImageRow{"row", []Tile{{d, 0}}} }
	black := make([]float32, 64)
	with := func(v float64) []float32 { return append([]float32{float32(v)}, black[1:]...) }
	shape := []int{8, 8, 1}

	chains := chainsOf(t)
	alter := func(change func(*ngebm.Samples)) *ngebm.Samples {
		s := *chains
		s.X = append([][]float32(nil), s.X...)
		s.Energy = append([][]float64(nil), s.Energy...)
		change(&s)
		return &s
	}
	energies := func(e float64) *ngebm.Samples {
		return alter(func(s *ngebm.Samples) { s.Energy[len(s.Energy)-1] = []float64{e, e, e, e} })
	}
	picture, err := Images(one, []int{0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]degenerateCases{
		"Images": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Images(nil, nil, nil) }, "no dataset"},
			{"nothing", func() (*Figure, error) { return Images(gray, nil, nil) }, "choose 1 to 400"},
			{"one", func() (*Figure, error) { return Images(one, []int{0}, nil) }, ""},
			{"one class", func() (*Figure, error) { return Images(&lone, []int{0}, nil) }, ""},
			{"all equal", func() (*Figure, error) { return Images(dot, []int{0}, nil) }, ""},
			{"mismatched", func() (*Figure, error) { return Images(gray, upTo(2), []string{"a"}) }, "1 captions for 2 images"},
			{"mismatched", func() (*Figure, error) { return Images(cut(t), upTo(2), nil) }, "127 pixels"},
			{"mismatched", func() (*Figure, error) { return Images(&unnamed, upTo(2), nil) }, "example 1 of stripes has label 1"},
			{"no size", func() (*Figure, error) { return Images(sizeless(), []int{0}, nil) }, "make sets with data.New"},
		}, []string{"NaN", "infinite", "one bin"}},
		"ImageTable": {[]degenerate{
			{"nothing", func() (*Figure, error) { return ImageTable("", nil) }, "needs a row and a column"},
			{"nothing", func() (*Figure, error) { return ImageTable("", []string{"a"}, ImageRow{Tiles: []Tile{{}}}) }, ""},
			{"one", func() (*Figure, error) { return ImageTable("", []string{""}, row(one)) }, ""},
			{"one class", func() (*Figure, error) { return ImageTable("", []string{""}, row(&lone)) }, ""},
			{"all equal", func() (*Figure, error) { return ImageTable("", []string{""}, row(dot)) }, ""},
			{"mismatched", func() (*Figure, error) { return ImageTable("", []string{"a", "b"}, row(one)) }, "1 images for 2 columns"},
			{"mismatched", func() (*Figure, error) { return ImageTable("", []string{"a"}, row(cut(t))) }, "127 pixels"},
			{"no size", func() (*Figure, error) { return ImageTable("", []string{"a"}, row(sizeless())) }, "make sets with data.New"},
		}, []string{"NaN", "infinite", "one bin"}},
		"Corruptions": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Corruptions(nil, 0, 1) }, "no dataset"},
			{"one", func() (*Figure, error) { return Corruptions(one, 0, 1) }, ""},
			{"one class", func() (*Figure, error) { return Corruptions(&lone, 0, 1) }, ""},
			{"all equal", func() (*Figure, error) { return Corruptions(dot, 0, 1) }, ""},
			{"mismatched", func() (*Figure, error) { return Corruptions(cut(t), 1, 1) }, "127 pixels"},
			{"no size", func() (*Figure, error) { return Corruptions(sizeless(), 0, 1) }, "make sets with data.New"},
		}, []string{"NaN", "infinite", "one bin"}},
		"SyntheticOOD": {[]degenerate{
			{"nothing", func() (*Figure, error) { return SyntheticOOD(nil, nil, 1) }, "no dataset"},
			{"nothing", func() (*Figure, error) { return SyntheticOOD(gray, nil, 1) }, "choose 1 to 400"},
			{"one", func() (*Figure, error) { return SyntheticOOD(one, []int{0}, 1) }, ""},
			{"one class", func() (*Figure, error) { return SyntheticOOD(&lone, []int{0}, 1) }, ""},
			{"all equal", func() (*Figure, error) { return SyntheticOOD(dot, []int{0}, 1) }, ""},
			{"mismatched", func() (*Figure, error) { return SyntheticOOD(cut(t), []int{0}, 1) }, "127 pixels"},
			{"no size", func() (*Figure, error) { return SyntheticOOD(sizeless(), []int{0}, 1) }, "make sets with data.New"},
		}, []string{"NaN", "infinite", "one bin"}},
		"Adversarials": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Adversarials(shape) }, "no adversarial example"},
			{"one", func() (*Figure, error) {
				return Adversarials([]int{1, 1, 1}, Adversarial{Original: []float32{0}, Result: []float32{1}})
			}, ""},
			{"all equal", func() (*Figure, error) { return Adversarials(shape, Adversarial{black, black, "", ""}) }, ""},
			{"NaN", func() (*Figure, error) { return Adversarials(shape, Adversarial{black, with(math.NaN()), "", ""}) }, "is NaN: pixels must be in [-1,1]"},
			{"infinite", func() (*Figure, error) { return Adversarials(shape, Adversarial{with(math.Inf(1)), black, "", ""}) }, "is +Inf: pixels must"},
			{"mismatched", func() (*Figure, error) { return Adversarials(shape, Adversarial{black, black[1:], "", ""}) }, "has 63 values, its shape [8 8 1] has 64"},
			{"no size", func() (*Figure, error) { return Adversarials([]int{0, 8, 1}, Adversarial{}) }, "shape [0 8 1]"},
			{"no size", func() (*Figure, error) { return Adversarials(nil, Adversarial{}) }, "shape []"},
		}, []string{"one class", "one bin"}},
		"Samples": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Samples("", nil, nil, nil) }, "no samples: draw some"},
			{"nothing", func() (*Figure, error) { return Samples("", chains, nil, nil) }, "needs a row and a column"},
			{"one", func() (*Figure, error) { return Samples("", chains, []int{0}, nil) }, ""},
			{"all equal", func() (*Figure, error) { return Samples("", energies(0), upTo(4), nil) }, ""},
			{"NaN", func() (*Figure, error) { return Samples("", energies(math.NaN()), upTo(4), nil) }, ""},
			{"infinite", func() (*Figure, error) { return Samples("", energies(math.Inf(-1)), upTo(4), nil) }, ""},
			{"mismatched", func() (*Figure, error) {
				return Samples("", alter(func(s *ngebm.Samples) { s.Energy = s.Energy[1:] }), []int{0}, nil)
			}, "pass what Classifier.Sample returned"},
			{"mismatched", func() (*Figure, error) {
				return Samples("", alter(func(s *ngebm.Samples) { s.X[1] = s.X[1][1:] }), []int{0}, nil)
			}, "pass what Classifier.Sample returned"},
			{"mismatched", func() (*Figure, error) { return Samples("", chains, []int{0}, []string{"a", "b"}) }, "2 names for 1 chains"},
			{"no size", func() (*Figure, error) {
				return Samples("", alter(func(s *ngebm.Samples) {
					for k := range s.X {
						s.X[k] = nil
					}
				}), []int{0}, nil)
			}, "plots: data: "},
		}, []string{"one class", "one bin"}},
		"SideBySide": {[]degenerate{
			{"nothing", func() (*Figure, error) { return SideBySide() }, "no figures"},
			{"nothing", func() (*Figure, error) { return SideBySide(picture, nil) }, "figure 2 of 2 is empty"},
			{"one", func() (*Figure, error) { return SideBySide(picture) }, ""},
			{"all equal", func() (*Figure, error) { return SideBySide(picture, picture) }, ""},
			{"no size", func() (*Figure, error) { return SideBySide(&Figure{}) }, "figure 1 of 1 is empty"},
		}, []string{"one class", "NaN", "infinite", "one bin", "mismatched"}},
		"Animate": {[]degenerate{
			{"nothing", func() (*Figure, error) { return firstFrame(time.Second) }, "needs a figure or more"},
			{"nothing", func() (*Figure, error) { return firstFrame(time.Second, nil) }, "figure 1 of 1 of the animation is empty"},
			{"one", func() (*Figure, error) { return firstFrame(time.Second, picture) }, ""},
			{"all equal", func() (*Figure, error) { return firstFrame(time.Second, picture, picture) }, ""},
			{"mismatched", func() (*Figure, error) {
				wide, err := SideBySide(picture, picture)
				if err != nil {
					return nil, err
				}
				return firstFrame(time.Second, picture, wide)
			}, "draw all in one size"},
			{"no size", func() (*Figure, error) { return firstFrame(time.Second, &Figure{}) }, "figure 1 of 1 of the animation is empty"},
		}, []string{"one class", "NaN", "infinite", "one bin"}},
	}
}

func firstFrame(each time.Duration, frames ...*Figure) (*Figure, error) {
	a, err := Animate(each, frames...)
	if err != nil {
		return nil, err
	}
	return a.frames[0], nil
}

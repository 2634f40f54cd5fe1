package plots

import (
	"context"
	"fmt"
	"image/color"
	"math"
	"testing"

	"ngebm/data"
	"ngebm/ngebm/study/palette"
)

// pushed changes an image by at most ε of the pixel range, by a made-up pattern;
// no network was attacked.
func pushed(original []float32, epsilon float64) Adversarial {
	e := Adversarial{Original: original, Before: "3, p = 0.98", After: "8, p = 0.71"}
	for j, v := range original {
		step := 2 * epsilon * math.Sin(float64(j*j))
		e.Result = append(e.Result, float32(min(1, max(-1, float64(v)+step))))
	}
	return e
}

// seen is example i as a network sees it.
func seen(d *data.Dataset, i int) []float32 {
	x := make([]float32, d.Size())
	d.Example(i, x)
	return x
}

func TestAdversarialsGolden(t *testing.T) {
	t.Run("digits", func(t *testing.T) {
		_, test, err := data.Open(context.Background(), "digits", data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var examples []Adversarial
		for i := range 10 {
			e := pushed(seen(test, i), 0.1+0.02*float64(i%3))
			label := int(test.Labels[i])
			e.Before, e.After = fmt.Sprintf("%d, p = 0.98", label), fmt.Sprintf("%d, p = 0.71", (label+5)%10)
			examples = append(examples, e)
		}
		f, err := Adversarials(test.Shape, examples...)
		golden(t, "adversarials", f, err)
	})
	t.Run("color", func(t *testing.T) {
		set := stripes(t, 3, 12, 16, 3)
		f, err := Adversarials(set.Shape, pushed(seen(set, 0), 8./255), pushed(seen(set, 1), 8./255), pushed(seen(set, 2), 4./255))
		golden(t, "adversarials-color", f, err)
	})
}

func TestAdversarialsDegenerate(t *testing.T) {
	gray := make([]float32, 16)
	nan := append([]float32{float32(math.NaN())}, gray[1:]...)
	outside := append([]float32{1.01}, gray[1:]...)
	for _, test := range []struct {
		name     string
		shape    []int
		examples []Adversarial
		err      string
	}{
		{"no change", []int{4, 4, 1}, []Adversarial{{gray, gray, "a", "a"}}, ""},
		{"the whole range", []int{4, 4, 1}, []Adversarial{pushed(gray, 2)}, ""},
		{"no captions", []int{4, 4, 1}, []Adversarial{{Original: gray, Result: gray}}, ""},
		{"one pixel", []int{1, 1, 1}, []Adversarial{pushed(gray[:1], 0.5)}, ""},
		{"very wide", []int{1, 16, 1}, []Adversarial{pushed(gray, 0.5)}, ""},
		{"larger than its tile", []int{300, 200, 3}, []Adversarial{pushed(make([]float32, 300*200*3), 0.1)}, ""},
		{"points", []int{2}, []Adversarial{pushed(gray, 0.5)}, "shape [2]: an image has"},
		{"two channels", []int{4, 2, 2}, []Adversarial{pushed(gray, 0.5)}, "shape [4 2 2]"},
		{"none", []int{4, 4, 1}, nil, "no adversarial example"},
		{"too many", []int{4, 4, 1}, make([]Adversarial, 101), "101 adversarial examples"},
		{"too short", []int{4, 4, 1}, []Adversarial{{Original: gray, Result: gray[1:]}}, "the result of example 0 has 15 values, its shape [4 4 1] has 16"},
		{"NaN", []int{4, 4, 1}, []Adversarial{{Original: gray, Result: nan}}, "value 0 of the result of example 0 is NaN"},
		{"out of range", []int{4, 4, 1}, []Adversarial{{Original: outside, Result: gray}}, "is 1.01: pixels must be in [-1,1]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Adversarials(test.shape, test.examples...)
			expect(t, f, err, test.err)
		})
	}
}

func TestAmplification(t *testing.T) {
	at := func(change float32) Adversarial {
		return Adversarial{Original: []float32{-1, -1}, Result: []float32{-1, -1 + change}}
	}
	for _, test := range []struct {
		change float32 // of 2, the whole range
		want   float64
	}{{2, 1}, {1.2, 1}, {1, 2}, {0.4, 5}, {0.2, 10}, {16. / 255, 20}, {2e-3, 1000}, {1e-6, 1000}, {0, 1}} {
		if got := amplification([]Adversarial{at(0), at(test.change)}); got != test.want {
			t.Errorf("a change of %v: factor %v, want %v", test.change, got, test.want)
		}
	}
}

// What was taken away is blue, what was added orange, what stayed white.
func TestChangePicture(t *testing.T) {
	e := Adversarial{Original: []float32{0, 0, 0, 0}, Result: []float32{-0.2, 0, 0.2, 0.1}}
	img := changePicture([]int{1, 4, 1}, e, 10)
	want := []color.NRGBA{palette.Blue, {0xff, 0xff, 0xff, 0xff}, palette.Vermillion, {0xea, 0xaf, 0x80, 0xff}}
	for x, c := range want {
		got := img.At(x, 0).(color.NRGBA)
		if abs(int(got.R)-int(c.R)) > 1 || abs(int(got.G)-int(c.G)) > 1 || abs(int(got.B)-int(c.B)) > 1 {
			t.Errorf("pixel %d is %v, want %v", x, got, c)
		}
	}
}

func ExampleAdversarials() {
	_, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		panic(err)
	}
	e := pushed(seen(test, 0), 0.1) // in earnest, Curve.Adversarial of package attack
	e.Before, e.After = "7, p = 0.98", "9, p = 0.71"
	figure, err := Adversarials(test.Shape, e)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

package plots

import (
	"bytes"
	"context"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/data"
)

// An animation has the figures as frames, in order, at half the pixels of their PNG,
// and stays at the last one.
func TestAnimation(t *testing.T) {
	set := stripes(t, 8, 8, 8, 1)
	var frames []*Figure
	for i := range 3 {
		f, err := Images(set, []int{i, i + 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	a, err := Animate(200*time.Millisecond, frames...)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "growth.gif")
	if err := a.Save(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := gif.DecodeAll(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Image) != 3 || got.Delay[0] != 20 || got.Delay[2] != 80 || got.LoopCount != 0 {
		t.Fatalf("%d frames, delays %v, loops %d", len(got.Image), got.Delay, got.LoopCount)
	}
	for i, frame := range got.Image {
		want := frames[i].pixels(screenDPI)
		if frame.Rect != want.Rect {
			t.Fatalf("frame %d is %v, the figure %v", i, frame.Rect, want.Rect)
		}
		for y := range want.Rect.Dy() {
			for x := range want.Rect.Dx() {
				r, _, _, _ := frame.At(x, y).RGBA()
				w, _, _, _ := want.At(x, y).RGBA()
				if d := int(r>>8) - int(w>>8); d > 24 || d < -24 {
					t.Fatalf("frame %d: pixel %d,%d is %d, in the figure %d", i, x, y, r>>8, w>>8)
				}
			}
		}
	}
}

func TestAnimationRefuses(t *testing.T) {
	set := stripes(t, 20, 8, 8, 1)
	small, err := Images(set, upTo(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	large, err := Images(set, upTo(20), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		each   time.Duration
		frames []*Figure
		want   string
	}{
		{time.Second, nil, "needs a figure"},
		{time.Millisecond, []*Figure{small}, "1ms"},
		{time.Second, []*Figure{small, large}, "figure 2 of the animation is"},
	} {
		if _, err := Animate(c.each, c.frames...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d frames of %v: %v, want %q", len(c.frames), c.each, err, c.want)
		}
	}
	a, err := Animate(time.Second, small)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"growth.png": "ends in .gif", filepath.Join("nowhere", "growth.gif"): "no such file"} {
		if err := a.Save(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("saving as %s gives %v, want %q", path, err, want)
		}
	}
}

func ExampleAnimate() {
	train, _, err := data.Open(context.Background(), "moons", data.Options{})
	if err != nil {
		panic(err)
	}
	var frames []*Figure
	for _, height := range []float64{1, 2} { // in earnest, classifiers of more and more epochs
		grid, err := Survey(hills{[][2]float64{{-1, 0}, {1, 0}}, height}, train, 20)
		if err != nil {
			panic(err)
		}
		frame, err := Landscapes(OwnScale, Landscape{Title: "two hills", Grid: grid, Data: train})
		if err != nil {
			panic(err)
		}
		frames = append(frames, frame)
	}
	growth, err := Animate(500*time.Millisecond, frames...)
	if err != nil {
		panic(err)
	}
	_ = growth // growth.Save("growth.gif") writes it
	// Output:
}

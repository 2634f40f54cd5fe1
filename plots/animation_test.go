package plots

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/cmpimg"

	"ngebm/data"
)

// played is a GIF's frames as they are seen, each on top of those before.
func played(t *testing.T, raw []byte) (*gif.GIF, []*image.RGBA) {
	t.Helper()
	g, err := gif.DecodeAll(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	var seen []*image.RGBA
	for _, frame := range g.Image {
		draw.Draw(canvas, frame.Rect, frame, frame.Rect.Min, draw.Over)
		seen = append(seen, &image.RGBA{Pix: slices.Clone(canvas.Pix), Stride: canvas.Stride, Rect: canvas.Rect})
	}
	return g, seen
}

// goldenAnimation compares an animation with testdata/<name>.gif, frame by frame.
func goldenAnimation(t *testing.T, name string, a *Animation) {
	t.Helper()
	var got bytes.Buffer
	if err := a.GIF(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".gif")
	want := goldenFile(t, path, got.Bytes())
	if want == nil || bytes.Equal(got.Bytes(), want) {
		return
	}
	g, seen := played(t, got.Bytes())
	w, wanted := played(t, want)
	if len(seen) != len(wanted) || !slices.Equal(g.Delay, w.Delay) {
		t.Fatalf("%d frames with delays %v, in %s %d with %v", len(seen), g.Delay, path, len(wanted), w.Delay)
	}
	for i := range seen {
		pictures := [2][]byte{}
		for k, img := range []image.Image{seen[i], wanted[i]} {
			var raw bytes.Buffer
			if err := png.Encode(&raw, img); err != nil {
				t.Fatal(err)
			}
			pictures[k] = raw.Bytes()
		}
		same, err := cmpimg.EqualApprox("png", pictures[0], pictures[1], tolerance)
		if err != nil {
			t.Fatal(err)
		}
		if !same {
			t.Errorf("frame %d differs from that of %s: see %s", i+1, path, writeDifference(t, name, pictures[0], pictures[1]))
		}
	}
}

// An animation has the figures as frames, in order, at half the pixels of their PNG,
// and stays at the last one. A frame without a change is one pixel.
func TestAnimation(t *testing.T) {
	set := stripes(t, 8, 8, 8, 1)
	var frames []*Figure
	for _, i := range []int{0, 1, 1, 2} {
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
	g, seen := played(t, content)
	if len(seen) != 4 || g.Delay[0] != 20 || g.Delay[3] != 80 || g.LoopCount != 0 {
		t.Fatalf("%d frames, delays %v, loops %d", len(seen), g.Delay, g.LoopCount)
	}
	if size := g.Image[2].Rect.Size(); size != image.Pt(1, 1) {
		t.Errorf("a frame that changes nothing is %v", size)
	}
	for i, frame := range seen {
		want := frames[i].Image(screenDPI)
		if frame.Rect != want.Rect {
			t.Fatalf("frame %d is %v, the figure %v", i, frame.Rect, want.Rect)
		}
		for k := range want.Pix {
			if d := abs(int(frame.Pix[k]) - int(want.Pix[k])); d > 24 {
				t.Fatalf("frame %d: byte %d is %d, in the figure %d", i, k, frame.Pix[k], want.Pix[k])
			}
		}
	}
	if a.Width != frames[0].Width || a.Height != frames[0].Height {
		t.Errorf("%v by %v", a.Width, a.Height)
	}
}

// Chains that run towards the origin over a landscape that stands still.
func TestAnimationGolden(t *testing.T) {
	d := pointSet(t, 300, corners)
	grid, chains := survey(t, hills{[][2]float64{{0, 0}}, 6}, d), climbing(12, 12, .88)
	var frames []*Figure
	for k := range chains.Steps {
		so := *chains
		so.Steps, so.X = so.Steps[:k+1], so.X[:k+1]
		f, err := Landscapes(OwnScale, Landscape{Title: fmt.Sprintf("step %d", k), Grid: grid, Chains: &so})
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	a, err := Animate(150*time.Millisecond, frames...)
	if err != nil {
		t.Fatal(err)
	}
	goldenAnimation(t, "animate", a)
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
		grid, err := EnergyGrid(context.Background(), hills{[][2]float64{{-1, 0}, {1, 0}}, height}, train, 20)
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

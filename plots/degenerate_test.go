package plots

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// faults are the degenerate inputs that everything that draws is tried with.
var faults = []string{"nothing", "one", "one class", "all equal", "NaN", "infinite", "one bin", "mismatched", "no size"}

// degenerate is an input at the edge of what a function takes: it is drawn where says is
// empty, else refused with an error that holds says.
type degenerate struct {
	fault string
	draw  func() (*Figure, error)
	says  string
}

// degenerateCases is how one function is tried.
type degenerateCases struct {
	rows []degenerate
	// without lists the faults that no input of the function can have, such as NaN in
	// an image of bytes.
	without []string
}

// degenerateInputs holds the rows of every function that draws.
func degenerateInputs(t *testing.T) map[string]degenerateCases {
	all := map[string]degenerateCases{}
	for _, some := range []map[string]degenerateCases{degenerateImages(t), degenerateLandscapes(t), degenerateTraining(t), degenerateEval(t)} {
		maps.Copy(all, some)
	}
	return all
}

// Every fault is drawn or refused: in time, without a panic, and with no axis, mark or
// word that is not a number.
func TestDegenerateInputs(t *testing.T) {
	for name, of := range degenerateInputs(t) {
		for _, fault := range faults {
			tried := slices.ContainsFunc(of.rows, func(o degenerate) bool { return o.fault == fault })
			if tried == slices.Contains(of.without, fault) {
				t.Errorf("%s: %q must be among its rows, or among what it is without", name, fault)
			}
		}
		for _, o := range of.rows {
			t.Run(name+"/"+o.fault, func(t *testing.T) { tryDegenerate(t, o) })
		}
	}
}

// tryDegenerate gives up after a while, so that an endless loop fails its own row.
func tryDegenerate(t *testing.T, o degenerate) {
	if !slices.Contains(faults, o.fault) {
		t.Fatalf("%q is not among the faults", o.fault)
	}
	type outcome struct {
		err    error
		drawn  []recorder.Action
		figure *Figure
		panics any
	}
	done := make(chan outcome, 1)
	go func() {
		var out outcome
		defer func() { out.panics = recover(); done <- out }()
		if out.figure, out.err = o.draw(); out.err == nil {
			canvas := &recorder.Canvas{}
			out.figure.draw(draw.NewCanvas(canvas, out.figure.Width, out.figure.Height))
			out.drawn = canvas.Actions
		}
	}()
	select {
	case out := <-done:
		switch {
		case out.panics != nil:
			t.Errorf("panic: %v", out.panics)
		case o.says != "" && (out.err == nil || !strings.Contains(out.err.Error(), o.says)):
			t.Errorf("error %v, want one with %q", out.err, o.says)
		case o.says == "" && out.err != nil:
			t.Error(out.err)
		case o.says == "":
			for _, fault := range notNumbers(out.figure, out.drawn) {
				t.Error(fault)
			}
		}
	case <-time.After(time.Minute):
		t.Error("it has not ended after a minute")
	}
}

// notNumbers says what in a drawing is nowhere, beyond all bounds or called NaN, and
// whether a figure with axes has fewer than two numbers on them.
func notNumbers(f *Figure, drawn []recorder.Action) (found []string) {
	if len(drawn) == 0 || f.Alt == "" || !(f.Width > 0 && f.Height > 0 && f.Width < 100*vg.Inch && f.Height < 100*vg.Inch) {
		found = append(found, fmt.Sprintf("%d strokes on %v by %v points, described as %q", len(drawn), f.Width, f.Height, f.Alt))
	}
	check := func(what string, at vg.Point) {
		if !finite(float64(at.X)) || !finite(float64(at.Y)) {
			found = append(found, fmt.Sprintf("%s at %v", what, at))
		}
	}
	words := append(strings.Fields(f.Alt), "")
	numbers := 0
	for _, a := range drawn {
		switch a := a.(type) {
		case *recorder.Stroke:
			for _, c := range a.Path {
				check("a line", c.Pos)
			}
		case *recorder.Fill:
			for _, c := range a.Path {
				check("an area", c.Pos)
			}
		case *recorder.DrawImage:
			check("an image", a.Rectangle.Min)
			check("an image", a.Rectangle.Max)
		case *recorder.FillString:
			check(a.String, a.Point)
			words = append(words, strings.Fields(a.String)...)
			if _, err := strconv.ParseFloat(strings.Replace(a.String, "−", "-", 1), 64); err == nil {
				numbers++
			}
		}
	}
	for _, w := range words {
		if strings.HasPrefix(w, "NaN") || strings.Contains(w, "Inf") {
			found = append(found, fmt.Sprintf("it says %q", w))
		}
	}
	if !f.photo && numbers < 2 {
		found = append(found, fmt.Sprintf("%d numbers are on its axes", numbers))
	}
	return found
}

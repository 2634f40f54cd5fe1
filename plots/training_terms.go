package plots

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"ngebm/ngebm/study/palette"
)

// Term is a value that was reported while something runs, such as the loss or one of
// its terms.
type Term struct {
	Name string
	X, Y []float64 // Y is what was reported at X, such as a step; as many of each, X ascending
}

// Layout of a [Terms] figure.
const (
	termsAcross           = 4
	maxTerms              = 2 * termsAcross
	termHeight  vg.Length = 120
)

// Terms draws small charts of what was reported so far, four in a row and at most eight,
// for a display that is renewed while something runs. xLabel says what X counts, such as
// "steps". events are places on that axis, each drawn as a numbered line, such as
// a rollback. A term with fewer than two points is left out.
func Terms(xLabel string, events []float64, terms ...Term) (*Figure, error) {
	var lines eventLines
	for _, at := range events {
		if !finite(at) {
			return nil, fmt.Errorf("plots: an event is at %v: give a finite place on the axis of %s", at, xLabel)
		}
		lines = append(lines, event{at: at})
	}
	var panels []panel
	var names []string
	for _, t := range terms {
		if err := t.check(); err != nil {
			return nil, err
		}
		if len(t.X) < 2 || len(panels) == maxTerms {
			continue
		}
		p := newHistoryPanel(t.Name)
		p.X.Tick.Marker = roundTicks(3)
		p.Y.Tick.Marker = roundTicks(3)
		addSeries(p.Plot, []series{{x: t.X, y: t.Y, noisy: true, style: draw.LineStyle{Color: palette.Blue, Width: lineWidth}}})
		p.X.Min, p.X.Max = 0, t.X[len(t.X)-1]
		for _, e := range lines {
			p.X.Max = max(p.X.Max, e.at)
		}
		p.Add(lines)
		p.xLabel = xLabel
		panels, names = append(panels, p), append(names, t.Name)
	}
	if len(panels) == 0 {
		return nil, errors.New("plots: no term to draw: give one with two points or more")
	}
	columns := min(termsAcross, len(panels))
	rows := (len(panels) + columns - 1) / columns
	f := &Figure{
		Width: fullWidth * vg.Length(columns) / termsAcross, Height: termHeight * vg.Length(rows),
		Alt: fmt.Sprintf("So far, against %s: %s.", xLabel, strings.Join(names, ", ")),
	}
	f.draw = func(c draw.Canvas) { drawPanels(inner(c), panels, columns) }
	return f, nil
}

func (t Term) check() error {
	if len(t.X) != len(t.Y) {
		return fmt.Errorf("plots: the term %q has %d places and %d values: give as many of each", t.Name, len(t.X), len(t.Y))
	}
	for i, x := range t.X {
		if !finite(x) || i > 0 && x <= t.X[i-1] {
			return fmt.Errorf("plots: places of the term %q must ascend, but number %d is %v", t.Name, i+1, x)
		}
	}
	return nil
}

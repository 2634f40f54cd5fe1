package explorer

import (
	"context"
	"errors"
	"fmt"
	"html"
	"time"

	"ngebm/ngebm"
)

// page is what a person sees and presses.
type page interface {
	show(html string)         // in place of what was shown
	messages() <-chan message // in any order, now and then one twice or never
}

// dialogue trains what is asked for on a page and shows it.
type dialogue struct {
	page     page
	start    Settings
	patience time.Duration // how long the page may be silent
	// train trains until ctx ends, and lets look look at every epoch.
	train func(ctx context.Context, s Settings, look func(*ngebm.Run)) (*ngebm.Run, error)
	// draw gives a picture of a run in mid-training, as HTML.
	draw func(*ngebm.Run) (string, error)

	latest  int // number of the message that was heeded last
	presses int // that were heeded
	work    *work
	last    *ngebm.Run
	picture string // of the last run
}

// work is a training under way.
type work struct {
	settings Settings
	cancel   context.CancelFunc
	ended    chan ending // gets one value
}

type ending struct {
	run *ngebm.Run
	err error
}

// hold goes on until the page says finish or nothing any more, or ctx ends.
func (d *dialogue) hold(ctx context.Context) (*ngebm.Run, error) {
	d.say("Move the sliders and press Train.")
	silent := time.NewTimer(d.patience)
	defer silent.Stop()
	for {
		var ended chan ending
		if d.work != nil {
			ended = d.work.ended
		}
		select {
		case m := <-d.page.messages():
			silent.Reset(d.patience)
			if finish := d.heed(ctx, m); finish {
				d.stop()
				d.page.show(line("Finished. Run the cell again to go on exploring."))
				return d.last, nil
			}
		case e := <-ended:
			s := d.work.settings
			d.work = nil
			if err := d.take(e); err != nil {
				d.say(fmt.Sprintf("%s: %v. Move the sliders and press Train.", s, err))
			} else {
				d.say(fmt.Sprintf("✓ %s: accuracy %s. Press Train to learn anew.", s, lastAccuracy(e.run)))
			}
		case <-silent.C:
			d.stop()
			d.page.show(line("The browser that showed the sliders is gone. Run the cell again to go on exploring."))
			return d.last, nil
		case <-ctx.Done():
			d.stop()
			d.page.show(line("Interrupted. Run the cell again to go on exploring."))
			return d.last, nil
		}
	}
}

// heed does what a message asks for, once, and tells whether that was to finish.
func (d *dialogue) heed(ctx context.Context, m message) (finish bool) {
	if m.Number <= d.latest {
		return false
	}
	d.latest = m.Number
	if m.Presses <= d.presses {
		return false
	}
	d.presses = m.Presses
	switch m.Pressed {
	case pressedTrain:
		d.stop()
		d.begin(ctx, m.settings)
	case pressedStop:
		if d.work == nil {
			return false
		}
		s := d.work.settings
		if d.stop() {
			d.say(fmt.Sprintf("✓ %s. Press Train to learn anew.", s)) // it had just ended
		} else {
			d.say(fmt.Sprintf("Stopped %s: %s. Press Train to learn anew.", reached(d.last), s))
		}
	case pressedFinish:
		return true
	}
	return false
}

// begin starts a training.
func (d *dialogue) begin(ctx context.Context, s Settings) {
	ctx, cancel := context.WithCancel(ctx)
	w := &work{settings: s, cancel: cancel, ended: make(chan ending, 1)}
	d.work, d.last, d.picture = w, nil, ""
	// A bar that moves by itself, as nothing is reported while XLA compiles.
	d.page.show(line("Starting "+s.String()+": compiling takes some seconds …") + `<progress aria-label="compiling"></progress>`)
	var next time.Time
	look := func(run *ngebm.Run) {
		began := time.Now()
		done := run.History.Steps() == s.Epochs*run.History.StepsPerEpoch
		if ctx.Err() != nil || began.Before(next) && !done {
			return
		}
		picture, err := d.draw(run)
		if err != nil { // a run that diverges says so itself, in a moment
			return
		}
		d.page.show(line(fmt.Sprintf("Learning %s: %s", s, reached(run))) + picture)
		next = time.Now().Add(max(leastPause, time.Since(began))) // at least half the time is for training
	}
	go func() {
		run, err := d.train(ctx, s, look)
		w.ended <- ending{run, err}
	}()
}

// leastPause is the least time between two pictures: more than that many a second
// nobody sees.
const leastPause = 150 * time.Millisecond

// stop ends the training under way, if there is one, and waits for that; it tells
// whether the training was complete.
func (d *dialogue) stop() (complete bool) {
	if d.work == nil {
		return false
	}
	d.work.cancel()
	e := <-d.work.ended
	d.work = nil
	d.take(e)
	return e.err == nil
}

// take keeps a run that has ended, with its picture. That it was stopped is no error.
func (d *dialogue) take(e ending) error {
	if d.last = looked(e.run); d.last != nil {
		if picture, err := d.draw(d.last); err == nil {
			d.picture = picture
		}
	}
	if errors.Is(e.err, ngebm.ErrStopped) {
		return nil
	}
	return e.err
}

// say shows a line above the picture of the last run.
func (d *dialogue) say(text string) { d.page.show(line(text) + d.picture) }

// line is a line of text as HTML. It has no colour, as its ground may be dark.
func line(text string) string {
	return `<div style="font-family:sans-serif;font-size:13px;line-height:1.5;padding:4px 0" role="status">` + html.EscapeString(text) + `</div>`
}

// reached says how far a run has come.
func reached(run *ngebm.Run) string {
	if run == nil {
		return "before epoch 1"
	}
	h := run.History
	text := fmt.Sprintf("at epoch %d of %d, loss %.3g", h.Steps()/h.StepsPerEpoch, run.Config.Epochs, h.Loss[h.Steps()-1])
	for i, name := range h.Terms {
		text += fmt.Sprintf(", %s %.3g", name, h.Values[i][h.Steps()-1])
	}
	return text
}

// lastAccuracy is a run's accuracy at its last evaluation.
func lastAccuracy(run *ngebm.Run) string {
	if n := len(run.History.Evaluations); n > 0 {
		e := run.History.Evaluations[n-1]
		return fmt.Sprintf("%.3f on the %s set", e.Accuracy, e.Split)
	}
	return "not measured"
}

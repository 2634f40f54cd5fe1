package explorer

import (
	"context"
	"errors"
	"fmt"
	"html"
	"time"

	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// page is what a person sees and presses.
type page interface {
	show(html string)         // replaces what was shown
	messages() <-chan message // in any order; one may come twice or never
}

// session trains what is asked for on a page and shows it.
type session struct {
	page       page
	maxSilence time.Duration // of the page
	// train trains until ctx ends, and calls look at every epoch.
	train func(ctx context.Context, s Settings, look func(*ngebm.Run)) (*ngebm.Run, error)
	// draw returns a picture of a run that may still learn, as HTML.
	draw func(*ngebm.Run) (string, error)

	views   map[string]counts // by the name of the panel's view
	job     *job
	last    *ngebm.Run
	picture string // of the last run
}

// counts are the last message of a view of the panel, and its presses, that were handled.
type counts struct{ number, presses int }

// maxViews bounds the views whose messages are counted: a person opens a few.
const maxViews = 100

// job is a training that runs.
type job struct {
	settings Settings
	cancel   context.CancelFunc
	done     chan result // gets one value
	picture  string      // drawn last while the network learns; to be read once done has its value
}

type result struct {
	run *ngebm.Run
	err error
}

// run returns the last run when the page sends Finish or falls silent, or ctx ends.
func (s *session) run(ctx context.Context) (*ngebm.Run, error) {
	s.say("Move the sliders and press Train.")
	silent := time.NewTimer(s.maxSilence)
	defer silent.Stop()
	for {
		var done chan result
		if s.job != nil {
			done = s.job.done
		}
		select {
		case m := <-s.page.messages():
			silent.Reset(s.maxSilence)
			if finish := s.handle(ctx, m); finish {
				s.stop()
				s.page.show(line("Finished. Run the cell again to explore more."))
				return s.last, nil
			}
		case r := <-done:
			settings := s.job.settings
			err := s.keep(r)
			if ctx.Err() != nil {
				continue // it was interrupted, not done
			}
			s.redraw()
			if err != nil {
				s.say(fmt.Sprintf("%s: %v. Move the sliders and press Train.", settings, err))
			} else {
				s.say(fmt.Sprintf("✓ %s: accuracy %s. Press Train to train again.", settings, lastAccuracy(r.run)))
			}
		case <-silent.C:
			s.stop()
			s.page.show(line("The browser that showed the sliders is gone. Run the cell again to explore more."))
			return s.last, nil
		case <-ctx.Done():
			// GoNB kills a cell five seconds after an interrupt, so nothing is drawn again.
			s.stop()
			s.say("Interrupted. Run the cell again to explore more.")
			return s.last, nil
		}
	}
}

// handle does what a message asks for, once, and reports whether that was to finish.
func (s *session) handle(ctx context.Context, m message) (finish bool) {
	seen, known := s.views[m.Panel]
	if m.Number <= seen.number || !known && len(s.views) == maxViews {
		return false
	}
	if s.views == nil {
		s.views = map[string]counts{}
	}
	pressed := m.Presses > seen.presses
	s.views[m.Panel] = counts{m.Number, max(m.Presses, seen.presses)}
	if !pressed {
		return false
	}
	switch m.Pressed {
	case pressedTrain:
		s.stop()
		if m.invalid != nil {
			s.redraw()
			s.say(fmt.Sprintf("%v. Move the sliders and press Train.", m.invalid))
			return false
		}
		s.start(ctx, m.settings)
	case pressedStop:
		if s.job == nil {
			return false
		}
		settings := s.job.settings
		complete := s.stop()
		s.redraw()
		if complete {
			s.say(fmt.Sprintf("✓ %s. Press Train to train again.", settings)) // it had just ended
		} else {
			s.say(fmt.Sprintf("Stopped %s: %s. Press Train to train again.", reached(s.last), settings))
		}
	case pressedFinish:
		return true
	}
	return false
}

// start starts a training.
func (s *session) start(ctx context.Context, settings Settings) {
	ctx, cancel := context.WithCancel(ctx)
	j := &job{settings: settings, cancel: cancel, done: make(chan result, 1)}
	s.job, s.last, s.picture = j, nil, ""
	// A bar that moves by itself, as nothing is reported while XLA compiles.
	s.page.show(line("Starting "+settings.String()+": compiling takes some seconds …") + `<progress aria-label="compiling"></progress>`)
	var next time.Time
	look := func(run *ngebm.Run) {
		began := time.Now()
		complete := run.History.Steps() == settings.Epochs*run.History.StepsPerEpoch
		if ctx.Err() != nil || began.Before(next) && !complete {
			return
		}
		picture, err := s.draw(run)
		if err != nil { // training reports in a moment that the run diverged
			return
		}
		j.picture = picture
		s.page.show(line(fmt.Sprintf("Learning %s: %s", settings, reached(run))) + picture)
		next = time.Now().Add(max(minPause, time.Since(began))) // leaves at least half the time for training
	}
	go func() {
		run, err := s.train(ctx, settings, look)
		j.done <- result{run, err}
	}()
}

// minPause is the time between two pictures: more than seven a second are not seen.
const minPause = 150 * time.Millisecond

// stop ends the training that runs, if any, and waits for its end; it reports whether
// the training was complete. The last picture is the one that was drawn while it learned.
func (s *session) stop() (complete bool) {
	if s.job == nil {
		return false
	}
	s.job.cancel()
	r := <-s.job.done
	s.keep(r)
	return r.err == nil
}

// keep keeps the run of the job, which has ended, with its last picture. That it was stopped
// is no error.
func (s *session) keep(r result) error {
	if s.last = afterFirstEpoch(r.run); s.last != nil {
		s.picture = s.job.picture
	}
	s.job.cancel()
	s.job = nil
	if errors.Is(r.err, train.ErrStopped) {
		return nil
	}
	return r.err
}

// redraw draws the last run as it ended.
func (s *session) redraw() {
	if s.last == nil {
		return
	}
	if picture, err := s.draw(s.last); err == nil {
		s.picture = picture
	}
}

// say shows a line above the picture of the last run.
func (s *session) say(text string) { s.page.show(line(text) + s.picture) }

// line is a line of text as HTML. It has no color, as the background may be dark.
func line(text string) string {
	return `<div style="font-family:sans-serif;font-size:13px;line-height:1.5;padding:4px 0" role="status">` + html.EscapeString(text) + `</div>`
}

// reached describes how far a run has come.
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

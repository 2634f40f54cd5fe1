package explorer

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// desk is a page whose buttons a test presses, and a training of 10 ms an epoch.
type desk struct {
	t        *testing.T
	received chan message
	sent     message
	mu       sync.Mutex
	shown    []string
	trained  []Settings
	ended    chan result
	run      *ngebm.Run
}

func (d *desk) show(html string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = append(d.shown, html)
}

func (d *desk) messages() <-chan message { return d.received }

func (d *desk) train(ctx context.Context, s Settings, look func(*ngebm.Run)) (*ngebm.Run, error) {
	d.mu.Lock()
	d.trained = append(d.trained, s)
	d.mu.Unlock()
	h := &ngebm.History{StepsPerEpoch: 1, Terms: []string{"cross-entropy"}, Weights: []float64{s.Alpha}, Values: [][]float32{nil}}
	run := &ngebm.Run{Config: ngebm.Config{Epochs: s.Epochs, Gamma: s.Gamma}, History: h}
	for range s.Epochs {
		select {
		case <-ctx.Done():
			return run, fmt.Errorf("ngebm: %w at some step", train.ErrStopped)
		case <-time.After(10 * time.Millisecond):
		}
		if s.Gamma == 100 {
			return run, train.ErrDiverged
		}
		h.Loss, h.Values[0] = append(h.Loss, .5), append(h.Values[0], .5)
		look(run)
	}
	h.Evaluations = append(h.Evaluations, ngebm.Evaluation{Step: s.Epochs, Split: "test", Accuracy: .75})
	return run, nil
}

// openDesk runs a session at a desk.
func openDesk(ctx context.Context, t *testing.T, maxSilence time.Duration) *desk {
	d := &desk{t: t, received: make(chan message, 64), ended: make(chan result, 1)}
	s := &session{page: d, maxSilence: maxSilence, train: d.train, draw: func(run *ngebm.Run) (string, error) {
		return fmt.Sprintf("<img γ=%g epoch=%d>", run.Config.Gamma, run.History.Steps()), nil
	}}
	go func() {
		run, err := s.run(ctx)
		d.ended <- result{run, err}
	}()
	d.see("press Train")
	return d
}

// press presses a button with the sliders at these settings.
func (d *desk) press(button string, gamma float64, epochs int) {
	d.sent.Number++
	d.sent.Presses++
	d.sent.Pressed = button
	d.sent.settings = Settings{Alpha: 1, Gamma: gamma, Noise: .1, Epochs: epochs}
	d.received <- d.sent
}

// see waits until what was shown last holds a text.
func (d *desk) see(text string) string {
	d.t.Helper()
	last := ""
	for range 500 {
		d.mu.Lock()
		if n := len(d.shown); n > 0 {
			last = d.shown[n-1]
		}
		d.mu.Unlock()
		if strings.Contains(last, text) {
			return last
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.t.Fatalf("%q is not shown, but %q", text, last)
	return ""
}

func (d *desk) wait() result {
	d.t.Helper()
	select {
	case e := <-d.ended:
		return e
	case <-time.After(5 * time.Second):
		d.t.Fatal("the session does not end")
		return result{}
	}
}

// A second view of the panel counts from the beginning, and its buttons work.
func TestSecondView(t *testing.T) {
	d := openDesk(t.Context(), t, time.Minute)
	d.sent.Panel = "first"
	for range 3 {
		d.press(pressedTrain, .1, 1)
		d.see("✓")
	}
	d.sent = message{Panel: "second"}
	d.press(pressedTrain, .2, 1)
	d.see("γ=0.2")
	d.sent = message{Panel: "second"}
	d.press(pressedFinish, .2, 1) // a message that came before
	d.see("γ=0.2")
	d.sent.Number, d.sent.Presses = 1, 1
	d.press(pressedFinish, .2, 1)
	d.wait()
}

func TestTrainToTheEnd(t *testing.T) {
	d := openDesk(t.Context(), t, time.Minute)
	d.press("train", .1, 30)
	d.see("Learning α=1 β=0 γ=0.1, noise 0.1, 30 epochs: at epoch ")
	d.received <- d.sent // once more: it must not start again
	if got := d.see("✓ α=1"); !strings.Contains(got, "accuracy 0.750 on the test set") || !strings.Contains(got, "<img γ=0.1 epoch=30>") {
		t.Errorf("at the end it shows %q", got)
	}
	d.press("finish", .1, 30)
	if e := d.wait(); e.err != nil || e.run == nil || e.run.History.Steps() != 30 || len(d.trained) != 1 {
		t.Errorf("%+v after %v", e, d.trained)
	}
	if got := d.see("Finished."); strings.Contains(got, "<img") {
		t.Errorf("what stays in the notebook holds the picture: %q", got)
	}
}

func TestStopAndStartAgain(t *testing.T) {
	d := openDesk(t.Context(), t, time.Minute)
	d.press("stop", .1, 1000) // nothing to stop
	d.press("train", .1, 1000)
	d.see("<img γ=0.1")
	d.press("stop", .1, 1000)
	got := d.see("Stopped at epoch ")
	if !strings.Contains(got, "of 1000, loss 0.5, cross-entropy 0.5: α=1") || !strings.Contains(got, "<img γ=0.1") {
		t.Errorf("when stopped it shows %q", got)
	}
	d.press("train", 1, 1000)
	d.see("<img γ=1")
	d.press("train", .5, 5) // without a stop before
	d.see("✓ α=1 β=0 γ=0.5")
	d.press("finish", .5, 5)
	if e := d.wait(); e.err != nil || e.run.Config.Gamma != .5 || len(d.trained) != 3 {
		t.Errorf("%+v after %v", e, d.trained)
	}
}

// With all weights at 0 Stop and Finish work, and Train says once what is wrong.
func TestNothingToTrain(t *testing.T) {
	d := openDesk(t.Context(), t, time.Minute)
	zeros := func(number, presses int, pressed string) {
		m, err := parseMessage(fmt.Sprintf(`{"number":%d,"presses":%d,"pressed":%q,"values":{"noise":0.1,"epochs":1000}}`, number, presses, pressed))
		if err != nil {
			t.Error(err)
		}
		d.received <- m
	}
	d.press("train", .1, 1000)
	d.see("<img γ=0.1")
	zeros(2, 2, "stop")
	d.see("Stopped at epoch ")
	zeros(3, 3, "train")
	d.see("alpha, beta and gamma are all 0")
	zeros(4, 3, "train") // the message of the next second
	zeros(5, 4, "finish")
	if d.wait(); len(d.trained) != 1 || strings.Count(strings.Join(d.shown, ""), "are all 0") != 1 {
		t.Errorf("trained %v, shown %q", d.trained, d.shown)
	}
}

// Messages come in any order; only the newest press counts.
func TestLateMessages(t *testing.T) {
	d := openDesk(t.Context(), t, time.Minute)
	late := message{Number: 1, Presses: 1, Pressed: "train", settings: Settings{Alpha: 1, Gamma: 3, Noise: .1, Epochs: 1000}}
	d.sent = message{Number: 1, Presses: 1}
	d.press("train", .1, 2)
	d.see("✓ α=1")
	d.received <- late
	d.press("finish", 0, 2)
	if d.wait(); len(d.trained) != 1 {
		t.Errorf("trained %v", d.trained)
	}
}

func TestDiverged(t *testing.T) {
	d := openDesk(t.Context(), t, time.Minute)
	d.press("train", 100, 3)
	d.see("γ=100, noise 0.1, 3 epochs: diverged")
	d.press("train", .1, 3)
	d.see("✓ α=1")
	d.press("finish", 0, 2)
	d.wait()
}

// Whatever ends a session ends the training too, and is no error.
func TestEnds(t *testing.T) {
	t.Run("interrupt", func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		d := openDesk(ctx, t, time.Minute)
		d.press("train", .1, 1000)
		d.see("<img γ=0.1")
		interrupt()
		if e := d.wait(); e.err != nil || e.run == nil || e.run.History.Steps() == 1000 {
			t.Errorf("%+v", e)
		}
		d.see("Interrupted. Run the cell again to explore more.</div><img γ=0.1") // the last picture stays
	})
	t.Run("nothing was trained", func(t *testing.T) {
		d := openDesk(t.Context(), t, time.Minute)
		d.press("finish", .1, 1000)
		if e := d.wait(); e.err != nil || e.run != nil {
			t.Errorf("%+v", e)
		}
	})
	t.Run("the browser is gone", func(t *testing.T) {
		d := openDesk(t.Context(), t, 300*time.Millisecond)
		d.press("train", .1, 1000)
		if e := d.wait(); e.err != nil || e.run == nil {
			t.Errorf("%+v", e)
		}
		d.see("is gone")
	})
	t.Run("before epoch 1", func(t *testing.T) {
		run := &ngebm.Run{History: &ngebm.History{StepsPerEpoch: 5, Loss: []float32{1}}}
		if afterFirstEpoch(run) != nil || afterFirstEpoch(nil) != nil {
			t.Error("a run without a complete epoch is returned")
		}
		if got := reached(nil); got != "before epoch 1" {
			t.Error(got)
		}
	})
}

package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"ngebm/data/progress"
)

// page stands in for a notebook: the outputs in order, and how often each was
// sent.
type page struct {
	order []string
	html  map[string]string
	sent  int
	there int // so many of those sent have been waited for
}

func newPage() (*page, *live) {
	p := &page{html: map[string]string{}}
	return p, &live{
		id: "1",
		send: func(id, html string) {
			if _, ok := p.html[id]; !ok {
				p.order = append(p.order, id)
			}
			p.html[id] = html
			p.sent++
		},
		sync: func() { p.there = p.sent },
	}
}

// A cell may end right after a line that stays: the line is waited for, that of a stored
// run as that of a warning and of the end of a task.
func TestLinesThatStayAreThere(t *testing.T) {
	for name, report := range map[string]progress.Report{
		"quiet":    {Task: "loaded", Finished: true, Quiet: true},
		"warning":  {Task: "loaded; trained by other code", Finished: true},
		"finished": {Task: "train", Unit: "steps", Done: 1, Total: 1, Finished: true},
	} {
		p, l := newPage()
		l.Report(report)
		if p.sent != 1 || p.there != 1 {
			t.Errorf("%s: %d outputs, %d of them waited for", name, p.sent, p.there)
		}
	}
}

// reportSteps reports steps of 10 ms each, in a task of so many.
func reportSteps(to progress.Reporter, task string, steps, of int64, finish bool) {
	for i := int64(1); i <= steps; i++ {
		to.Report(progress.Report{
			Task: task, Done: i, Total: of, Unit: "steps", Elapsed: time.Duration(i) * 10 * time.Millisecond,
			Terms:    []progress.Term{{Name: "loss", Value: 1 / float64(i)}, {Name: "<b>", Value: 2}},
			Finished: finish && i == steps,
		})
	}
}

// assertLines checks the lines that stay in the one output.
func assertLines(t *testing.T, p *page, want ...string) {
	t.Helper()
	var got []string
	for _, line := range regexp.MustCompile(`<div>([^<]*)</div>`).FindAllStringSubmatch(p.html["1"], -1) {
		got = append(got, line[1])
	}
	if len(p.order) != 1 || len(got) != len(want) {
		t.Fatalf("%d outputs, lines %q, want %q", len(p.order), got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("line %d: got %q, want %q …", i, got[i], want[i])
		}
	}
}

func TestLive(t *testing.T) {
	t.Run("at work", func(t *testing.T) {
		p, l := newPage()
		reportSteps(l, "train <moons>", 500, 1000, false)
		if p.sent > 11 {
			t.Errorf("%d updates in 5 s, want at most two a second", p.sent)
		}
		got := p.html["1"]
		for _, part := range []string{
			"<b>train &lt;moons&gt;</b>", `value="0.45`, "of 1000 steps · 100 steps/s · 5.", " left",
			"<th", ">loss</th>", ">&lt;b&gt;</th>", "0.0022", `alt="So far, against steps: loss, &lt;b&gt;."`,
		} {
			if !strings.Contains(got, part) {
				t.Errorf("no %q in\n%s", part, got[:min(len(got), 1500)])
			}
		}
		_, encoded, found := strings.Cut(got, "base64,")
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, `"></div>`))
		if !found || err != nil {
			t.Fatalf("no chart: %v", err)
		}
		if img, err := png.Decode(bytes.NewReader(raw)); err != nil || img.Bounds().Dx() != 768 {
			t.Errorf("chart: %v", err)
		}
	})
	t.Run("done", func(t *testing.T) {
		p, l := newPage()
		reportSteps(l, "train", 600, 600, true)
		if got, want := p.html["1"], "✓ train: 600 steps in 6.0 s (100 steps/s), loss 0.00167, &lt;b&gt; 2.00</div></div>"; !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want it to end in %q", got, want)
		}
		for id, html := range p.html {
			if strings.Contains(html, "<img") || strings.Contains(html, "<progress") {
				t.Errorf("output %s still holds a bar or a chart: %q", id, html)
			}
		}
	})
	t.Run("tasks in a row keep their lines", func(t *testing.T) {
		p, l := newPage()
		l.Report(progress.Report{Task: "wait for another process"})
		reportSteps(l, "decode", 3, 3, true)
		reportSteps(l, "train", 2, 9, false) // given up without a last report
		reportSteps(l, "measure", 5, 9, true)
		assertLines(t, p, "✓ decode: 3 steps in 0.0 s", "train: 22 %, 2 of 9 steps", "measure: stopped at 5 of 9 steps")
	})
	t.Run("a task ends after another", func(t *testing.T) {
		p, l := newPage()
		reportSteps(l, "train", 5, 5, false)
		reportSteps(l, "evaluate test set", 3, 3, true)
		l.Report(progress.Report{Task: "train", Done: 5, Total: 5, Unit: "steps", Elapsed: 2 * time.Second, Finished: true})
		assertLines(t, p, "✓ evaluate test set: 3 steps", "✓ train: 5 steps in 2.0 s")
	})
	t.Run("set back", func(t *testing.T) {
		p, l := newPage()
		reportSteps(l, "train", 500, 1000, false)
		l.Report(progress.Report{Task: "loss is NaN at step 500: set back to step 400", Finished: true})
		assertLines(t, p, "⚠ loss is NaN at step 500: set back to step 400", "500 of 1000 steps")
		l.Report(progress.Report{Task: "train", Done: 401, Total: 1000, Unit: "steps", Elapsed: 6 * time.Second, Terms: []progress.Term{{Name: "loss", Value: .1}}})
		if c := l.inner.curves[0]; len(c.x) != 401 || c.x[400] != 401 || len(l.inner.events) != 1 || l.inner.events[0] != 500 {
			t.Errorf("the curve has %d points, events at %v", len(c.x), l.inner.events)
		}
		if !strings.Contains(p.html["1"], "401 of 1000 steps") || !strings.Contains(p.html["1"], "<img") {
			t.Errorf("the task's display does not resume: %s", p.html["1"])
		}
	})
	t.Run("a task encloses others", func(t *testing.T) {
		p, l := newPage()
		sweep := progress.Report{Task: "sweep", Encloses: true, Unit: "runs", Total: 8}
		for i := range 8 {
			sweep.Done, sweep.Part = int64(i), fmt.Sprint("seed ", i)
			l.Report(sweep)
			reportSteps(l, fmt.Sprint("train ", i), 50, 100, false)
			if got := p.html["1"]; !strings.Contains(got, fmt.Sprintf("<b>sweep, next: seed %d</b>", i)) || !strings.Contains(got, fmt.Sprintf("<b>train %d</b>", i)) {
				t.Fatalf("the sweep and its part are not both shown: %s", got)
			}
			reportSteps(l, fmt.Sprint("train ", i), 100, 100, true)
			l.Report(progress.Report{Task: "loaded a run", Finished: true, Quiet: true})
		}
		sweep.Done, sweep.Part, sweep.Finished = 8, "", true
		l.Report(sweep)
		if got := p.html["1"]; !strings.Contains(got, "<summary>10 lines; the last: ✓ sweep: 8 runs") || strings.Count(got, "loaded a run") != 1 || strings.Contains(got, "<progress") {
			t.Errorf("in the end: %s", got)
		}
	})
	t.Run("total unknown, no terms", func(t *testing.T) {
		p, l := newPage()
		l.Report(progress.Report{Task: "download", Done: 1, Unit: "bytes"})
		if got := p.html["1"]; strings.Contains(got, "value=") || strings.Contains(got, "<table") || strings.Contains(got, "<img") {
			t.Errorf("got %q", got)
		}
	})
}

// A curve keeps its shape in a bounded number of points.
func TestCurve(t *testing.T) {
	c := curve{stride: 1}
	for i := range 1_000_000 {
		c.add(float64(i), float64(2*i))
	}
	if n := len(c.x); n >= maxPoints || n < maxPoints/4 {
		t.Errorf("%d points", n)
	}
	for i := range c.x {
		if c.x[i] != float64(i*c.stride) || c.y[i] != 2*c.x[i] {
			t.Fatalf("point %d is (%v, %v), want every %d-th", i, c.x[i], c.y[i], c.stride)
		}
	}
	if last := c.x[len(c.x)-1]; last < 1_000_000-2*float64(c.stride) {
		t.Errorf("the last point is %v", last)
	}
}

func BenchmarkLiveChart(b *testing.B) {
	var curves []*curve
	for i := range 5 {
		c := &curve{name: fmt.Sprint("term ", i), stride: 1}
		for j := range 5000 {
			c.add(float64(j), float64(j*i%97))
		}
		curves = append(curves, c)
	}
	for b.Loop() {
		chart(curves, nil, "steps")
	}
}

func ExampleReporter() {
	report := Reporter(os.Stderr) // a live display in a notebook, else a bar or lines on standard error
	report.Report(progress.Report{Task: "train moons", Done: 10, Total: 10, Unit: "steps", Finished: true})
	// Output:
}

// A quiet notice is one small line, without the sign of an event, and as text.
func TestLiveQuietNotice(t *testing.T) {
	var sent []string
	l := &live{send: func(_, html string) { sent = append(sent, html) }, sync: func() {}}
	l.Report(progress.Report{Task: "loaded <moons>: 40 steps", Finished: true, Quiet: true})
	if len(sent) != 1 || strings.Contains(sent[0], "⚠") || !strings.Contains(sent[0], "loaded &lt;moons&gt;: 40 steps") {
		t.Errorf("sent was %q", sent)
	}
}

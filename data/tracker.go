package data

import (
	"io"
	"time"

	"ngebm/data/progress"
)

// tracker reports the progress of one task.
type tracker struct {
	to     progress.Reporter
	report progress.Report
	began  time.Time
}

func track(to progress.Reporter, task, unit string, total int64) *tracker {
	return &tracker{to: to, report: progress.Report{Task: shown(task), Unit: unit, Total: total}, began: time.Now()}
}

func (t *tracker) add(n int) {
	t.report.Done += int64(n)
	t.report.Elapsed = time.Since(t.began)
	t.to.Report(t.report)
}

// notice reports a line that stays, in a notebook too.
func notice(to progress.Reporter, line string) {
	to.Report(progress.Report{Task: shown(line), Finished: true})
}

// finish sends the last report; defer it.
func (t *tracker) finish() {
	t.report.Finished = true
	t.add(0)
}

// reader returns r, counting the bytes read as progress.
func (t *tracker) reader(r io.Reader) io.Reader { return &trackedReader{r, t} }

type trackedReader struct {
	io.Reader
	tracker *tracker
}

func (r *trackedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.tracker.add(n)
	return n, err
}

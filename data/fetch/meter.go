package fetch

import (
	"time"

	"ngebm/data/progress"
)

// meter counts the bytes of one task for a reporter.
type meter struct {
	to     progress.Reporter
	report progress.Report
	began  time.Time
}

// newMeter starts at the given byte of total, 0 where that is not known.
func newMeter(to progress.Reporter, task string, start, total int64) *meter {
	return &meter{to, progress.Report{Task: task, Unit: "bytes", Start: start, Done: start, Total: total}, time.Now()}
}

func (m *meter) add(n int64) { m.set(m.report.Done + n) }

// set reports that the work is at this byte, which may be before the last.
func (m *meter) set(at int64) {
	m.report.Done = at
	m.report.Start = min(m.report.Start, at)
	m.report.Elapsed = time.Since(m.began)
	m.to.Report(m.report)
}

// finish makes the last report; defer it.
func (m *meter) finish() {
	m.report.Finished = true
	m.add(0)
}

// say reports a notice.
func say(to progress.Reporter, what string) { to.Report(progress.Report{Task: what}) }

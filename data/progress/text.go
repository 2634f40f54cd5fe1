package progress

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ngebm/data/plain"
)

// String says the report in one line, without line break: how far and how fast
// while it runs, what was done and in what time once it has finished.
//
//	train moons: 40 %, 120 of 300 steps, 60 steps/s, 3.0 s left, cross-entropy 0.31
//	train moons: 300 steps in 5.0 s (60 steps/s), cross-entropy 0.12
//	train moons: stopped at 120 of 300 steps after 2.0 s (60 steps/s), cross-entropy 0.31
func (r Report) String() string {
	line := r.state()
	if line == "" {
		return plain.Text(r.Title())
	}
	if f, ok := r.Fraction(); ok && !r.Finished {
		line = fmt.Sprintf("%d %%, ", int(100*f)) + line
	}
	if r.Task != "" {
		line = r.Title() + ": " + line
	}
	return plain.Text(line)
}

// Amount is the units done, of the total if that is known: "120 of 300 steps", "1.5 of 19.2 MB". It is
// empty for a report without unit, which is a notice ("wait for another process …").
func (r Report) Amount() string {
	if r.Unit == "" {
		return ""
	}
	if r.Total > 0 && r.Done != r.Total {
		done, unit := r.quantity(r.Done, r.Total)
		total, _ := r.quantity(r.Total, r.Total)
		return done + " of " + total + " " + unit
	}
	done, unit := r.quantity(r.Done, r.Done)
	return done + " " + unit
}

// Speed is the average speed of this process, "60 steps/s" or "12.5 MB/s", or what it prepares before the
// first unit; empty while neither is known.
func (r Report) Speed() string {
	if r.Preparing != "" && r.Done == r.Start && !r.Finished {
		return r.Preparing
	}
	done, took := r.work()
	if done <= 0 || took <= 0 {
		return ""
	}
	perSecond := float64(done) / took.Seconds()
	if r.Unit == "bytes" {
		scale, unit := byteScale(perSecond)
		return significant(perSecond/scale) + " " + unit + "/s"
	}
	if perSecond < 0.1 {
		return significant(perSecond*60) + " " + r.Unit + "/min"
	}
	return significant(perSecond) + " " + r.Unit + "/s"
}

// Fraction is Done/Total in [0,1], and false if Total is not known.
func (r Report) Fraction() (float64, bool) {
	if r.Total <= 0 {
		return 0, false
	}
	return min(1, max(0, float64(r.Done)/float64(r.Total))), true
}

// state says how far, how fast, and the terms.
func (r Report) state() string {
	var parts []string
	if r.Unit != "" {
		parts = append(parts, r.pace())
	}
	for _, t := range r.Terms {
		parts = append(parts, t.Name+" "+t.Text())
	}
	return strings.Join(parts, ", ")
}

// pace says how far and how fast.
func (r Report) pace() string {
	speed := r.Speed()
	if r.Finished {
		line := r.Amount()
		switch {
		case r.Total > 0 && r.Done < r.Total:
			line = "stopped at " + line + " after " + Duration(r.Elapsed)
		case r.Start > 0:
			resumed, _ := r.quantity(r.Start, r.Done)
			line += ", resumed at " + resumed + ", in " + Duration(r.Elapsed)
		default:
			line += " in " + Duration(r.Elapsed)
		}
		if speed != "" {
			line += " (" + speed + ")"
		}
		return line
	}
	line := r.Amount()
	if speed != "" {
		line += ", " + speed
	}
	if eta, ok := r.ETA(); ok {
		line += ", " + Duration(eta) + " left"
	}
	return line
}

// Text is the term's value to three significant digits.
func (t Term) Text() string { return significant(t.Value) }

// quantity is n in the unit that suits a quantity of the size of like.
func (r Report) quantity(n, like int64) (value, unit string) {
	if r.Unit != "bytes" {
		return strconv.FormatInt(n, 10), r.Unit
	}
	scale, unit := byteScale(float64(like))
	if scale == 1 {
		return strconv.FormatInt(n, 10), unit
	}
	return strconv.FormatFloat(float64(n)/scale, 'f', 1, 64), unit
}

// byteScale picks the decimal multiple of a byte for n.
func byteScale(n float64) (scale float64, unit string) {
	switch {
	case n >= 1e9:
		return 1e9, "GB"
	case n >= 1e6:
		return 1e6, "MB"
	case n >= 1e3:
		return 1e3, "kB"
	}
	return 1, "bytes"
}

// significant writes v with three significant digits, as people write numbers:
// "0.0312", "31.2", "3120", "3.12e+07".
func significant(v float64) string {
	size := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0) || v == 0:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case size < 1e-3 || size >= 1e6:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case size >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(size)))
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// Duration formats a duration for people: "0.4 s", "12 s", "3 min 05 s", "2 h 10 min", "3 d 4 h".
func Duration(d time.Duration) string {
	seconds := int64(d.Seconds() + 0.5)
	switch {
	case d < 9950*time.Millisecond:
		return strconv.FormatFloat(max(0, d.Seconds()), 'f', 1, 64) + " s"
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %02d s", seconds/60, seconds%60)
	case seconds < 48*3600:
		return fmt.Sprintf("%d h %02d min", seconds/3600, seconds%3600/60)
	}
	return fmt.Sprintf("%d d %d h", seconds/86400, seconds%86400/3600)
}

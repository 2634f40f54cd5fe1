// Package bootstrap computes basic bootstrap intervals (Davison and Hinkley 1997, eq. 5.6)
// of metrics of a sample: it resamples with replacement, computes the metrics of each
// resample, and reflects two percentiles of the results about the metric, [2m-hi, 2m-lo].
//
// Resampling adds noise to a metric that sums absolute gaps, such as the ECE: percentiles
// lie above the metric by that noise as the metric lies above the truth, so that the
// percentile interval, which was used before, is off by twice the bias, and the basic one
// by none of it. With 600 examples and a true ECE of .03 the percentile interval covers in
// .34 of the samples, the basic one in .9 (TestCoverage of package calibration).
//
// The result depends on the seed, not on the number of cores.
package bootstrap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Interval is a confidence interval [Low, High].
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// HasWidth reports whether an interval has a width, beyond rounding. One without says nothing
// of other samples: all resamples gave the same value, or the end of the range cut it off.
func (i Interval) HasWidth() bool {
	return i.High-i.Low > 1e-9*max(math.Abs(i.Low), math.Abs(i.High))
}

// Kind names the intervals of reports: basic ones of this package, the second way in which
// reports have them (debiased metrics are centered otherwise, and intervals without a width are
// left out). Reports that name none were stored while intervals were percentiles.
const Kind = "basic 2"

// Scale is the scale on which an interval is made. It keeps the ends in the metric's range.
type Scale int

const (
	Linear   Scale = iota // any number
	Gap                   // a sum of gaps, 0 or more, whose bias is a shift: linear, cut at 0
	Positive              // 0 or more: the interval of the logarithm
	Share                 // 0 to 1: the interval of the logit
	Signed                // -1 to 1, as a difference of shares: that of the inverse hyperbolic tangent
)

// Estimate is a metric of the whole sample.
type Estimate struct {
	Value float64
	Scale Scale
}

// Interval reflects two percentiles of the metric over resamples, low and high, about the
// metric. Where one of the three is the end of the range (a resample without errors, say),
// whose logarithm is infinite, it is made on the linear scale, and cut to the range.
func (e Estimate) Interval(low, high float64) Interval {
	forward, back := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	least, most := math.Inf(-1), math.Inf(1)
	switch e.Scale {
	case Gap, Positive:
		least = 0
	case Share:
		least, most = 0, 1
	case Signed:
		least, most = -1, 1
	}
	inside := func(v float64) bool { return v > least && v < most }
	if all := inside(e.Value) && inside(low) && inside(high); all && e.Scale == Positive {
		forward, back = math.Log, math.Exp
	} else if all && e.Scale == Share {
		forward = func(v float64) float64 { return math.Log(v / (1 - v)) }
		back = func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	} else if all && e.Scale == Signed {
		forward, back = math.Atanh, math.Tanh
	}
	cut := func(v float64) float64 { return min(max(v, least), most) }
	twice := 2 * forward(e.Value)
	return Interval{cut(back(twice - forward(high))), cut(back(twice - forward(low)))}
}

// Options of the bootstrap. The zero value draws no intervals.
type Options struct {
	Resamples int     `json:"resamples"` // 1000 is usual; 0 draws none
	Level     float64 `json:"level"`     // in (0,1); 0 means .95
	Seed      uint64  `json:"seed"`
}

// maxResamples bounds the memory of the resamples' metrics.
const maxResamples = 1_000_000

// Validate returns an error that names the option that is out of range.
func (o Options) Validate() error {
	if o.Resamples < 0 || o.Resamples > maxResamples {
		return fmt.Errorf("bootstrap: %d resamples; it must be 0 (no intervals) to %d, and 1000 is usual", o.Resamples, maxResamples)
	}
	if !(o.Level >= 0 && o.Level < 1) { // also NaN
		return fmt.Errorf("bootstrap: level is %v; it must be between 0 and 1, such as .95", o.Level)
	}
	return nil
}

// Resample draws len(counts) of as many examples with replacement, and sets counts to the
// number of times that each was drawn.
func Resample(rng *rand.Rand, counts []int32) {
	clear(counts)
	for range counts {
		counts[rng.IntN(len(counts))]++
	}
}

// Intervals draws o.Resamples resamples and returns an interval for each metric, nil
// without resamples. newWorker is called once for each core. The function that it returns
// draws one resample with rng and writes its metrics into out, in the order of metrics; no
// other goroutine calls it. Percentiles are interpolated linearly (numpy.percentile's
// default).
func Intervals(o Options, metrics []Estimate, newWorker func() func(rng *rand.Rand, out []float64)) ([]Interval, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Resamples == 0 {
		return nil, nil
	}
	results := make([][]float64, o.Resamples)
	jobs := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), o.Resamples) {
		draw := newWorker()
		workers.Go(func() {
			for job := range jobs {
				out := make([]float64, len(metrics))
				draw(rand.New(rand.NewPCG(o.Seed, uint64(job))), out)
				results[job] = out
			}
		})
	}
	for job := range results {
		jobs <- job
	}
	close(jobs)
	workers.Wait()

	level := o.Level
	if level == 0 {
		level = .95
	}
	intervals := make([]Interval, len(metrics))
	column := make([]float64, o.Resamples)
	for k := range intervals {
		for r := range results {
			column[r] = results[r][k]
		}
		slices.Sort(column)
		intervals[k] = metrics[k].Interval(Percentile(column, (1-level)/2), Percentile(column, (1+level)/2))
	}
	return intervals, nil
}

// Percentile interpolates linearly between the values of a sorted sample of one or more, as
// numpy.percentile does by default. q is the share of values below, from 0 to 1.
func Percentile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

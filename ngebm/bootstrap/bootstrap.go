// Package bootstrap computes percentile bootstrap intervals (Efron 1979) of metrics of a
// sample: it resamples with replacement, computes the metrics of each resample, and takes
// two percentiles of the results.
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

// Intervals draws o.Resamples resamples and returns an interval for each of n metrics, nil
// without resamples. newWorker is called once for each core. The function that it returns
// draws one resample with rng and writes its n metrics into out; no other goroutine calls
// it. Percentiles are interpolated linearly (numpy.percentile's default).
func Intervals(o Options, n int, newWorker func() func(rng *rand.Rand, out []float64)) ([]Interval, error) {
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
				out := make([]float64, n)
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
	intervals := make([]Interval, n)
	column := make([]float64, o.Resamples)
	for k := range intervals {
		for r := range results {
			column[r] = results[r][k]
		}
		slices.Sort(column)
		intervals[k] = Interval{percentile(column, (1-level)/2), percentile(column, (1+level)/2)}
	}
	return intervals, nil
}

// percentile interpolates between the order statistics of a sorted sample.
func percentile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Package bootstrap draws percentile intervals (Efron 1979) around figures that
// are computed from a sample: the sample is drawn again with replacement, the
// figures are computed again, and the interval is between two
// percentiles of the results.
//
// One seed gives one result, however many cores there are.
package bootstrap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Interval is a confidence interval, both ends included.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Options say how to draw. The zero value draws no intervals.
type Options struct {
	Resamples int     `json:"resamples"` // number of samples drawn; 1000 is usual, 0 draws none
	Level     float64 `json:"level"`     // between 0 and 1; 0 means .95
	Seed      uint64  `json:"seed"`
}

// maxResamples bounds the memory of the samples' figures.
const maxResamples = 1_000_000

// Validate returns an error that names the option that is out of range.
func (o Options) Validate() error {
	if o.Resamples < 0 || o.Resamples > maxResamples {
		return fmt.Errorf("bootstrap: %d resamples; it must be 0 (no intervals) to %d, and 1000 is usual", o.Resamples, maxResamples)
	}
	if !(o.Level >= 0 && o.Level < 1) { // also NaN
		return fmt.Errorf("bootstrap: level is %v; it must be between 0 and 1, as .95 is", o.Level)
	}
	return nil
}

// Resample draws a sample of len(counts) from as many examples with
// replacement, and sets counts to how often each was drawn.
func Resample(rng *rand.Rand, counts []int32) {
	clear(counts)
	for range counts {
		counts[rng.IntN(len(counts))]++
	}
}

// Intervals draws o.Resamples samples and returns one interval for each of n
// figures. newWorker is called once for each core and returns the function that
// draws one sample with rng and writes its n figures into out; what newWorker
// makes belongs to that function alone. The interval's ends are percentiles with
// linear interpolation (numpy's default).
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

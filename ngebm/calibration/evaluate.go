package calibration

import (
	"fmt"
	"math"
	"slices"

	"ngebm/ngebm/bootstrap"
)

// evaluation is a sample prepared so that its metrics follow in one pass for any
// weights of the examples: all one for the metrics themselves, multiplicities
// for the bootstrap. Memory is linear in the sample.
type evaluation struct {
	n, classes, bins int

	labels        []int32
	loss          []float64  // [n]
	probabilities []float64  // [n × classes]
	cells         []int32    // [n × classes], the bin of each probability
	ranked        []ranked   // in rising order of confidence
	binIndices    []binIndex // of the ranked
}

// ranked is an example's prediction.
type ranked struct {
	confidence float64
	example    int32
	right      bool
}

// binIndex has the bins of a confidence in the three binnings of equal width.
type binIndex struct {
	bin                int32
	midpoint, official uint8
}

func newEvaluation(s Sample, bins int) (*evaluation, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	rows := s.rows()
	n, classes := len(rows), len(rows[0])
	if bins < 1 {
		return nil, fmt.Errorf("calibration: %d bins; there must be at least 1", bins)
	}
	if bins > n {
		return nil, fmt.Errorf("calibration: %d bins but %d examples; use at most as many bins as examples", bins, n)
	}
	e := &evaluation{
		n: n, classes: classes, bins: bins, labels: s.Labels,
		loss:          make([]float64, n),
		probabilities: make([]float64, n*classes),
		cells:         make([]int32, n*classes),
		ranked:        make([]ranked, n),
		binIndices:    make([]binIndex, n),
	}
	for i := range rows {
		p := e.probabilities[i*classes : (i+1)*classes]
		x := s.predictAt(i, p)
		for k, v := range p {
			e.cells[i*classes+k] = int32(binOf(v, bins))
		}
		e.loss[i] = x.loss
		e.ranked[i] = ranked{min(x.confidence, 1), int32(i), x.class == int(s.Labels[i])}
	}
	slices.SortFunc(e.ranked, func(a, b ranked) int { // they are finite, so cmp.Compare would look for NaN in vain
		switch {
		case a.confidence < b.confidence:
			return -1
		case a.confidence > b.confidence:
			return 1
		}
		return 0
	})
	for i, x := range e.ranked {
		e.binIndices[i] = binIndex{int32(binOf(x.confidence, bins)), uint8(binOf(x.confidence, midpointBins)), uint8(officialBin(x.confidence))}
	}
	return e, nil
}

// classTally is what one class's probabilities in one bin need to be summed.
type classTally struct {
	count, p, squares  float64 // Σ1, Σp, Σp²
	hits, pWhereItHits float64 // Σo, Σpo, with o 1 where the label is the class
}

// scratch is the memory that metrics need; it can be used again.
type scratch struct {
	top      []tally      // [bins]
	classes  []classTally // [classes × bins]
	edges    []float64
	midpoint [midpointBins]tally
	official [midpointBins]tally
}

func (e *evaluation) newScratch() *scratch {
	return &scratch{top: make([]tally, e.bins), classes: make([]classTally, e.classes*e.bins), edges: make([]float64, 0, e.bins)}
}

// once returns weights that count each example once.
func (e *evaluation) once() []int32 {
	weights := make([]int32, e.n)
	for i := range weights {
		weights[i] = 1
	}
	return weights
}

// metrics computes all metrics of the weighted sample; the weights sum to e.n.
func (e *evaluation) metrics(weights []int32, s *scratch) Metrics {
	var f Metrics
	clear(s.top)
	clear(s.midpoint[:])
	clear(s.official[:])
	n := float64(e.n)
	for i, x := range e.ranked {
		w, in := float64(weights[x.example]), e.binIndices[i]
		s.top[in.bin].add(w, x.confidence, x.right)
		s.midpoint[in.midpoint].add(w, x.confidence, x.right)
		s.official[in.official].add(w, x.confidence, x.right)
		f.NLL += w * e.loss[x.example] / n
	}
	var all tally
	for _, bin := range s.top {
		all.right += bin.right // whole numbers: the same sum however they fall into bins
		all.confidence += bin.confidence
		f.ECE += bin.count / n * bin.gap()
		f.MCE = max(f.MCE, bin.gap())
		f.RMSCE += bin.count / n * bin.gap() * bin.gap()
	}
	f.Accuracy, f.MeanConfidence = all.right/n, all.confidence/n
	f.RMSCE = math.Sqrt(f.RMSCE)
	f.ECEEqualMass = equalMass(e.ranked, weights, e.n, e.bins, s.edges)
	f.ECEMidpoint, f.ECEMidpointOfficial = midpoint(s.midpoint, 0), midpoint(s.official, 1e-5)
	f.Further = &Further{}
	f.AURC, f.AUGRC = riskAreas(e.ranked, weights, e.n)
	f.ECEDebiased, f.RMSCEDebiased = debiased(s.top, n)
	e.classMetrics(weights, s.classes, &f)
	return f
}

// midpoint returns Σ share × |accuracy - midpoint| over 20 bins, each of which
// holds pseudo wrong examples more than were counted.
func midpoint(bins [midpointBins]tally, pseudo float64) float64 {
	total := 0.
	for i := range bins {
		bins[i].count += pseudo
		total += bins[i].count
	}
	sum := 0.
	for i, b := range bins {
		if b.count > 0 {
			sum += b.count / total * math.Abs(b.right/b.count-(float64(i)+.5)/midpointBins)
		}
	}
	return sum
}

// classMetrics computes the metrics that look at every class's probability: the
// class-wise ECE, the Brier score and its parts. The parts are those of Murphy
// (1973), with what he could leave out as his forecasts were constant in each
// bin (Stephenson, Coelho and Jolliffe 2008, eq. 13).
func (e *evaluation) classMetrics(weights []int32, bins []classTally, f *Metrics) {
	clear(bins)
	n := float64(e.n)
	for i, label := range e.labels {
		w := float64(weights[i])
		if w == 0 {
			continue
		}
		row := e.probabilities[i*e.classes : (i+1)*e.classes]
		cells := e.cells[i*e.classes : (i+1)*e.classes]
		brier := 0.
		for k, p := range row {
			bin := &bins[k*e.bins+int(cells[k])]
			bin.count += w
			bin.p += w * p
			bin.squares += w * p * p
			miss := p
			if k == int(label) {
				bin.hits += w
				bin.pWhereItHits += w * p
				miss = 1 - p
			}
			brier += miss * miss
		}
		f.Brier += w * brier / n
	}
	for k := range e.classes {
		of := bins[k*e.bins : (k+1)*e.bins]
		share := 0.
		for _, b := range of {
			share += b.hits
		}
		share /= n
		f.BrierUncertainty += share * (1 - share)
		for _, b := range of {
			if b.count == 0 {
				continue
			}
			p, hits := b.p/b.count, b.hits/b.count
			f.ClasswiseECE += b.count / n * math.Abs(p-hits) / float64(e.classes)
			f.BrierReliability += b.count / n * (p - hits) * (p - hits)
			f.BrierResolution += b.count / n * (hits - share) * (hits - share)
			f.BrierWithinBins += (b.squares - b.count*p*p - 2*(b.pWhereItHits-b.count*p*hits)) / n
		}
	}
}

// reliability returns the top-label bins.
func (e *evaluation) reliability(s *scratch) []Bin {
	bins := make([]Bin, e.bins)
	for i, t := range s.top {
		bins[i] = Bin{Low: float64(i) / float64(e.bins), High: float64(i+1) / float64(e.bins), Count: int(t.count)}
		if t.count > 0 {
			bins[i].Confidence, bins[i].Accuracy = t.confidence/t.count, t.right/t.count
		}
	}
	e.split(func(i int) int { return int(e.binIndices[i].bin) }, func(bin int, o outcomes) {
		low, high := o.accuracies()
		bins[bin].Perfect = &bootstrap.Interval{Low: low, High: high}
	})
	return bins
}

package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"ngebm/data/plain"
	"ngebm/ngebm/bootstrap"
)

// Table holds the timings.
type Table struct {
	Plan      Plan   `json:"plan"`
	Processor string `json:"processor"` // its name, and the number of its cores
	Rows      []Row  `json:"rows"`
}

// Row is one kind of work; see [Rows].
type Row struct {
	Name string `json:"name"`
	Ours side   `json:"ours"`
	Peer *side  `json:"peer,omitempty"`
	// ReferenceDevice holds the first losses on another device.
	ReferenceDevice *side `json:"against,omitempty"`
}

// median returns the median over all rounds, in seconds.
func (s side) median() float64 { return median(slices.Concat(s.Rounds...)) }

func median(values []float64) float64 {
	return bootstrap.Percentile(slices.Sorted(slices.Values(values)), .5)
}

// ratios returns our time divided by the peer's for each round.
func (r Row) ratios() []float64 {
	var all []float64
	for i, ours := range r.Ours.Rounds {
		all = append(all, median(ours)/median(r.Peer.Rounds[i]))
	}
	return all
}

// maxAbsDiff returns the largest absolute difference of the first results to another
// side's.
func (r Row) maxAbsDiff(other *side, first int) float64 {
	largest := 0.
	for i := range min(first, len(r.Ours.Results), len(other.Results)) {
		largest = max(largest, math.Abs(r.Ours.Results[i]-other.Results[i]))
	}
	return largest
}

// passes returns the work on one example in multiples of a forward pass.
func (r Row) passes(pgdSteps int) float64 {
	switch r.Name {
	case CrossEntropy:
		return 3
	case NGEBM:
		return 6
	case JEM:
		return 3*2 + 20*2
	case GradientNorms:
		return 2
	case PGD:
		return float64(2 + 2*pgdSteps)
	}
	return 1
}

// images returns the number of examples of one unit of work.
func (t *Table) images(r Row) int {
	if steps(r.Name) {
		return t.Plan.Batch
	}
	if n := requests(r.Name); n > 0 {
		return n
	}
	return t.Plan.Images
}

// compared reports whether a row's results are comparable between programs: each draws
// JEM's noise itself, and PGD's signs amplify rounding.
func compared(row string) bool { return row != JEM && row != PGD }

// Print writes the table as text.
func (t *Table) Print(w io.Writer) error {
	p := t.Plan
	first := t.Rows[0]
	fmt.Fprintf(w, "%s, %d weights, examples of %v in %d classes; steps of %d, evaluation of %d\n", p.Net, first.Ours.Parameters, p.Shape, p.Classes, p.Batch, p.Images)
	fmt.Fprintf(w, "%s\n", t.Processor)
	fmt.Fprintf(w, "ngebm: %s\n", first.Ours.Where)
	if first.Peer != nil {
		fmt.Fprintf(w, "peer:  %s, the fastest of its ways to do each work\n", first.Peer.Name)
	}
	fmt.Fprintf(w, "median of %d, in %d rounds", p.Repeats*p.Rounds, p.Rounds)
	if p.StepsPerCall > 1 {
		fmt.Fprintf(w, "; a step is one of %d in a loop on the device", p.StepsPerCall)
	}
	fmt.Fprint(w, "\n\n")
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tab, "work\tms\timages/s\tGFLOP/s\tpeak MiB\t× the first\t")
	if p.Peak > 0 {
		fmt.Fprint(tab, "of peak\t")
	}
	if first.Peer != nil {
		fmt.Fprintf(tab, "peer ms\tpeer MiB\tours / peer (rounds)\tmax. difference of up to %d results\tpeer's way\t", peerResults)
	}
	if p.ReferenceDevice != "" {
		fmt.Fprintf(tab, "difference of first / %d losses on %s\t", referenceResults, p.ReferenceDevice)
	}
	fmt.Fprintln(tab)
	for _, r := range t.Rows {
		seconds, n := r.Ours.median(), float64(t.images(r))
		name := r.Name
		if name == PGD {
			name = fmt.Sprintf("PGD-%d", p.PGDSteps)
		}
		operations := r.Ours.Operations * r.passes(p.PGDSteps) * n / seconds
		fmt.Fprintf(tab, "%s\t%.4g\t%.4g\t%.4g\t%.0f\t%.2f\t", name, 1e3*seconds, n/seconds, operations/1e9, r.Ours.Peak, seconds/first.Ours.median())
		if p.Peak > 0 {
			fmt.Fprintf(tab, "%.1f %%\t", 100*operations/(p.Peak*1e12))
		}
		if r.Peer != nil {
			ratios := r.ratios()
			difference := "-"
			if compared(r.Name) {
				difference = fmt.Sprintf("%.1e", r.maxAbsDiff(r.Peer, peerResults))
			}
			fmt.Fprintf(tab, "%.4g\t%.0f\t%.2f (%.2f-%.2f)\t%s\t%s\t", 1e3*r.Peer.median(), r.Peer.Peak, median(ratios), slices.Min(ratios), slices.Max(ratios), difference, strings.Trim(r.Peer.Where+", "+r.Peer.Way, ", "))
		}
		if r.ReferenceDevice != nil {
			fmt.Fprintf(tab, "%.1e / %.1e\t", r.maxAbsDiff(r.ReferenceDevice, 1), r.maxAbsDiff(r.ReferenceDevice, len(r.ReferenceDevice.Results)))
		}
		fmt.Fprintln(tab)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for _, r := range t.Rows {
		if r.Peer == nil {
			continue
		}
		for _, failed := range r.Peer.Failed {
			if _, err := fmt.Fprintf(w, "%s: a way of the peer failed: %s\n", r.Name, plain.Text(failed)); err != nil {
				return err
			}
		}
	}
	return nil
}

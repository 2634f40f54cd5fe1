package ngebm

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"ngebm/data/plain"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/netgraph"
)

// String describes the run in a few lines: what it is, how far it is, how good it is, and
// what is to be known before its numbers are trusted. It names no folder but the run's.
func (r *Run) String() string {
	var b strings.Builder
	c := r.Config
	fmt.Fprintf(&b, "%s: %s, %s on %s, seed %d\n", plain.Text(filepath.Base(r.Dir)), c.Method(), plain.Text(c.Net), plain.Text(r.dataName()), c.Seed)
	fmt.Fprintf(&b, "  %d steps", r.History.Steps())
	if r.History.StepsPerEpoch > 0 {
		fmt.Fprintf(&b, " (%.4g of %d epochs)", float64(r.History.Steps())/float64(r.History.StepsPerEpoch), c.Epochs)
	}
	if !r.Cost.Trained.IsZero() {
		fmt.Fprintf(&b, ", trained %s UTC", r.Cost.Trained.UTC().Format("2006-01-02 15:04"))
	}
	fmt.Fprintf(&b, ", code %s\n", cmp.Or(r.Cost.Code, "unknown"))
	for _, split := range []string{"validation", "test"} {
		if e := r.History.lastOf(split); e != nil {
			fmt.Fprintf(&b, "  %s accuracy %.4f on %d examples\n", split, e.Accuracy, e.Examples)
		}
	}
	for _, line := range r.Notes {
		fmt.Fprintf(&b, "  note: %s\n", line)
	}
	for _, l := range [][2]string{{"warning", r.Warning}, {"stopped", r.History.Stopped}} {
		if l[1] != "" {
			fmt.Fprintf(&b, "  %s: %s\n", l[0], l[1])
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// dataName is the name of the set that the run was trained on.
func (r *Run) dataName() string {
	if r.Train != nil {
		return r.Train.Name
	}
	kind, path, ok := strings.Cut(r.Config.Data, ":")
	if !ok {
		return cmp.Or(kind, "a set of its own")
	}
	return kind + ":" + filepath.Base(path)
}

// String describes the classifier in one line; [Classifier.Summary] has its layers.
func (c *Classifier) String() string {
	return fmt.Sprintf("%s: %v to %d classes, %d weights", c.Network, c.Shape, len(c.Classes), c.Parameters())
}

// Summary lists the network's layers: for each the shape of its output for one example,
// and its number of weights.
func (c *Classifier) Summary() (string, error) {
	g, err := netgraph.Trace(c.backend, c.store, c.Shape, c.logits)
	if err != nil {
		return "", fmt.Errorf("ngebm: %s: %w", c.Network, explain.Error(err))
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "layer\toutput\tweights\n")
	for _, l := range g.Layers {
		output := "?"
		if l.Output != nil {
			output = fmt.Sprint(l.Output)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\n", strings.TrimPrefix(l.Name, "/"+c.scope+"/"), output, l.Weights)
	}
	fmt.Fprintf(w, "%s\t%v to %d\t%d\n", c.Network, c.Shape, len(c.Classes), c.Parameters())
	_ = w.Flush() // a strings.Builder takes everything
	return b.String(), nil
}

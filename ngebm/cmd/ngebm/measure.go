package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/internal/table"
	"ngebm/ngebm/ood"
)

// measurement is the report of the command; its JSON keys are listed by keys.
type measurement struct {
	*calibration.Report                                   // with labels
	OOD                 map[string]map[string]*ood.Report `json:"ood,omitempty"` // by set and score
	Bootstrap           *bootstrap.Options                `json:"bootstrap,omitempty"`

	Notes []string `json:"notes,omitempty"` // what the files were read as

	sets   []string // the keys of OOD in the order given
	scores []ood.Score
}

// scoreLists is the report on two bare lists of scores.
type scoreLists struct {
	*ood.Report
	Notes     []string           `json:"notes,omitempty"`
	Bootstrap *bootstrap.Options `json:"bootstrap,omitempty"`
}

// keys explains the JSON report.
func keys() string {
	var b strings.Builder
	line := func(name, is string) { fmt.Fprintf(&b, "  %-22s %s\n", name, is) }
	b.WriteString("JSON keys with -labels:\n")
	for _, c := range calibration.Conventions() {
		line(c.Name, c.Definition)
	}
	line("T_opt", "temperature with the least NLL on the validation data, to convergence")
	line("NLL_at_T_opt", "that NLL")
	line("ECE_after_T", "ECE at T_opt")
	line("after_T", "all of the above at T_opt, as an object like this one")
	line("perfect", "by key, what a perfectly calibrated model with the same confidences would show: mean, and low to high for 95 %")
	line("reliability", "bins with low, high, count, mean_confidence, accuracy, and perfect: 95 % of such a model's accuracies")
	line("samples, classes, bins, validation_samples; intervals (low and high by key), interval_kind, bootstrap; warnings; notes (what files were read as)", "")
	b.WriteString("with -ood NAME=FILE, ood.NAME.SCORE.KEY, and with -in-scores and -out-scores at the top level:\n")
	for _, c := range ood.Conventions() {
		line(c.Name, c.Definition)
	}
	line("in, out, intervals", "numbers of scores; low and high by key; interval_kind")
	b.WriteString("where SCORE is one of:\n")
	for _, s := range ood.Scores() {
		line(s.Name, s.Definition)
	}
	return b.String()
}

func measure(ctx context.Context, args []string, stdout io.Writer) error {
	var f measureFlags
	fs := flagSet("measure", measureAbout, "ngebm measure -logits L.csv -labels y.csv -val-logits VL.csv -val-labels vy.csv -ood noise=O.csv -bootstrap 1000")
	f.register(fs)
	out := outFlag(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	f.bootstrap.Level = .95
	if err := f.validate(fs.Args()); err != nil {
		return fmt.Errorf("ngebm measure: %w; -h explains the flags", err)
	}
	if f.in != "" && given(fs)["bins"] {
		return errors.New("ngebm measure: -bins has no effect with -in-scores and -out-scores; it needs -logits and -labels")
	}
	switch given := given(fs); {
	case given["bins"] && f.labels == "":
		return errors.New("ngebm measure: -bins has no effect without -labels; add them, or leave it out")
	case given["seed"] && f.bootstrap.Resamples == 0:
		return errors.New("ngebm measure: -seed has no effect without -bootstrap; add it, as in -bootstrap 1000, or leave -seed out")
	}
	if err := checkOut("measure", *out, f.files()...); err != nil {
		return err
	}
	report, print, err := f.measureUntil(ctx)
	if err != nil {
		return err
	}
	return output(stdout, "measure", *out, report, func(w io.Writer) error {
		var b bytes.Buffer
		print(&b)
		_, err := w.Write(b.Bytes())
		return err
	})
}

// measureUntil is measure, given up when ctx ends: reading a pipe cannot be interrupted.
// Nothing is written before all is measured.
func (f measureFlags) measureUntil(ctx context.Context) (report any, print func(*bytes.Buffer), err error) {
	done := make(chan struct{})
	var r any
	var p func(*bytes.Buffer)
	var failed error
	go func() {
		defer close(done)
		r, p, failed = f.measure()
	}()
	select {
	case <-done:
		return r, p, failed
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("ngebm measure: stopped: %w", context.Cause(ctx))
	}
}

// measure computes the report, and returns it with a way to print it.
func (f measureFlags) measure() (report any, print func(*bytes.Buffer), err error) {
	if f.in != "" {
		r, err := f.measureLists()
		if err != nil {
			return nil, nil, err
		}
		return r, r.print, nil
	}
	r, err := f.measureLogits()
	if err != nil {
		return nil, nil, err
	}
	return r, r.print, nil
}

// drawn returns the options of the intervals, if there are any, for the report.
func (f measureFlags) drawn() *bootstrap.Options {
	if f.bootstrap.Resamples == 0 {
		return nil
	}
	return &f.bootstrap
}

func (f measureFlags) measureLists() (*scoreLists, error) {
	var files inputs
	var lists [2][]float64
	for i, path := range []string{f.in, f.out} {
		var err error
		if lists[i], err = files.scores(path); err != nil {
			return nil, err
		}
	}
	r, err := ood.Measure(lists[0], lists[1], f.bootstrap)
	if err != nil {
		return nil, err
	}
	return &scoreLists{r, files.notes, f.drawn()}, nil
}

func (f measureFlags) measureLogits() (*measurement, error) {
	files := &inputs{probabilities: f.probabilities}
	in, err := files.logits(f.logits)
	if err != nil {
		return nil, err
	}
	m := &measurement{Bootstrap: f.drawn()}
	if f.labels != "" {
		if m.Report, err = f.calibration(files, in); err != nil {
			return nil, err
		}
	} else if _, err := f.sample(in, nil); err != nil {
		return nil, err
	}
	for _, s := range ood.Scores() {
		if s.FromProbabilities || !f.probabilities {
			m.scores = append(m.scores, s)
		}
	}
	for _, set := range f.ood {
		if err := f.measureSet(m, files, in, set); err != nil {
			return nil, err
		}
	}
	m.Notes = files.notes
	return m, nil
}

// calibration measures with labels.
func (f measureFlags) calibration(files *inputs, in *table.Table) (*calibration.Report, error) {
	test, err := f.labeled(files, in, f.labels)
	if err != nil {
		return nil, err
	}
	validation := test
	if f.valLogits != "" {
		t, err := files.logits(f.valLogits)
		if err == nil {
			err = sameClasses(t, in)
		}
		if err != nil {
			return nil, err
		}
		if validation, err = f.labeled(files, t, f.valLabels); err != nil {
			return nil, err
		}
	}
	r, err := calibration.Measure(test, calibration.Options{Bins: f.bins, Validation: &validation, Bootstrap: f.bootstrap})
	if err == nil && f.valLogits == "" {
		r.Warnings = append(r.Warnings, "temperature: fitted to the measured examples themselves, which flatters what comes after it; give -val-logits and -val-labels")
	}
	return r, err
}

// labeled reads the labels of a table.
func (f measureFlags) labeled(files *inputs, t *table.Table, labels string) (calibration.Sample, error) {
	values, err := files.labels(labels, t)
	if err != nil {
		return calibration.Sample{}, err
	}
	return f.sample(t, values)
}

// sameClasses compares the columns of two files of logits.
func sameClasses(t, in *table.Table) error {
	switch {
	case t.Width() != in.Width():
		return fmt.Errorf("ngebm measure: %q has rows of %d values, %q of %d; both need one for each class", t.Path, t.Width(), in.Path, in.Width())
	case t.Names != nil && in.Names != nil && !slices.Equal(t.Names, in.Names):
		return fmt.Errorf("ngebm measure: the columns of %q are %.200q, those of %q %.200q: put them in one order", t.Path, t.Names, in.Path, in.Names)
	}
	return nil
}

// sample makes a sample of a table and names the file and the line of what is
// wrong with it. Without labels, zeros stand for them.
func (f measureFlags) sample(t *table.Table, labels []int32) (calibration.Sample, error) {
	if labels == nil {
		labels = make([]int32, len(t.Rows))
	}
	s := calibration.Sample{Logits: t.Rows, Labels: labels}
	if f.probabilities {
		s = calibration.Sample{Probabilities: t.Rows, Labels: labels}
	}
	err := s.Validate()
	if row := new(calibration.RowError); errors.As(err, &row) {
		where := t.At(row.Row) + ":"
		if row.Value >= 0 {
			where = t.Value(row.Row, row.Value)
		}
		err = fmt.Errorf("ngebm measure: %s %s", where, row.Problem)
		if f.probabilities {
			err = fmt.Errorf("%w; without -probabilities the files are read as logits", err)
		}
	} else if err != nil {
		err = fmt.Errorf("%q: %w", t.Path, err)
	}
	return s, err
}

// measureSet measures all scores on one set of out-of-distribution inputs.
func (f measureFlags) measureSet(m *measurement, files *inputs, in *table.Table, set string) error {
	name, path, ok := strings.Cut(set, "=")
	if !ok || name == "" || path == "" || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("ngebm measure: -ood %q; it must be NAME=FILE, as noise=O.csv, with a name that can be printed", set)
	}
	if m.OOD[name] != nil {
		return fmt.Errorf("ngebm measure: -ood %q is given twice; choose another name", name)
	}
	out, err := files.logits(path)
	if err == nil {
		err = sameClasses(out, in)
	}
	if err != nil {
		return err
	}
	if _, err := f.sample(out, nil); err != nil {
		return err
	}
	if !f.probabilities {
		if err := files.compareKinds(in, out); err != nil {
			return err
		}
	}
	if m.OOD == nil {
		m.OOD = map[string]map[string]*ood.Report{}
	}
	m.OOD[name], m.sets = map[string]*ood.Report{}, append(m.sets, name)
	for _, s := range m.scores {
		var scores [2][]float64
		for i, rows := range [][][]float64{in.Rows, out.Rows} {
			of := s.Of
			if f.probabilities {
				of = s.OfProbabilities
			}
			if scores[i], err = of(rows); err != nil {
				return err
			}
		}
		if m.OOD[name][s.Name], err = ood.Measure(scores[0], scores[1], f.bootstrap); err != nil {
			return err
		}
	}
	return nil
}

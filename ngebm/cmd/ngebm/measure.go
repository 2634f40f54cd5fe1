package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"ngebm/data/files"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/internal/table"
	"ngebm/ngebm/ood"
)

const measureAbout = `Measure anyone's classifier from its outputs: calibration, temperature, and how well scores tell
in-distribution from out-of-distribution inputs. A larger score means more in-distribution, everywhere.

Files are text (CSV: numbers set apart by commas, semicolons, tabs or blanks, a row an example; also
as gzip or bzip2), NPY, or NPZ with one array. A first line of names, empty lines and lines after # are
skipped; so are a header 0,1,2 … and an index, as pandas and R write them, and the report says so.
A first line of other numbers that may be a header is an error: put # before it if it is one. So is a
missing value, or logits in one file and log-softmax or probabilities in another of -ood. Labels are 0, 1, … or the names in the first line of the logits, one a row.
The temperature is fitted to the validation files.`

// measurement is the report of the verb; its JSON keys are listed by keys.
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
	line("reliability", "bins with low, high, count, mean_confidence, accuracy")
	line("samples, classes, bins, validation_samples; intervals (low and high by key), bootstrap; warnings; notes (what files were read as)", "")
	b.WriteString("with -ood NAME=FILE, ood.NAME.SCORE.KEY, and with -in-scores and -out-scores at the top level:\n")
	for _, c := range ood.Conventions() {
		line(c.Name, c.Definition)
	}
	line("in, out, intervals", "numbers of scores; low and high by key")
	b.WriteString("where SCORE is one of:\n")
	for _, s := range ood.Scores() {
		line(s.Name, s.Definition)
	}
	return b.String()
}

// measureFlags is what the command line asks for.
type measureFlags struct {
	logits, labels, valLogits, valLabels, in, out, json string
	ood                                                 []string
	probabilities                                       bool
	bins                                                int
	bootstrap                                           bootstrap.Options
}

func measure(ctx context.Context, args []string, stdout io.Writer) error {
	var f measureFlags
	fs := flagSet("measure", measureAbout, "ngebm measure -logits L.csv -labels y.csv -val-logits VL.csv -val-labels vy.csv -ood noise=O.csv -bootstrap 1000")
	fs.StringVar(&f.logits, "logits", "", "file of logits, a column a class")
	fs.StringVar(&f.labels, "labels", "", "file of their labels")
	fs.StringVar(&f.valLogits, "val-logits", "", "file of validation logits; without, the temperature is fitted to the measured ones, with a warning")
	fs.StringVar(&f.valLabels, "val-labels", "", "file of their labels")
	fs.Var((*several)(&f.ood), "ood", "NAME=FILE: logits of out-of-distribution inputs; may be given many times")
	fs.StringVar(&f.in, "in-scores", "", "file of in-distribution scores, one a row, in place of logits")
	fs.StringVar(&f.out, "out-scores", "", "file of out-of-distribution scores")
	fs.BoolVar(&f.probabilities, "probabilities", false, "the files of logits hold probabilities")
	fs.IntVar(&f.bins, "bins", calibration.DefaultBins, "number of bins (the midpoint forms have 20)")
	fs.IntVar(&f.bootstrap.Resamples, "bootstrap", 0, "resamples for 95 % intervals, as 1000 (0: no intervals)")
	fs.Uint64Var(&f.bootstrap.Seed, "seed", 0, "of the resamples")
	fs.StringVar(&f.json, "json", "", "write the report there in place of printing tables; - is the standard output")
	usage := fs.Usage
	fs.Usage = func() {
		usage()
		fmt.Fprintf(fs.Output(), "\n%s", keys())
	}
	if err := parse(fs, args); err != nil {
		return err
	}
	f.bootstrap.Level = .95
	if err := f.validate(fs.Args()); err != nil {
		return fmt.Errorf("ngebm measure: %w; -h explains the flags", err)
	}
	report, print, err := f.measureUntil(ctx)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if f.json == "" {
		print(&b)
	} else {
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(report); err != nil {
			return fmt.Errorf("ngebm measure: %w", err)
		}
	}
	if f.json != "" && f.json != "-" {
		return files.WriteFile(f.json, b.Bytes(), 0o644)
	}
	_, err = stdout.Write(b.Bytes())
	return err
}

// validate says which flags do not go together.
func (f measureFlags) validate(rest []string) error {
	lists := f.in != "" || f.out != ""
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag", rest[0])
	case f.bins < 1:
		return fmt.Errorf("-bins is %d; it must be at least 1", f.bins)
	case f.bootstrap.Resamples < 0:
		return fmt.Errorf("-bootstrap is %d; it must be 0 (no intervals) or more", f.bootstrap.Resamples)
	case lists && (f.in == "" || f.out == ""):
		return errors.New("-in-scores and -out-scores go together")
	case lists && (f.logits != "" || f.labels != "" || f.valLogits != "" || f.valLabels != "" || len(f.ood) > 0 || f.probabilities):
		return errors.New("lists of scores are measured alone, without logits or labels")
	case lists:
		return nil
	case f.logits == "":
		return errors.New("give -logits and -labels, or -in-scores and -out-scores")
	case f.labels == "" && len(f.ood) == 0:
		return errors.New("give -labels with -logits")
	case (f.valLogits == "") != (f.valLabels == ""):
		return errors.New("-val-logits and -val-labels go together")
	case f.valLogits != "" && f.labels == "":
		return errors.New("-val-logits is of use with -labels alone")
	}
	return nil
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

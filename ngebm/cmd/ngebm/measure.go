package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"ngebm/data/files"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
)

const measureAbout = `Measure anyone's classifier from its outputs: calibration, temperature, and how well scores tell
in-distribution from out-of-distribution inputs. A larger score means more in-distribution, everywhere.

Files are CSV (numbers set apart by commas, a row an example; a first line of names, empty lines and
lines after # are skipped) or NPY (float32, float64 or integers). Labels are 0, 1, … one a row.
The temperature is fitted to the validation files.`

// measurement is the report of the verb; its JSON keys are listed by keys.
type measurement struct {
	*calibration.Report                                   // with labels
	OOD                 map[string]map[string]*ood.Report `json:"ood,omitempty"` // by set and score
	Bootstrap           *bootstrap.Options                `json:"bootstrap,omitempty"`

	sets   []string // the keys of OOD in the order given
	scores []ood.Score
}

// scoreLists is the report on two bare lists of scores.
type scoreLists struct {
	*ood.Report
	Bootstrap *bootstrap.Options `json:"bootstrap,omitempty"`
}

// keys explains the JSON report.
func keys() string {
	var b strings.Builder
	line := func(name, is string) { fmt.Fprintf(&b, "  %-22s %s\n", name, is) }
	b.WriteString("JSON keys with -labels:\n")
	for _, c := range calibration.Conventions() {
		line(c.Name, c.Is)
	}
	line("T_opt", "temperature with the least NLL on the validation data, to convergence")
	line("NLL_at_T_opt", "that NLL")
	line("ECE_after_T", "ECE at T_opt")
	line("after_T", "all of the above at T_opt, as an object like this one")
	line("reliability", "bins with low, high, count, mean_confidence, accuracy")
	line("samples, classes, bins, validation_samples; intervals (low and high by key), bootstrap; warnings", "")
	b.WriteString("with -ood NAME=FILE, ood.NAME.SCORE.KEY, and with -in-scores and -out-scores at the top level:\n")
	for _, c := range ood.Conventions() {
		line(c.Name, c.Is)
	}
	line("in, out, intervals", "numbers of scores; low and high by key")
	b.WriteString("where SCORE is one of:\n")
	for _, s := range ood.Scores() {
		line(s.Name, s.Is)
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

func measure(_ context.Context, args []string, stdout io.Writer) error {
	var f measureFlags
	fs := flagSet("measure", measureAbout, "ngebm measure -logits L.csv -labels y.csv -val-logits VL.csv -val-labels vy.csv -ood noise=O.csv -bootstrap 1000")
	fs.StringVar(&f.logits, "logits", "", "file of logits, a column a class")
	fs.StringVar(&f.labels, "labels", "", "file of their labels")
	fs.StringVar(&f.valLogits, "val-logits", "", "file of validation logits; without, the temperature is fitted to the measured ones, with a warning")
	fs.StringVar(&f.valLabels, "val-labels", "", "file of their labels")
	fs.Func("ood", "NAME=FILE: logits of out-of-distribution inputs; may be given many times", func(s string) error {
		f.ood = append(f.ood, s)
		return nil
	})
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
	if err := fs.Parse(args); err != nil {
		return err
	}
	f.bootstrap.Level = .95
	if err := f.validate(fs.Args()); err != nil {
		return fmt.Errorf("ngebm measure: %w; -h explains the flags", err)
	}
	report, print, err := f.measure()
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
	var lists [2][]float64
	for i, path := range []string{f.in, f.out} {
		t, err := readTable(path)
		if err != nil {
			return nil, err
		}
		if lists[i], err = t.column(); err != nil {
			return nil, err
		}
	}
	r, err := ood.Measure(lists[0], lists[1], f.bootstrap)
	if err != nil {
		return nil, err
	}
	return &scoreLists{r, f.drawn()}, nil
}

func (f measureFlags) measureLogits() (*measurement, error) {
	in, err := readTable(f.logits)
	if err != nil {
		return nil, err
	}
	m := &measurement{Bootstrap: f.drawn()}
	if f.labels != "" {
		if m.Report, err = f.calibration(in); err != nil {
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
		if err := f.measureSet(m, in, set); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// calibration measures with labels.
func (f measureFlags) calibration(in *table) (*calibration.Report, error) {
	test, err := f.labelled(in, f.labels)
	if err != nil {
		return nil, err
	}
	validation := test
	if f.valLogits != "" {
		t, err := readTable(f.valLogits)
		if err != nil {
			return nil, err
		}
		if t.width() != in.width() {
			return nil, fmt.Errorf("%s has rows of %d values, %s of %d; both need one for each class", t.path, t.width(), in.path, in.width())
		}
		if validation, err = f.labelled(t, f.valLabels); err != nil {
			return nil, err
		}
	}
	r, err := calibration.Measure(test, calibration.Options{Bins: f.bins, Validation: &validation, Bootstrap: f.bootstrap})
	if err == nil && f.valLogits == "" {
		r.Warnings = append(r.Warnings, "temperature: fitted to the measured examples themselves, which flatters what comes after it; give -val-logits and -val-labels")
	}
	return r, err
}

// labelled reads the labels of a table.
func (f measureFlags) labelled(t *table, labels string) (calibration.Sample, error) {
	if t.width() < 2 {
		return calibration.Sample{}, fmt.Errorf("%s: rows of one value; there must be one for each of at least 2 classes", t.path)
	}
	y, err := readTable(labels)
	if err != nil {
		return calibration.Sample{}, err
	}
	values, err := y.labels(t.width())
	if err != nil {
		return calibration.Sample{}, err
	}
	if len(values) != len(t.rows) {
		return calibration.Sample{}, fmt.Errorf("%s has %d rows but %s has %d labels; each example needs one of each", t.path, len(t.rows), labels, len(values))
	}
	return f.sample(t, values)
}

// sample makes a sample of a table and names the file and the line of what is
// wrong with it. Without labels, zeros stand for them.
func (f measureFlags) sample(t *table, labels []int32) (calibration.Sample, error) {
	if labels == nil {
		labels = make([]int32, len(t.rows))
	}
	s := calibration.Sample{Logits: t.rows, Labels: labels}
	if f.probabilities {
		s = calibration.Sample{Probabilities: t.rows, Labels: labels}
	}
	err := s.Validate()
	if row := new(calibration.RowError); errors.As(err, &row) {
		err = fmt.Errorf("%s: %s", t.at(row.Row), row.Problem)
	} else if err != nil {
		err = fmt.Errorf("%s: %w", t.path, err)
	}
	return s, err
}

// measureSet measures all scores on one set of out-of-distribution inputs.
func (f measureFlags) measureSet(m *measurement, in *table, set string) error {
	name, path, ok := strings.Cut(set, "=")
	if !ok || name == "" || path == "" {
		return fmt.Errorf("ngebm measure: -ood %q; it must be NAME=FILE, as noise=O.csv", set)
	}
	if m.OOD[name] != nil {
		return fmt.Errorf("ngebm measure: -ood %s is given twice; choose another name", name)
	}
	out, err := readTable(path)
	if err != nil {
		return err
	}
	if out.width() != in.width() {
		return fmt.Errorf("%s has rows of %d values, %s of %d; both need one for each class", out.path, out.width(), in.path, in.width())
	}
	if _, err := f.sample(out, nil); err != nil {
		return err
	}
	if m.OOD == nil {
		m.OOD = map[string]map[string]*ood.Report{}
	}
	m.OOD[name], m.sets = map[string]*ood.Report{}, append(m.sets, name)
	for _, s := range m.scores {
		var scores [2][]float64
		for i, rows := range [][][]float64{in.rows, out.rows} {
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

package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
)

const measureAbout = `Measure any classifier from its outputs: calibration, temperature scaling, and OOD detection by scores.
A higher score means more in-distribution, everywhere.

Files are text (CSV with commas, semicolons, tabs or spaces, one example a row; also gzip or bzip2), NPY, or
NPZ with one array. A first line of names, empty lines and text after # are skipped, as are a header 0,1,2 …
and an index column as pandas and R write them; a note in the report says so. These are errors: a first line
of other numbers that may be a header (put # before it if it is one), a missing value, and logits in one file
with log-softmax or probabilities in another of -ood. Labels are 0, 1, … or the names in the first line of the
logits, one a row. The temperature is fitted to the validation files.`

// measureFlags is what the command line asks for.
type measureFlags struct {
	logits, labels, valLogits, valLabels, in, out string
	ood                                           []string
	probabilities                                 bool
	bins                                          int
	bootstrap                                     bootstrap.Options
}

// files are the inputs.
func (f *measureFlags) files() []string {
	all := []string{f.logits, f.labels, f.valLogits, f.valLabels, f.in, f.out}
	for _, set := range f.ood {
		_, path, _ := strings.Cut(set, "=")
		all = append(all, path)
	}
	return all
}

func (f *measureFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.logits, "logits", "", "`file` of logits, one column a class")
	fs.StringVar(&f.labels, "labels", "", "`file` of their labels")
	fs.StringVar(&f.valLogits, "val-logits", "", "`file` of validation logits; without it the temperature is fitted to the measured examples, with a warning")
	fs.StringVar(&f.valLabels, "val-labels", "", "`file` of their labels")
	fs.Var((*several)(&f.ood), "ood", "`NAME=FILE`: logits of OOD inputs; may be repeated to add more")
	fs.StringVar(&f.in, "in-scores", "", "`file` of in-distribution scores, one a row, instead of logits")
	fs.StringVar(&f.out, "out-scores", "", "`file` of OOD scores")
	fs.BoolVar(&f.probabilities, "probabilities", false, "the files of logits hold probabilities")
	fs.IntVar(&f.bins, "bins", calibration.DefaultBins, "number of bins (the midpoint variants have 20)")
	fs.IntVar(&f.bootstrap.Resamples, "bootstrap", 0, "bootstrap resamples for 95 % intervals, say 1000 (0: no intervals)")
	fs.Uint64Var(&f.bootstrap.Seed, "seed", 0, "seed of the resamples")
	usage := fs.Usage
	fs.Usage = func() {
		usage()
		fmt.Fprintf(fs.Output(), "\n%s", keys())
	}
}

// validate returns an error for flags that contradict each other.
func (f measureFlags) validate(rest []string) error {
	lists := f.in != "" || f.out != ""
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case f.bins < 1:
		return fmt.Errorf("-bins is %d; it must be at least 1", f.bins)
	case f.bootstrap.Resamples < 0:
		return fmt.Errorf("-bootstrap is %d; it must be 0 (no intervals) or more", f.bootstrap.Resamples)
	case lists && (f.in == "" || f.out == ""):
		return errors.New("-in-scores and -out-scores go together")
	case lists && (f.logits != "" || f.labels != "" || f.valLogits != "" || f.valLabels != "" || len(f.ood) > 0 || f.probabilities):
		return errors.New("-in-scores and -out-scores take neither logits nor labels")
	case lists:
		return nil
	case f.logits == "":
		return errors.New("give -logits and -labels, or -in-scores and -out-scores")
	case f.labels == "" && len(f.ood) == 0:
		return errors.New("give -labels with -logits")
	case (f.valLogits == "") != (f.valLabels == ""):
		return errors.New("-val-logits and -val-labels go together")
	case f.valLogits != "" && f.labels == "":
		return errors.New("-val-logits needs -labels")
	}
	return nil
}

package systemtest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/printable"
)

// No statement can contradict its run: the text of a notebook holds no numbers that
// a run gave, as those are printed, and asserted, by the cell that computed them.
// Each notebook says what it shows, how long it takes and where it stops, sets
// exercises, and describes every figure.
func TestCommittedProse(t *testing.T) {
	paths := committed(t)
	for _, path := range paths {
		doc, err := notebook.Read(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, c := range doc.Cells {
			if c.Kind == "markdown" {
				for _, number := range resultNumbers(string(c.Source)) {
					t.Errorf("%s: the text %q holds %q, which looks like a result: let the cell that computes it print and assert it (a setting goes into `code` or a $formula$)", path, printable.Shorten(c.FirstLine()), number)
				}
			}
		}
		for _, lacks := range missingParts(doc) {
			t.Errorf("%s: %s", path, lacks)
		}
		for i, c := range doc.CodeCells() {
			for _, o := range c.Outputs {
				if n := undescribed(o); n > 0 {
					t.Errorf("%s: cell %d (%s) shows %d figures without alternative text", path, i+1, c.FirstLine(), n)
				}
			}
		}
	}
}

// What is taken out of a text before numbers are looked for: code, formulas, where
// links lead; and settings, which are what was asked for, not what came out: names
// or Greek letters with an equals sign (β=γ=.1), and 1/255, the step of a pixel.
var notResults = []*regexp.Regexp{
	regexp.MustCompile("(?ms)^```.*?^```"),
	regexp.MustCompile(`(?m)^(?:    |\t).*$`),
	regexp.MustCompile("`[^`]*`"),
	regexp.MustCompile(`(?s)\$\$.*?\$\$`),
	regexp.MustCompile(`\$[^$\n]*\$`),
	regexp.MustCompile(`\]\([^)]*\)`),
	regexp.MustCompile(`\[arXiv \d{4}\.\d{5}`),
	regexp.MustCompile(`(?:[αβγλμστεT]|\*[a-z]\*)(?:\s*=\s*[αβγλμστεT])*\s*=\s*-?\d*\.?\d+`),
	regexp.MustCompile(`\b1/255\b`),
}

// result is a number that looks measured: one with a decimal point or a percent
// sign, a fraction of two figures, a factor.
var result = regexp.MustCompile(`(?:± ?)?-?\d*\.\d+(?:\s*%)?|\d+\s*(?:%|percent|percent)|\d+/\d+|±\s*\d+|\d+\s+times\b|\d+-fold`)

// resultNumbers lists what looks like results in a text in Markdown.
func resultNumbers(text string) []string {
	for _, skip := range notResults {
		text = skip.ReplaceAllString(text, " ")
	}
	return result.FindAllString(text, -1)
}

// Headings under which a notebook says where its method ends and sets exercises.
var (
	limitsHeading   = regexp.MustCompile(`(?m)^## .*\b(?:fails?|stops)\b`)
	exercisesPart   = regexp.MustCompile(`(?ms)^## Try this\s.*?^1\. `)
	describedInHTML = regexp.MustCompile(`<img[^>]*\salt="[^"]+"`)
)

// missingParts says what a reader would miss in a notebook.
func missingParts(doc *notebook.Document) []string {
	var missing []string
	var prose strings.Builder
	for _, c := range doc.Cells {
		if c.Kind == "markdown" {
			fmt.Fprintf(&prose, "%s\n\n", c.Source)
		}
	}
	if title, summary := doc.Introduction(); title == "" || summary == "" {
		missing = append(missing, "no title (# …) with a paragraph after it")
	}
	if doc.LeadParagraph(notebook.SeeLead) == "" {
		missing = append(missing, "no paragraph "+notebook.SeeLead)
	}
	if doc.LeadParagraph(notebook.TimeLead) == "" {
		missing = append(missing, "no paragraph "+notebook.TimeLead)
	}
	if !limitsHeading.MatchString(prose.String()) {
		missing = append(missing, "no section “Where it fails”, “Where they fail” or “Where this stops”")
	}
	if !exercisesPart.MatchString(prose.String()) {
		missing = append(missing, "no section “Try this” with exercises (1. …)")
	}
	return missing
}

// undescribed counts an output's figures without alternative text.
func undescribed(o notebook.Output) int {
	n := 0
	if o.Data["image/png"] != nil && o.Metadata.Alt == "" && o.Metadata.PNG.Alt == "" {
		n++
	}
	html := o.Content("text/html")
	return n + strings.Count(html, "<img") - len(describedInHTML.FindAllString(html, -1))
}

func TestResultNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"accuracy .927 rises to 0.95":                                ".927|0.95",
		"at the 99.5 % level, and 93% or 40 percent":                 "99.5 %|93%|40 percent",
		"an uncertainty of ± .02, a gain of ±3":                      "± .02|±3",
		"pushes of 24/255 in steps of 1/255":                         "24/255",
		"the ECE is 5 times worse, 3-fold":                           "5 times|3-fold",
		"600 test images of 8×8 pixels, three seeds, AUROC 1 or ½":   "",
		"`cfg.Noise = .2`, $\\gamma = .1$ and $$x = .5$$":            "",
		"NG-EBM β=γ=.1, β = .01, T = 1":                              "",
		"[arXiv 2304.01297](https://arxiv.org/abs/2304.01297)":       "",
		"see [03_calibration](03_calibration.ipynb#the-.5-quantile)": "",
		"    yours/train/one/0.04.png":                               "",
		"half of a percent, nine times in ten":                       "",
	} {
		if got := strings.Join(resultNumbers(text), "|"); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

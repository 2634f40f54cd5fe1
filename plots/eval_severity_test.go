package plots

import (
	"fmt"
	"math"
	"testing"
)

func TestSeveritiesGolden(t *testing.T) {
	var panels []SeverityPanel
	for i, kind := range []string{"gaussian noise", "motion blur", "brightness", "contrast", "jpeg"} {
		p := SeverityPanel{Title: kind}
		for k, name := range []string{"cross-entropy", "NG-EBM β=γ=.01", "NG-EBM β=γ=1"} {
			for seed := range 3 {
				r := SeverityRun{Name: name, Color: methodColor(name)}
				for severity := range 6 { // made up
					r.Values = append(r.Values, .95-float64(severity*(3-k))*.015*float64(1+i%3)*(1+.1*float64(seed)))
				}
				p.Runs = append(p.Runs, r)
			}
		}
		panels = append(panels, p)
	}
	f, err := Severities("accuracy", "Figures that were made up, of no set and no network.", panels...)
	golden(t, "severities", f, err)
}

func TestSeveritiesDegenerate(t *testing.T) {
	one := func(values ...float64) SeverityPanel {
		return SeverityPanel{"fog", []SeverityRun{{Name: "run", Values: values}}}
	}
	uneven := one(1, .5)
	uneven.Runs = append(uneven.Runs, SeverityRun{Name: "other", Values: []float64{1, .5, .2}})
	for _, test := range []struct {
		name  string
		panel SeverityPanel
		err   string
	}{
		{"one severity", one(1, .5), ""},
		{"all the same", one(1, 1, 1), ""},
		{"nothing", one(0, 0, 0), ""},
		{"no runs", SeverityPanel{Title: "fog"}, `"fog" has no runs`},
		{"no severity", one(1), `"run" under fog has 1 values`},
		{"uneven", uneven, `"other" under fog has 3 values`},
		{"not a number", one(1, math.NaN()), `"run" under fog is NaN at severity 1`},
		{"beyond", one(1.2, 1), "is 1.2 at severity 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Severities("accuracy", "", test.panel)
			expect(t, f, err, test.err)
		})
	}
	if _, err := Severities("accuracy", ""); err == nil {
		t.Error("no panels are drawn")
	}
}

func ExampleSeverities() {
	// In earnest, the accuracies of a classifier on Dataset.Corrupt(kind, severity, seed).
	noise := SeverityPanel{Title: "gaussian noise", Runs: []SeverityRun{{Name: "cross-entropy", Color: methodColor("cross-entropy"), Values: []float64{.95, .93, .88, .82, .74, .61}}, {Name: "NG-EBM", Color: methodColor("NG-EBM"), Values: []float64{.95, .94, .92, .88, .81, .72}}}}
	figure, err := Severities("accuracy", "digits test, 600 images", noise)
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: accuracy against the severity of corruption. gaussian noise: cross-entropy goes from 0.950 to 0.610, NG-EBM goes from 0.950 to 0.720.
}

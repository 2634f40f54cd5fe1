package study

import (
	"context"
	"fmt"
	"image/color"
	"slices"

	"ngebm/ngebm/measure"
	"ngebm/ngebm/study/palette"
)

// Shifted is what calibration finds of one method under corruptions of the test images.
type Shifted struct {
	Title  string
	Color  color.Color       // nil leaves the choice to the figure
	Seeds  []uint64          // of the runs
	Shifts [][]measure.Shift // by seed, then by kind of corruption
}

// Shifts measures the runs of all methods under every corruption at every severity, see
// measure.Shifts. The seed is the corruptions'.
func Shifts(ctx context.Context, all []Compared, seed uint64) ([]Shifted, error) {
	shifted := make([]Shifted, len(all))
	for i, c := range all {
		shifted[i] = Shifted{Title: c.Title, Color: c.Color}
		for _, run := range c.Runs {
			s, err := measure.Shifts(ctx, run.Classifier, run.Test, run.Validation, seed)
			if err != nil {
				return nil, fmt.Errorf("study: %s, seed %d: %w", c.Name, run.Config.Seed, err)
			}
			shifted[i].Seeds, shifted[i].Shifts = append(shifted[i].Seeds, run.Config.Seed), append(shifted[i].Shifts, s)
		}
	}
	return shifted, nil
}

// At returns what was measured under a kind of corruption at a severity; 0 is the set as it
// is. The row has metrics of calibration only, and no runs if the kind or the severity was
// not measured.
func (s Shifted) At(kind string, severity int) Row {
	row := Row{Title: s.Title, Color: s.Color}
	for k, shifts := range s.Shifts {
		i := slices.IndexFunc(shifts, func(one measure.Shift) bool { return one.Kind == kind })
		if i < 0 || severity < 0 || severity >= len(shifts[i].Reports) {
			continue
		}
		row.Results = append(row.Results, &Result{Seed: s.Seeds[k], Calibration: shifts[i].Reports[severity]})
	}
	return row
}

// Severities is the number of severities of a kind of corruption, with the set as it is.
func (s Shifted) Severities(kind string) int {
	n := 0
	for len(s.At(kind, n).Results) > 0 {
		n++
	}
	return n
}

// AfterT is what was measured after temperature scaling, see [Row.AfterT]; the temperature
// is fitted on images without corruption.
func (s Shifted) AfterT() Shifted {
	scaled := Shifted{Title: s.Title + " + temperature", Color: palette.SkyBlue, Seeds: s.Seeds}
	for _, shifts := range s.Shifts {
		var after []measure.Shift
		for _, one := range shifts {
			reports := slices.Clone(one.Reports)
			for i, r := range reports {
				if r.Calibrated == nil {
					return scaled // measured without validation data
				}
				reports[i] = r.AfterT
			}
			one.Reports = reports
			after = append(after, one)
		}
		scaled.Shifts = append(scaled.Shifts, after)
	}
	return scaled
}

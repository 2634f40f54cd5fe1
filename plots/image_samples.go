package plots

import (
	"errors"
	"fmt"
	"strconv"

	"ngebm/data"
	"ngebm/ngebm"
)

// Samples draws SGLD chains that sample images: a row for each of the chains
// with the given indices, under the name that names has for it (nil: their numbers), a
// column for each stored step, and the energy of each image below it; where that
// is not a finite number, "diverged" replaces the image.
func Samples(title string, s *ngebm.Samples, chains []int, names []string) (*Figure, error) {
	if s == nil || len(s.Steps) == 0 {
		return nil, errors.New("plots: no samples: draw some with Classifier.Sample")
	}
	if names != nil && len(names) != len(chains) {
		return nil, fmt.Errorf("plots: %d names for %d chains", len(names), len(chains))
	}
	for k := range s.Steps {
		if len(s.X) != len(s.Steps) || len(s.Energy) != len(s.Steps) || len(s.X[k]) != len(s.X[0]) || len(s.Energy[k]) != len(s.Labels) {
			return nil, fmt.Errorf("plots: %d kept steps of %d chains have other numbers of samples or energies: pass what Classifier.Sample returned", len(s.Steps), len(s.Labels))
		}
	}
	sets, columns := make([]*data.Dataset, len(s.Steps)), make([]string, len(s.Steps))
	for k, step := range s.Steps {
		var err error
		if sets[k], err = s.At(k); err != nil {
			return nil, fmt.Errorf("plots: %w", err)
		}
		columns[k] = strconv.Itoa(step)
	}
	columns[0] = "start"
	if len(columns) > 1 {
		columns[1] = "step " + columns[1]
	}
	rows, captions := make([]ImageRow, len(chains)), make([][]string, len(chains))
	for i, chain := range chains {
		if chain < 0 || chain >= len(s.Labels) {
			return nil, fmt.Errorf("plots: there is no chain %d: there are %d", chain, len(s.Labels))
		}
		rows[i].Name = fmt.Sprintf("chain %d", chain)
		if names != nil {
			rows[i].Name = names[i]
		}
		for k, set := range sets {
			tile, caption := Tile{set, chain}, fmt.Sprintf("E %.1f", s.Energy[k][chain])
			if !finite(s.Energy[k][chain]) {
				tile, caption = Tile{}, "diverged"
			}
			rows[i].Tiles, captions[i] = append(rows[i].Tiles, tile), append(captions[i], caption)
		}
	}
	return imageTable(title, columns, rows, captions)
}

package plots

import (
	"errors"
	"fmt"
	"strconv"

	"ngebm/data"
	"ngebm/ngebm"
)

// Samples draws how SGLD chains went that sample images: a row for each of the chains
// with the given indices, under the name that names has for it (nil: their numbers), a
// column for each step that was kept, and the energy of each image below it.
func Samples(title string, s *ngebm.Samples, chains []int, names []string) (*Figure, error) {
	if s == nil || len(s.Steps) == 0 {
		return nil, errors.New("plots: no samples: draw some with Classifier.Sample")
	}
	if names != nil && len(names) != len(chains) {
		return nil, fmt.Errorf("plots: %d names for %d chains", len(names), len(chains))
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
			rows[i].Tiles = append(rows[i].Tiles, Tile{set, chain})
			captions[i] = append(captions[i], fmt.Sprintf("E %.1f", s.Energy[k][chain]))
		}
	}
	return imageTable(title, columns, rows, captions)
}

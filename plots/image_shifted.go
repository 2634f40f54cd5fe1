package plots

import (
	"fmt"
	"slices"
	"strconv"

	"ngebm/data"
)

// Corruptions draws one image of a set as it is and under every corruption that
// [data.Dataset.Corrupt] knows, a kind a row, from severity 1 to 5. The noise differs
// from the one that the whole set gets from the same seed, which depends on an image's
// index.
func Corruptions(d *data.Dataset, index int, seed uint64) (*Figure, error) {
	if _, _, err := pickImages(d, []int{index}, nil); err != nil {
		return nil, err
	}
	one, err := d.Subset(d.Split, []int{index})
	if err != nil {
		return nil, err
	}
	columns := []string{"original"}
	var rows []ImageRow
	for _, kind := range data.Corruptions() {
		row := ImageRow{Name: kind, Tiles: []Tile{{Set: one}}}
		for severity := 1; severity <= data.Severities; severity++ {
			bad, err := one.Corrupt(kind, severity, seed)
			if err != nil {
				return nil, err
			}
			row.Tiles = append(row.Tiles, Tile{Set: bad})
		}
		rows = append(rows, row)
	}
	for severity := 1; severity <= data.Severities; severity++ {
		columns = append(columns, "severity "+strconv.Itoa(severity))
	}
	return ImageTable(fmt.Sprintf("%s %s, corrupted", d.Name, d.Split), columns, rows...)
}

// SyntheticOOD draws the images at the given indices of a set, and below each what
// [data.Dataset.SynthesizeOOD] makes of it or in its place, a kind a row: all kinds that
// the set's shape allows, or those named.
func SyntheticOOD(d *data.Dataset, indices []int, seed uint64, kinds ...string) (*Figure, error) {
	if _, _, err := pickImages(d, indices, nil); err != nil {
		return nil, err
	}
	if len(kinds) == 0 {
		kinds = d.OODKinds()
		if d.Shape[0] != d.Shape[1] {
			kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == "rotated" || kind == "rotated 270" })
		}
	}
	var classes []string
	for _, i := range indices {
		classes = append(classes, d.Classes[d.Labels[i]])
	}
	rows := []ImageRow{tilesOf("original", d, indices)}
	for _, kind := range kinds {
		ood, err := d.SynthesizeOOD(kind, seed)
		if err != nil {
			return nil, err
		}
		rows = append(rows, tilesOf(kind, ood, indices))
	}
	return ImageTable(fmt.Sprintf("%s %s, and synthetic OOD sets made from it", d.Name, d.Split), classes, rows...)
}

// tilesOf is a row of examples of one set.
func tilesOf(name string, d *data.Dataset, indices []int) ImageRow {
	row := ImageRow{Name: name}
	for _, i := range indices {
		row.Tiles = append(row.Tiles, Tile{d, i})
	}
	return row
}

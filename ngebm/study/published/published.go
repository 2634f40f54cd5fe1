// Package published holds the results of experiments that are part of this repository,
// as ngebm experiment wrote them: metrics with their provenance, no images.
package published

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/ngebm/study"
)

//go:embed results/*.json
var files embed.FS

// Names returns the names of the results that there are, in alphabetical order: the
// presets that they are of.
func Names() []string {
	entries, err := files.ReadDir("results")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(names)
	return names
}

// Read returns the results of that name.
func Read(name string) (*study.Results, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("published: there are no results named %.60q%s; there are %s", name, nearest.Hint(name, Names()), strings.Join(Names(), ", "))
	}
	b, err := files.ReadFile("results/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("published: %w", err)
	}
	r, err := study.ParseResults(b)
	if err != nil {
		return nil, fmt.Errorf("published: %s: %w", name, err)
	}
	return r, nil
}

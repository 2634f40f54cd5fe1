// Package published holds the results of experiments that are part of this repository,
// as ngebm experiment and ngebm sweep wrote them: metrics with their provenance, no images.
// It also holds the plans of experiments, each committed before it was run: a plan's About says
// what was changed later.
package published

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/ngebm/study"
)

//go:embed plans/*.json results/*.json sweeps/*.json
var files embed.FS

// Names returns the names of the results of experiments, in alphabetical order: the
// presets that they are of.
func Names() []string { return names("results") }

// Plans returns the names of the presets whose experiment was planned beforehand, in
// alphabetical order.
func Plans() []string { return names("plans") }

// Sweeps returns the names of the tables of sweeps, in alphabetical order.
func Sweeps() []string { return names("sweeps") }

func names(folder string) []string {
	entries, err := files.ReadDir(folder)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var all []string
	for _, e := range entries {
		all = append(all, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(all)
	return all
}

// read returns the bytes of the file of that name.
func read(folder, name string) ([]byte, error) {
	if all := names(folder); !slices.Contains(all, name) {
		return nil, fmt.Errorf("published: there are no %s named %.60q%s; there are %s", folder, name, nearest.Hint(name, all), strings.Join(all, ", "))
	}
	b, err := files.ReadFile(folder + "/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("published: %w", err)
	}
	return b, nil
}

// ReadPlan returns the plan of a preset's experiment.
func ReadPlan(name string) (*study.Registered, error) {
	b, err := read("plans", name)
	if err != nil {
		return nil, err
	}
	plan := &study.Registered{}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(plan); err != nil {
		return nil, fmt.Errorf("published: the plan %s: %w", name, err)
	}
	return plan, plan.Validate()
}

// ReadSweep returns the table of that name.
func ReadSweep(name string) (*study.SweepTable, error) {
	b, err := read("sweeps", name)
	if err != nil {
		return nil, err
	}
	table := &study.SweepTable{}
	if err := json.Unmarshal(b, table); err != nil {
		return nil, fmt.Errorf("published: %s: %w", name, err)
	}
	return table, nil
}

// Read returns the results of that name.
func Read(name string) (*study.Results, error) {
	b, err := read("results", name)
	if err != nil {
		return nil, err
	}
	r, err := study.ParseResults(b)
	if err != nil {
		return nil, fmt.Errorf("published: %s: %w", name, err)
	}
	return r, nil
}

package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Merge puts results of one experiment from several machines together. They must have
// one base configuration, one way of measuring and, where both chose weights, one
// choice; methods and seeds are united, in the order in which they come. A run that
// several have must have been found the same: what it took, and where, may differ, and
// the first is kept. Anything else is an error that names what contradicts what.
func Merge(all ...*Results) (*Results, error) {
	if len(all) == 0 {
		return nil, errors.New("experiment: there are no results to merge; give one file or more")
	}
	first := all[0]
	merged := &Results{Format: format, Plan: first.Plan, Chosen: first.Chosen}
	merged.Methods, merged.Seeds = nil, nil
	base := func(r *Results) any {
		c := r.Base
		c.Seed, c.Data, c.Name = 0, "", "" // the checksums below say which data
		return c
	}
	for i, r := range all {
		for _, part := range []struct {
			name      string
			one, this any
		}{
			{"base configuration", base(first), base(r)},
			{"way of measuring", first.Measure, r.Measure},
		} {
			if !same(part.one, part.this) {
				return nil, fmt.Errorf("experiment: results %d have another %s than the first: %s, not %s", i+1, part.name, text(part.this), text(part.one))
			}
		}
		merged.Methods, merged.Seeds = union(merged.Methods, r.Methods), union(merged.Seeds, r.Seeds)
		if r.Chosen == nil {
			continue
		}
		if merged.Chosen == nil {
			merged.Chosen, merged.Choice = r.Chosen, r.Choice
		}
		if !same(merged.Chosen, r.Chosen) || !same(merged.Choice, r.Choice) {
			return nil, fmt.Errorf("experiment: results %d chose weights otherwise than those before (%s, not %s); merge what one choice led to", i+1, r.Chosen.Settings, merged.Chosen.Settings)
		}
	}
	if merged.Chosen == nil && slices.Contains(merged.Methods, Chosen) {
		merged.Choice = all[slices.IndexFunc(all, func(r *Results) bool { return slices.Contains(r.Methods, Chosen) })].Choice
	}
	for i, r := range all {
		for _, run := range r.Runs {
			old := merged.Find(run.Method, run.Seed)
			if old == nil {
				merged.put(run)
				continue
			}
			if what := contradicts(*old, run); what != "" {
				return nil, fmt.Errorf("experiment: results %d contradict those before on %s, seed %d: %s", i+1, run.Method, run.Seed, what)
			}
		}
	}
	return merged, merged.agree()
}

// agree tells whether all runs were tested on the same examples.
func (r *Results) agree() error {
	for _, run := range r.Runs {
		if got, want := run.Sets[2], r.Runs[0].Sets[2]; got.Checksum != want.Checksum {
			return fmt.Errorf("experiment: %s, seed %d was tested on %s (%.12s…), and %s, seed %d on %s (%.12s…); such runs cannot stand in one table",
				run.Method, run.Seed, got.Name, got.Checksum, r.Runs[0].Method, r.Runs[0].Seed, want.Name, want.Checksum)
		}
	}
	return nil
}

// contradicts says in what two results of one run differ, or nothing.
func contradicts(a, b Result) string {
	for _, part := range []struct {
		name string
		a, b any
	}{
		{"configuration and data", a.Run, b.Run},
		{"what became of it", a.Failed, b.Failed},
		{"weights", a.Checkpoint, b.Checkpoint},
		{"calibration", a.Calibration, b.Calibration},
		{"energy", a.Energy, b.Energy},
		{"detection", a.Detection, b.Detection},
		{"robustness", a.Robustness, b.Robustness},
	} {
		if !same(part.a, part.b) {
			return "the " + part.name + " differ; keep one of the files, or measure the run once and copy its folder"
		}
	}
	return ""
}

// same compares what is stored.
func same(a, b any) bool { return text(a) == text(b) }

// text is a value as it is stored.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error() // NaN, which no file holds
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// union is a followed by what of b is not in it.
func union[T comparable](a, b []T) []T {
	a = slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

package study

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
)

// Merge combines results of one experiment from several machines. They must have the same
// base configuration, protocol and, if both selected weights, selection, and must have selected
// the same weights. Methods and seeds are united, in the order in which they come. A run that
// several results have must have the same measurements; cost and machine may differ, and the first
// is kept, as is the first selection, since machines may round its metrics differently. Anything
// else is an error that names the conflict.
func Merge(all ...*Results) (*Results, error) {
	if len(all) == 0 {
		return nil, errors.New("study: no results to merge; give at least one file")
	}
	first := all[0]
	merged := &Results{Format: format, Plan: first.Plan, Selected: first.Selected}
	merged.Methods, merged.Seeds = nil, nil
	for i, r := range all {
		if err := r.Plan.like(first.Plan); err != nil {
			return nil, fmt.Errorf("study: results %d differ from the first in %w", i+1, err)
		}
		merged.Methods, merged.Seeds = union(merged.Methods, r.Methods), union(merged.Seeds, r.Seeds)
		if r.Selected == nil {
			continue
		}
		if merged.Selected == nil {
			merged.Selected, merged.Selection = r.Selected, r.Selection
		}
		if !same(merged.Selection, r.Selection) {
			return nil, fmt.Errorf("study: results %d selected weights by %s, and those before by %s (-candidates, -select-by, -select-seeds); merge results of one selection", i+1, text(r.Selection), text(merged.Selection))
		}
		if r.Selected.Settings != merged.Selected.Settings {
			return nil, fmt.Errorf("study: results %d selected other weights than those before (%s, not %s); merge results of one selection", i+1, r.Selected.Settings, merged.Selected.Settings)
		}
	}
	if merged.Selected == nil && slices.Contains(merged.Methods, Selected) {
		merged.Selection = all[slices.IndexFunc(all, func(r *Results) bool { return slices.Contains(r.Methods, Selected) })].Selection
	}
	found, names := map[planned]*Result{}, setNames{}
	for i, r := range all {
		for _, run := range r.Runs {
			run = names.named(run)
			name := planned{run.Method, run.Seed}
			old := found[name]
			if old == nil {
				found[name] = &run
				continue
			}
			if what := conflict(*old, run); what != "" {
				return nil, fmt.Errorf("study: results %d conflict with those before in %s, seed %d: different %s; keep one of the files, or measure the run once and copy its folder", i+1, run.Method, run.Seed, what)
			}
		}
	}
	merged.order(found)
	merged.mergeEnsembles(all)
	return merged, merged.agree()
}

// Keeps reports what of a file of results would be lost if r were written in its place: results of
// another plan, a run, a selection or an ensemble that r does not have, or has otherwise.
func (r *Results) Keeps(old *Results) error {
	if err := old.Plan.like(r.Plan); err != nil {
		return fmt.Errorf("study: it differs in %w", err)
	}
	if s := old.Selected; s != nil && (r.Selected == nil || r.Selected.Settings != s.Settings) {
		return fmt.Errorf("study: it has the selected weights %s", s.Settings)
	}
	found, names := map[planned]Result{}, setNames{}
	for _, run := range r.Runs {
		found[planned{run.Method, run.Seed}] = names.named(run)
	}
	for _, run := range old.Runs {
		name := planned{run.Method, run.Seed}
		is, has := found[name]
		if !has {
			return fmt.Errorf("study: it has %s", name)
		}
		if what := conflict(names.named(run), is); what != "" {
			return fmt.Errorf("study: it has %s with different %s", name, what)
		}
	}
	for _, e := range old.Ensembles {
		if is := r.Ensemble(e.Method); is == nil || !is.has(e.Seeds) {
			return fmt.Errorf("study: it has the ensemble of %s, seeds %s", e.Method, list(e.Seeds))
		}
	}
	return nil
}

// like reports a difference in what all runs of two plans have in common.
func (p Plan) like(other Plan) error {
	for _, part := range []struct {
		name      string
		one, this any
	}{
		{"the base configuration", other.base(), p.base()},
		{"the protocol", other.Measure, p.Measure},
	} {
		if !same(part.one, part.this) {
			return fmt.Errorf("%s: %s", part.name, differences(part.this, part.one))
		}
	}
	return nil
}

// base is the base configuration as machines and seeds share it.
func (p Plan) base() ngebm.Config {
	p.Base.Seed = 0
	p.Base.Margin.Outliers = data.CanonicalOODKind(p.Base.Margin.Outliers) // as in results that were read
	return anywhere(p.Base.WithoutFolders())
}

// anywhere is a configuration without the data's name, which may differ between machines:
// checksums say which data they are. Before 2026-12 a folder called photos@64 was stored without
// the slash at its end.
func anywhere(c ngebm.Config) ngebm.Config {
	c.Data, c.Name = "", ""
	c.Margin.Outliers = strings.TrimSuffix(c.Margin.Outliers, "/")
	return c
}

// agree checks that all runs were tested on the same examples, on the same OOD examples, with the same
// OOD validation set, and, where their configurations say so, trained on the same.
func (r *Results) agree() error {
	type drawn struct {
		seed                    uint64
		limit, draw, validation int
	}
	trained, detected := map[drawn]Result{}, map[string]string{}
	training, validation := map[int]Result{}, Result{} // the first with a limit, the first with a set
	for _, run := range r.Runs {
		if got, want := run.Sets[2], r.Runs[0].Sets[2]; got.Checksum != want.Checksum {
			return fmt.Errorf("study: %s, seed %d was tested on %s (%.12s…), and %s, seed %d on %s (%.12s…); such runs cannot be in one table",
				run.Method, run.Seed, got.Name, got.Checksum, r.Runs[0].Method, r.Runs[0].Seed, want.Name, want.Checksum)
		}
		c := run.Config
		if set := run.TrainingSet; set != "" {
			want, known := training[c.Limit]
			if known && want.TrainingSet != set {
				return fmt.Errorf("study: %s, seed %d was trained on examples of %s (%.12s…), and %s, seed %d on examples of %s (%.12s…); such runs cannot be compared",
					run.Method, run.Seed, run.Sets[0].Name, set, want.Method, want.Seed, want.Sets[0].Name, want.TrainingSet)
			}
			if !known {
				training[c.Limit] = run
			}
		}
		if set, want := run.OODValidationSet, validation.OODValidationSet; want == "" {
			validation = run
		} else if set != "" && set != want {
			return fmt.Errorf("study: the parameters of %s, seed %d were chosen on another OOD validation set than those of %s, seed %d (%.12s…, not %.12s…); such runs cannot be in one table",
				run.Method, run.Seed, validation.Method, validation.Seed, set, want)
		}
		key := drawn{run.Seed, c.Limit, c.Draw, c.Validation}
		if _, known := trained[key]; !known {
			trained[key] = run
		}
		for i, want := range trained[key].Sets[:2] {
			if got := run.Sets[i]; got.Checksum != want.Checksum {
				return fmt.Errorf("study: %s and %s, both of seed %d, have other %s examples, of %s (%.12s…) and %s (%.12s…); such runs cannot be compared",
					trained[key].Method, run.Method, run.Seed, got.Split, want.Name, want.Checksum, got.Name, got.Checksum)
			}
		}
		for _, d := range run.Detection {
			if d.Checksum == "" {
				continue
			}
			if want, known := detected[d.Set]; known && want != d.Checksum {
				return fmt.Errorf("study: %s, seed %d was measured on other examples of the OOD set %s than runs before (%.12s…, not %.12s…); such runs cannot be in one table",
					run.Method, run.Seed, d.Set, d.Checksum, want)
			}
			detected[d.Set] = d.Checksum
		}
	}
	return nil
}

// numbers is a report without its warnings, whose wording may change. Without intervals it
// also lacks what came with intervals of another kind (see calibration.Report).
func numbers(r *calibration.Report, intervals bool) *calibration.Report {
	if r == nil {
		return nil
	}
	silent := *r
	silent.Warnings = nil
	if intervals {
		return &silent
	}
	silent.Intervals, silent.IntervalKind, silent.Perfect, silent.Further = nil, "", nil, nil
	silent.Reliability = slices.Clone(r.Reliability)
	for i := range silent.Reliability {
		silent.Reliability[i].Perfect = nil
	}
	if r.Calibrated != nil {
		after := *r.Calibrated
		after.AfterT = numbers(r.AfterT, false)
		silent.Calibrated = &after
	}
	return &silent
}

// separations are detections, without intervals if that is asked for.
func separations(all []Detection, intervals bool) []Detection {
	all = slices.Clone(all)
	for i := range all {
		all[i].Checksum = "" // older results lack it; see Results.agree
		if !intervals {
			all[i].Intervals, all[i].IntervalKind = nil, ""
		}
	}
	return all
}

// unnamed are curves without what their dataset is called, which may differ between machines.
func unnamed(curves []*attack.Curve) (all []attack.Curve) {
	for _, c := range curves {
		if c != nil {
			one := *c
			one.Dataset = ""
			all = append(all, one)
		}
	}
	return all
}

// alike reports whether both were measured before 2026-12, when intervals were percentiles
// and reports had no calibration.Further, or both since.
func alike(a, b *calibration.Report) bool {
	if a == nil || b == nil {
		return true
	}
	return a.IntervalKind == b.IntervalKind && (a.Further == nil) == (b.Further == nil)
}

// conflict names what two results of one run differ in; "" if nothing.
func conflict(a, b Result) string {
	alike := alike(a.Calibration, b.Calibration)
	for _, part := range []struct {
		name string
		a, b any
	}{
		{"configuration and data", a.Run, b.Run},
		{"failure", a.Failed, b.Failed},
		{"weights", a.Checkpoint, b.Checkpoint},
		{"calibration", numbers(a.Calibration, alike), numbers(b.Calibration, alike)},
		{"energy", a.Energy, b.Energy},
		{"gradient norm", a.GradientNorm, b.GradientNorm},
		{"detection", separations(a.Detection, alike), separations(b.Detection, alike)},
		{"robustness", unnamed(a.Robustness), unnamed(b.Robustness)},
	} {
		if !same(part.a, part.b) {
			return part.name
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

// differences lists what is not the same in two stored objects: "resamples 200, not 100".
func differences(was, is any) string {
	fields := func(v any) (all map[string]json.RawMessage) {
		_ = json.Unmarshal([]byte(text(v)), &all) // what is no object has no fields
		return all
	}
	a, b := fields(was), fields(is)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !bytes.Equal(a[name], b[name]) {
			all = append(all, fmt.Sprintf("%s %s, not %s", name, a[name], cmp.Or(string(b[name]), "none")))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[name]; !ok {
			all = append(all, fmt.Sprintf("%s none, not %s", name, b[name]))
		}
	}
	return strings.Join(all, "; ")
}

// union is a followed by what of b is not in it.
func union[T comparable](a, b []T) []T {
	a = slices.Clone(a)
	has := map[T]bool{}
	for _, v := range a {
		has[v] = true
	}
	for _, v := range b {
		if !has[v] {
			a = append(a, v)
		}
		has[v] = true
	}
	return a
}

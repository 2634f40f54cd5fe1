package study

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// Groups of OOD sets.
const (
	Near = "near"
	Far  = "far"
)

// validateDetectors checks what the protocol says of detectors and groups.
func (p Protocol) validateDetectors() error {
	if err := measure.CheckDetectors(p.Detectors); err != nil {
		return err
	}
	sets := slices.Concat(p.OODKinds, p.OODDatasets, p.Missing)
	for _, name := range p.Near {
		if !slices.Contains(sets, name) {
			return fmt.Errorf("study: the near OOD set %.60q (-near) is not among the OOD sets; add it to -ood or -ood-datasets, which have %s", name, strings.Join(sets, ", "))
		}
	}
	if slices.Contains(sets, p.OODValidation) && p.OODValidation != "" {
		return fmt.Errorf("study: parameters would be chosen on %s (-ood-validation), which is also tested; choose another OOD set", p.OODValidation)
	}
	return nil
}

func (p Protocol) describeDetectors() string {
	var b strings.Builder
	if len(p.Near) > 0 {
		fmt.Fprintf(&b, "  near: %s; all others are far\n", strings.Join(p.Near, ", "))
	}
	if len(p.Detectors) > 0 {
		fmt.Fprintf(&b, "  detectors fitted on training features: %s\n", strings.Join(p.Detectors, ", "))
	}
	if p.OODValidation != "" {
		fmt.Fprintf(&b, "  their parameters chosen on %s against validation examples\n", publicName(p.OODValidation))
	}
	return b.String()
}

// group is near or far; empty if there are no groups.
func (p Protocol) group(name string) string {
	switch {
	case len(p.Near) == 0:
		return ""
	case slices.Contains(p.Near, name):
		return Near
	}
	return Far
}

// findValidation opens the dataset of OODValidation; nil if that is a kind, or empty. Unlike
// test sets it must be there: without it all parameters would be others. It is neither like, the test
// set, nor one of the OOD datasets.
func (p *Protocol) findValidation(ctx context.Context, like *data.Dataset, tested []*data.Dataset, opts train.Options) (*data.Dataset, error) {
	name := p.OODValidation
	if name == "" || slices.Contains(like.OODKinds(), name) {
		return nil, nil
	}
	set, err := openOOD(ctx, name, like, opts)
	if err == nil && set == nil {
		err = fmt.Errorf("study: the OOD validation set %s (-ood-validation) is not on this machine; fetch it with ngebm fetch, give a folder, or a kind of %s", name, strings.Join(like.OODKinds(), ", "))
	}
	p.OODValidation = publicName(name)
	if err == nil {
		err = p.validateDetectors() // paths that end alike are one name in results
	}
	if err != nil {
		return nil, err
	}
	if sameExamples(set, like) {
		return nil, fmt.Errorf("study: the OOD validation set %s (-ood-validation) has the examples of the test set itself; choose another OOD set", p.OODValidation)
	}
	for i, other := range tested {
		if sameExamples(set, other) {
			return nil, fmt.Errorf("study: the OOD validation set %s (-ood-validation) has the examples of %s (-ood-datasets), which is also tested; choose another OOD set", p.OODValidation, p.OODDatasets[i])
		}
	}
	return set, nil
}

// oodValidation is the set that parameters are chosen on, as large as the run's validation split: a
// dataset's examples, or a kind made of validation examples. nil if there is none.
func (p Protocol) oodValidation(run *ngebm.Run, set *data.Dataset) (*data.Dataset, error) {
	var err error
	switch {
	case p.OODValidation == "":
		return nil, nil
	case set != nil:
		set, err = p.cut(set, run.Validation.Len())
	default:
		set, err = run.Validation.SynthesizeOOD(p.OODValidation, p.Seed)
	}
	if err != nil {
		return nil, err
	}
	return p.noisy(set)
}

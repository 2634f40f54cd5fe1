package measure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/jem"
)

// Stored measures a run on its test set, or returns what was measured before: a
// report lies in the run's folder, as measured-<key>.json, and the key covers the
// checkpoint's content, the data sets, the options and the code (see ngebm.Source). A run
// is measured once.
// Adversarial examples are not stored: attack.Curve.Adversarial gives none for a
// report that was read.
func Stored(ctx context.Context, run *ngebm.Run, o Options) (*Report, error) {
	if run.Test == nil {
		return nil, errors.New("measure: the run was loaded without its data; train its configuration again (it will be loaded), or call Measure with a set")
	}
	if o.Validation == nil {
		o.Validation = run.Validation
	}
	checkpoint, err := run.Checksum()
	if err != nil {
		return nil, err
	}
	name := "measured-" + o.key(checkpoint, run.Test) + ".json"
	if r, err := read[Report](run, name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		if err == nil && (r.Run != run.Hash || r.Data.Checksum != run.Test.Checksum) {
			return nil, otherRun(run, name, r.Run)
		}
		if err == nil {
			r.Notes = run.Notes
		}
		return r, err
	}
	r, err := Measure(ctx, run.Classifier, run.Test, o)
	if err != nil {
		return nil, err
	}
	r.Run, r.Code = run.Hash, ngebm.Version()
	r.Notes = run.Notes
	return r, write(run, name, r)
}

// otherRun is the error of a stored file that belongs to another run.
func otherRun(run *ngebm.Run, name, other string) error {
	return fmt.Errorf("measure: %q in %q is of run %q; delete it to measure again", name, run.Dir, other)
}

// maxStored is the most bytes of a file of what was measured.
const maxStored = 64 << 20

// write stores what was measured in the run's folder.
func write(run *ngebm.Run, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = writeIn(run.Dir, name, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("measure: cannot store the report: %w; make room and its folder writable, then measure again; the run is untouched", err)
	}
	return nil
}

func writeIn(dir, name string, content []byte) error {
	folder, err := files.OpenFolder(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.WriteFile(name, content, 0o644)
}

// read returns what was stored in the run's folder; the error wraps fs.ErrNotExist where
// nothing was.
func read[T any](run *ngebm.Run, name string) (*T, error) {
	folder, err := files.OpenFolder(run.Dir)
	if err != nil {
		return nil, fmt.Errorf("measure: the run's folder %w", err)
	}
	defer folder.Close()
	b, err := folder.ReadFile(name, maxStored)
	if err != nil {
		return nil, fmt.Errorf("measure: what was stored: %w", err)
	}
	var r T
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("measure: %q cannot be read: %w; delete it to measure again", filepath.Join(run.Dir, name), err)
	}
	plain.Values(&r)
	return &r, nil
}

// key identifies a measurement.
func (o Options) key(checkpoint string, in *data.Dataset) string {
	type plan struct {
		Attack   string
		Epsilons []float64
		Examples int
		Masking  bool
	}
	k := struct {
		Source              string
		Checkpoint, In, Val string
		Bins                int
		Bootstrap           bootstrap.Options
		Out                 []string
		Attacks             []plan
		Seed                uint64
		Refine              *jem.Refinement `json:",omitempty"`
		AttackBatch         int             `json:",omitempty"`
	}{Source: ngebm.Source(), Checkpoint: checkpoint, In: in.Checksum, Bins: o.Bins, Bootstrap: o.Bootstrap, Seed: o.Seed, AttackBatch: o.AttackBatch}
	if o.Validation != nil {
		k.Val = o.Validation.Checksum
	}
	if o.Refine.Steps != 0 {
		r := o.Refine.WithDefaults()
		k.Refine = &r
	}
	for _, d := range o.Out {
		k.Out = append(k.Out, d.Checksum)
	}
	for _, p := range o.Attacks {
		k.Attacks = append(k.Attacks, plan{fmt.Sprintf("%#v", p.Attack), p.Epsilons, p.Examples, p.Masking})
	}
	b, err := json.Marshal(k)
	if err != nil {
		b = fmt.Append(nil, k) // NaN among the ε, which the attack will refuse by name
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/ood"
)

// format is the version of the results file.
const format = 1

// maxFile bounds the bytes of a results file; one run takes some 40 kB.
const maxFile = 64 << 20

// maxCurves and maxPoints bound a run's robustness curves, which tables look through for every point.
const maxCurves, maxPoints = 100, 1000

// Results are what an experiment found so far: numbers with their provenance, without
// images and without paths of a machine.
type Results struct {
	Format int `json:"format"`
	Plan
	Selected *Outcome `json:"chosen,omitempty"` // nil until weights are selected
	// Ensembles are of the runs that one process had; see Protocol.
	Ensembles []EnsembleResult `json:"ensembles,omitempty"`
	Runs      []Result         `json:"runs"` // in the plan's order
}

// Result is the measurements of one run.
type Result struct {
	Method     string       `json:"method"`
	Seed       uint64       `json:"seed"`
	Config     ngebm.Config `json:"config"`
	Run        string       `json:"run"`                  // hash of configuration and data, see ngebm.Config.Hash
	Checkpoint string       `json:"checkpoint,omitempty"` // SHA-256 of the checkpoint
	// Failed says why nothing was measured: the run diverged.
	Failed string `json:"failed,omitempty"`
	// Notes say in what the run could differ from one trained by the code that measured it.
	Notes []string `json:"notes,omitempty"`

	Network    string        `json:"network"`
	Parameters int           `json:"parameters"`
	Sets       []DatasetInfo `json:"sets"` // train, validation, test
	// TrainingSet is the checksum of all training examples, before any were drawn or held out;
	// OODValidationSet that of the dataset that chose detectors' parameters, if it was one. Both are
	// empty in results made before 2026-12.
	TrainingSet      string `json:"training_set,omitempty"`
	OODValidationSet string `json:"ood_validation_set,omitempty"`

	Training  Training `json:"training"`
	Measuring Work     `json:"measuring"`

	Calibration  *calibration.Report `json:"calibration,omitempty"`
	Energy       measure.Moments     `json:"energy"`
	GradientNorm measure.Moments     `json:"gradient_norm"`
	Detection    []Detection         `json:"detection,omitempty"`
	Robustness   []*attack.Curve     `json:"robustness,omitempty"` // PGD in each norm, then the ensemble of attacks
}

// DatasetInfo identifies one dataset of a run.
type DatasetInfo struct {
	Name     string `json:"name"`
	Split    string `json:"split"`
	Source   string `json:"source"`
	Lossy    bool   `json:"lossy"`
	Examples int    `json:"examples"`
	Checksum string `json:"checksum"` // SHA-256, see data.Info
}

// infoOf is empty for nil: a run without validation data.
func infoOf(d *data.Dataset) DatasetInfo {
	if d == nil {
		return DatasetInfo{}
	}
	return DatasetInfo{d.Name, d.Split, d.Source, d.Lossy, d.Len(), d.Checksum}
}

// Work is what training or measuring cost, and where it was done.
type Work struct {
	Code   string `json:"code"`             // see ngebm.Version
	Source string `json:"source,omitempty"` // see ngebm.Source
	Device string `json:"device"`           // the backend's own description, without folders
	// Machine is ngebm.Machine's; results made before 2026-12 lack its processor. It is empty where
	// a run does not say which trained it; results made before 2026-12 then have the one that measured.
	Machine string  `json:"machine"`
	Seconds float64 `json:"seconds"` // by the clock; of measuring, by the last process that did
	// Process is the processor time meanwhile, in seconds, of all cores together; 0
	// where it is not known.
	Process float64 `json:"process_seconds"`
}

// Training is the work of training a run.
type Training struct {
	Work
	Steps int `json:"steps"`
	Batch int `json:"batch"`
}

// Detection is how well one score separates the test examples from an OOD set.
type Detection struct {
	Set      string `json:"set"`
	Checksum string `json:"set_checksum,omitempty"` // SHA-256 of the set; empty in results made before 2026-12
	Score    string `json:"score"`                  // px, py, pxgrad …, see package ood; larger is more in-distribution
	// Group is near or far, empty without groups. Parameter is the detector's own; 0 if it does not have
	// one, where GEN was not tuned, and where ViM's is by the authors' rule. ODIN has two, which Is states.
	Group     string  `json:"group,omitempty"`
	Parameter float64 `json:"parameter,omitempty"`
	// Is is the score's formula where its parameters, ODIN's for one, were chosen on an OOD
	// validation set.
	Is string `json:"is,omitempty"`
	ood.Report
}

// publicName is a dataset's name without the folders of its path.
func publicName(set string) string {
	return ngebm.Config{Data: set}.WithoutFolders().Data
}

// Find returns the result of a method's run with that seed, or nil.
func (r *Results) Find(method string, seed uint64) *Result {
	for i := range r.Runs {
		if r.Runs[i].Method == method && r.Runs[i].Seed == seed {
			return &r.Runs[i]
		}
	}
	return nil
}

// Missing names the runs of the plan that have no result yet.
func (r *Results) Missing() []string {
	var missing []string
	found := r.byName()
	for _, p := range r.runs() {
		if found[p] == nil {
			missing = append(missing, p.String())
		}
	}
	return missing
}

// put enters a result in the plan's order.
func (r *Results) put(result Result) {
	names := setNames{}
	for _, run := range r.Runs {
		names.named(run)
	}
	result = names.named(result)
	found := r.byName()
	found[planned{result.Method, result.Seed}] = &result
	r.order(found)
}

// byName are the runs, each as [Results.Find] returns it.
func (r *Results) byName() map[planned]*Result {
	found := map[planned]*Result{}
	for i := range slices.Backward(r.Runs) {
		found[planned{r.Runs[i].Method, r.Runs[i].Seed}] = &r.Runs[i]
	}
	return found
}

// order takes runs as the results', in the plan's order.
func (r *Results) order(found map[planned]*Result) {
	var runs []Result
	for _, p := range r.runs() {
		if run := found[p]; run != nil {
			runs = append(runs, *run)
		}
	}
	r.Runs = runs
}

// setNames are the names of OOD sets by their content: tables distinguish them by names, and a
// folder may be called otherwise by now.
type setNames map[setPlace]string

// setPlace is one set's, the nth of those with one content, and a score's on it.
type setPlace struct {
	checksum, score string
	nth             int
}

// named is a result whose OOD sets have the names that sets of the same content had in the results
// before it.
func (n setNames) named(result Result) Result {
	result.Detection = slices.Clone(result.Detection)
	seen := map[setPlace]int{}
	for i := range result.Detection {
		d := &result.Detection[i]
		if d.Checksum == "" { // older results lack it
			continue
		}
		at := setPlace{d.Checksum, d.Score, 0}
		seen[at]++
		at.nth = seen[at]
		if name, known := n[at]; known {
			d.Set = name
		} else {
			n[at] = d.Set
		}
	}
	return result
}

// Write writes a results file atomically, with one line for each run, so that a diff shows
// which were added.
func (r *Results) Write(path string) error {
	head := *r
	head.Runs = []Result{}
	b, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("study: %w", err)
	}
	var out bytes.Buffer
	out.Write(bytes.TrimSuffix(b, []byte("]}")))
	for i, run := range r.Runs {
		if b, err = json.Marshal(run); err != nil {
			return fmt.Errorf("study: %s, seed %d: %w", run.Method, run.Seed, err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(b)
	}
	out.WriteString("\n]}\n")
	if err := files.WriteFile(path, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("study: cannot write the results: %w; choose another file with -o", err)
	}
	return nil
}

// ReadResults reads a results file.
func ReadResults(path string) (*Results, error) {
	b, err := files.ReadLinked(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("study: cannot read results: %w", err)
	}
	r, err := ParseResults(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, err)
	}
	return r, nil
}

// ParseResults reads the text of a results file, and checks it against its plan.
func ParseResults(b []byte) (*Results, error) {
	var r Results
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("study: not a results file: %w", err)
	}
	plain.Values(&r)
	r.canonical()
	if r.Format != format {
		return nil, fmt.Errorf("study: results of format %d cannot be read, only of format %d; use the version of ngebm that wrote them, or a newer one", r.Format, format)
	}
	if err := r.Plan.validate(); err != nil {
		return nil, err
	}
	left := map[planned]bool{}
	for _, p := range r.runs() {
		left[p] = true
	}
	for _, run := range r.Runs {
		name := planned{run.Method, run.Seed}
		if !left[name] {
			return nil, fmt.Errorf("study: the results have a run of %s twice, or one that is not in their plan", name)
		}
		delete(left, name)
		if err := run.check(); err != nil {
			return nil, fmt.Errorf("study: %s: %w", name, err)
		}
	}
	return &r, r.checkEnsembles()
}

// canonical gives methods and OOD kinds the names of now: files written before one was renamed can
// be merged with new ones.
func (r *Results) canonical() {
	r.Plan = r.Plan.canonical()
	r.Methods = union(nil, r.Methods) // a file may have a method by both names
	for i := range r.Runs {
		r.Runs[i].Method = ngebm.CanonicalMethod(r.Runs[i].Method)
	}
	for i := range r.Ensembles {
		r.Ensembles[i].Method = ngebm.CanonicalMethod(r.Ensembles[i].Method)
	}
	r.Base.Margin.Outliers = data.CanonicalOODKind(r.Base.Margin.Outliers)
	for _, run := range r.Runs {
		for i, d := range run.Detection {
			if name, kind, ok := cutLast(d.Set, ", "); ok { // see data.Dataset.SynthesizeOOD
				run.Detection[i].Set = name + ", " + data.CanonicalOODKind(kind)
			}
		}
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// check reports what is missing that every table needs.
func (r Result) check() error {
	if len(r.Sets) != 3 {
		return fmt.Errorf("it names %d datasets; it must name three, for training, validation and test", len(r.Sets))
	}
	if len(r.Robustness) > maxCurves {
		return fmt.Errorf("it has %d robustness curves, more than %d", len(r.Robustness), maxCurves)
	}
	for _, c := range r.Robustness {
		if c == nil {
			return errors.New("a robustness curve is null")
		}
		if len(c.Points) > maxPoints {
			return fmt.Errorf("a robustness curve has %d points, more than %d", len(c.Points), maxPoints)
		}
	}
	if c := r.Calibration; r.Failed == "" && (c == nil || c.Calibrated == nil || c.AfterT == nil) {
		return errors.New("calibration before and after temperature scaling is missing")
	}
	return nil
}

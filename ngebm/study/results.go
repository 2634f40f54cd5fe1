package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

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

// maxFile bounds the bytes of a results file; one run takes some 40 kB, and has a file with
// a bound of its own in its folder.
const (
	maxFile   = 64 << 20
	maxResult = 4 << 20
)

// Results are what an experiment found so far. They hold figures and where they come
// from, and neither images nor paths of a machine.
type Results struct {
	Format int `json:"format"`
	Plan
	Chosen *Outcome `json:"chosen,omitempty"` // nil until weights are chosen
	Runs   []Result `json:"runs"`             // in the plan's order
}

// Outcome is what the choice of weights came to.
type Outcome struct {
	Settings   string      `json:"settings"` // of the candidate with the best mean
	Figure     string      `json:"figure"`   // that it was chosen by
	Is         string      `json:"is"`       // the figure's convention
	Candidates []Candidate `json:"candidates"`
}

// Candidate is what validation data told of one candidate, seed by seed.
type Candidate struct {
	Settings string               `json:"settings"`
	Runs     []string             `json:"runs"` // hashes
	Figures  map[string][]float64 `json:"figures,omitempty"`
	// Failed says which seeds diverged, and why; such a candidate is not chosen.
	Failed []string `json:"failed,omitempty"`
}

// Result is what was found of one run.
type Result struct {
	Method     string       `json:"method"`
	Seed       uint64       `json:"seed"`
	Config     ngebm.Config `json:"config"`
	Run        string       `json:"run"`                  // hash of configuration and data, see ngebm.Config.Hash
	Checkpoint string       `json:"checkpoint,omitempty"` // SHA-256 of the checkpoint
	// Failed says why there are no figures: the run diverged.
	Failed string `json:"failed,omitempty"`
	// Notes say in what the run could differ from one trained by the code that measured it.
	Notes []string `json:"notes,omitempty"`

	Network    string   `json:"network"`
	Parameters int      `json:"parameters"`
	Sets       []Set    `json:"sets"` // train, validation, test
	Training   Training `json:"training"`
	Measuring  Work     `json:"measuring"`

	Calibration  *calibration.Report `json:"calibration,omitempty"`
	Energy       measure.Moments     `json:"energy"`
	GradientNorm measure.Moments     `json:"gradient_norm"`
	Detection    []Detection         `json:"detection,omitempty"`
	Robustness   []*attack.Curve     `json:"robustness,omitempty"` // PGD in each norm, then the worst case
}

// Set is one data set of a run.
type Set struct {
	Name     string `json:"name"`
	Split    string `json:"split"`
	Source   string `json:"source"`
	Lossy    bool   `json:"lossy"`
	Examples int    `json:"examples"`
	Checksum string `json:"checksum"` // SHA-256, see data.Info
}

func setOf(d *data.Dataset) Set {
	return Set{d.Name, d.Split, d.Source, d.Lossy, d.Len(), d.Checksum}
}

// Work is what something took, and who did it.
type Work struct {
	Code    string  `json:"code"`             // see ngebm.Version
	Source  string  `json:"source,omitempty"` // see ngebm.Source
	Device  string  `json:"device"`           // the backend's own description, without folders
	Machine string  `json:"machine"`          // "linux/amd64, 2 processors"
	Seconds float64 `json:"seconds"`          // by the clock; of measuring, by the last process that did
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

// Detection is how well one score tells the test examples from a set of strangers.
type Detection struct {
	Set   string `json:"set"`
	Score string `json:"score"` // px, py, pxgrad …, see package ood; larger is more in-distribution
	ood.Report
}

// publicName is a data set's name without the folders of its path.
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
	for _, j := range r.jobs(r.firstCandidate()) {
		if r.Find(j.method, j.config.Seed) == nil {
			missing = append(missing, j.name())
		}
	}
	return missing
}

// put enters a result in the plan's order.
func (r *Results) put(result Result) {
	var runs []Result
	for _, j := range r.jobs(r.firstCandidate()) {
		switch old := r.Find(j.method, j.config.Seed); {
		case j.method == result.Method && j.config.Seed == result.Seed:
			runs = append(runs, result)
		case old != nil:
			runs = append(runs, *old)
		}
	}
	r.Runs = runs
}

// Write writes the file beside its final name, synced, and renames it, with one line
// for each run, so that a repository shows what was added.
func (r *Results) Write(path string) error {
	head := *r
	head.Runs = []Result{}
	b, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	var out bytes.Buffer
	out.Write(bytes.TrimSuffix(b, []byte("]}")))
	for i, run := range r.Runs {
		if b, err = json.Marshal(run); err != nil {
			return fmt.Errorf("experiment: %s, seed %d: %w", run.Method, run.Seed, err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(b)
	}
	out.WriteString("\n]}\n")
	if err := files.WriteFile(path, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("experiment: cannot write the results: %w; choose another file with -o", err)
	}
	return nil
}

// Read reads a results file.
func Read(path string) (*Results, error) {
	b, err := files.ReadLinked(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	r, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Parse reads the text of a results file, and holds it to its plan.
func Parse(b []byte) (*Results, error) {
	var r Results
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("experiment: no results file: %w", err)
	}
	plain.Values(&r)
	if r.Format != format {
		return nil, fmt.Errorf("experiment: its format is %d, and this program reads format %d; use the version of ngebm that wrote it, or a newer one", r.Format, format)
	}
	if err := r.Plan.Validate(); err != nil {
		return nil, err
	}
	planned := map[string]bool{}
	for _, j := range r.jobs(r.firstCandidate()) {
		planned[j.name()] = true
	}
	for _, run := range r.Runs {
		name := fmt.Sprintf("%s, seed %d", run.Method, run.Seed)
		if !planned[name] {
			return nil, fmt.Errorf("experiment: it has a run of %s that its plan has not, or has twice", name)
		}
		delete(planned, name)
		if err := run.check(); err != nil {
			return nil, fmt.Errorf("experiment: %s: %w", name, err)
		}
	}
	return &r, nil
}

// check says what a result lacks that every table needs.
func (r Result) check() error {
	switch {
	case len(r.Sets) != 3:
		return fmt.Errorf("it names %d data sets, not those for training, validation and test", len(r.Sets))
	case r.Failed != "":
		return nil
	case r.Calibration == nil || r.Calibration.Calibrated == nil || r.Calibration.AfterT == nil:
		return errors.New("it has no calibration before and after temperature")
	}
	for _, c := range r.Robustness {
		if c == nil {
			return errors.New("it has a robustness curve that is null")
		}
	}
	return nil
}

package predict

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/internal/ckpt"
)

// version is that of the file's format and of what it means.
const version = 1

// maxFile bounds the size of the file.
const maxFile = 64 << 20

// fitted is what is stored.
type fitted struct {
	Version     int             `json:"version"`
	Run         string          `json:"run"`        // its hash
	Checkpoint  string          `json:"checkpoint"` // SHA-256 of the file with the weights
	Shape       []int           `json:"shape"`
	Classes     []string        `json:"classes"`
	Examples    int             `json:"examples"`   // of the validation split
	Validation  string          `json:"validation"` // its checksum
	Temperature float64         `json:"temperature"`
	Vector      *vectorScaling  `json:"vector,omitempty"` // in place of the temperature, which is 1
	Sets        conformal.Sets  `json:"sets"`
	FalseAlarms float64         `json:"false_alarms"` // of all scores together
	Scores      scoreThresholds `json:"scores,omitempty"`
	Input       *inputStats     `json:"input,omitempty"` // with the input score
	Detectors   storedDetectors `json:"detectors,omitempty"`
	Features    string          `json:"features,omitempty"` // that the detectors were fitted on, see ngebm.Run.FeaturesSum
	Risk        *conformal.Risk `json:"risk,omitempty"`
	Outliers    string          `json:"outliers,omitempty"` // the set that the scores were compared on
	Seed        uint64          `json:"seed,omitempty"`
	Warnings    []string        `json:"warnings,omitempty"`
	Code        string          `json:"code"`                  // that fitted, see ngebm.Version
	Computation string          `json:"computation,omitempty"` // that fitted, see ngebm.Run.Computation
}

// vectorScaling scales and shifts each class's logit.
type vectorScaling struct {
	Scale []float64 `json:"scale"` // [classes]
	Shift []float64 `json:"shift"`
}

// maxScaled bounds what a stored scaling may make of logits, so that probabilities stay finite.
const maxScaled = 1e6

func (v *vectorScaling) check(classes int) error {
	if len(v.Scale) != classes || len(v.Shift) != classes {
		return fmt.Errorf("has vector scaling of %d and %d numbers for %d classes", len(v.Scale), len(v.Shift), classes)
	}
	for _, number := range slices.Concat(v.Scale, v.Shift) {
		if !(math.Abs(number) <= maxScaled) {
			return fmt.Errorf("has %v in its vector scaling", number)
		}
	}
	return nil
}

// scoreThreshold is a score with the threshold under which it refuses.
type scoreThreshold struct {
	Score     string    `json:"score"`
	Threshold float64   `json:"threshold"`
	AUROC     float64   `json:"auroc,omitempty"` // on the outliers
	Usual     []float64 `json:"usual"`           // validation examples' scores, in increasing order
}

// scoreThresholds are those of some of the scores.
type scoreThresholds []scoreThreshold

// UnmarshalJSON reads one after the other and refuses more than there are scores: an empty one has 2
// bytes in a file, and 56 in memory.
func (all *scoreThresholds) UnmarshalJSON(list []byte) (err error) {
	*all, err = readList[scoreThreshold](list, "scores", len(ScoreNames()))
	return err
}

// readList reads a list of up to most elements.
func readList[T any](list []byte, what string, most int) (all []T, err error) {
	d := json.NewDecoder(bytes.NewReader(list))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return nil, cmp.Or(err, fmt.Errorf("the %s are no list", what))
	}
	for d.More() {
		var one T
		if len(all) == most {
			return nil, fmt.Errorf("there are more than %d %s", most, what)
		}
		if err := d.Decode(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// title names the score as people know it.
func (t scoreThreshold) title() string {
	switch t.Score {
	case "px":
		return "energy (px)"
	case "py":
		return "MSP (py)"
	case GradientScore:
		return "gradient-norm score (pxgrad)"
	case InputScore:
		return "input score"
	}
	return t.Score
}

// pValue is the share of validation examples with at most that score, the input counted.
func (t scoreThreshold) pValue(score float64) float64 {
	atMost, _ := slices.BinarySearch(t.Usual, math.Nextafter(score, math.Inf(1)))
	return float64(1+atMost) / float64(1+len(t.Usual))
}

// sealBytes is the room for what a file has besides what is fitted.
const sealBytes = 256

// sealed is the file.
type sealed struct {
	fitted
	Seal string `json:"seal"` // SHA-256 of the rest
}

func (f fitted) seal() (string, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("predict: %w", err)
	}
	if len(b) > maxFile-sealBytes {
		leave := "MDS or RMDS, whose matrices are large for wide networks"
		if f.Input != nil && 20*len(f.Input.Mean) > maxFile/2 { // two numbers of some 10 digits
			leave = "input, which has two numbers for each value of an input"
		}
		return "", fmt.Errorf("predict: the predictor takes %d bytes, and a stored one %d at most; leave out the score %s", len(b), maxFile, leave)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Save stores the predictor in the run's folder, as predictor.json.
func (p *Predictor) Save() error {
	seal, err := p.seal()
	if err != nil {
		return err
	}
	all := sealed{p.fitted, seal}
	b, err := json.MarshalIndent(all, "", "  ")
	if len(b) >= maxFile {
		b, err = json.Marshal(all)
	}
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	return ckpt.Folder(p.run.Dir).WriteFile(ckpt.PredictorFile, append(b, '\n'))
}

// Load opens the run in a folder with its stored predictor; no data is needed. An error that
// wraps fs.ErrNotExist says that none is stored: [Fit] one. A predictor of other weights,
// classes or inputs than the run's is refused; one that other code fitted has a note that says
// so. Close the predictor to free the run.
func Load(ctx context.Context, backend compute.Backend, dir string) (*Predictor, error) {
	if !ckpt.Folder(dir).Has(ckpt.PredictorFile) && ckpt.Folder(dir).Has(ckpt.ConfigFile) {
		return nil, noneStored(dir)
	}
	run, err := ngebm.Load(ctx, backend, dir, nil)
	if err != nil {
		return nil, err
	}
	p, err := Open(run)
	if err != nil {
		run.Close()
		return nil, err
	}
	p.owns = true
	notes := slices.Clone(run.Notes)
	if run.Warning != "" {
		notes = append(notes, run.Warning)
	}
	p.Notes = append(notes, p.Notes...)
	return p, nil
}

func noneStored(dir string) error {
	return fmt.Errorf("predict: %q has no %s; fit one with Fit and Save, or with ngebm predict: %w", dir, ckpt.PredictorFile, fs.ErrNotExist)
}

// Open is [Load] for a run that is open, with a network of your own, say. The run stays the
// caller's.
func Open(run *ngebm.Run) (*Predictor, error) {
	raw, err := ckpt.Folder(run.Dir).ReadFile(ckpt.PredictorFile, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noneStored(run.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	f, err := parse(raw)
	if err == nil {
		err = f.fits(run)
	}
	if err != nil {
		return nil, fmt.Errorf("predict: %q %w; fit it again", filepath.Join(run.Dir, ckpt.PredictorFile), err)
	}
	p, err := newPredictor(run, f)
	if err == nil {
		p.Notes = f.notes(run)
	}
	return p, err
}

// notes say in what a stored predictor may differ from one that is fitted now.
func (f fitted) notes(run *ngebm.Run) []string {
	const again = "fit it again (ngebm predict -refit) to compare"
	switch now := run.Computation(); f.Computation {
	case now:
		return nil
	case "": // of older programs
		return []string{fmt.Sprintf("what fitted the predictor is not known but for its code, %.100s; %s", cmp.Or(f.Code, "unknown"), again)}
	default:
		return []string{fmt.Sprintf("the predictor was fitted otherwise (by %.200s; now %s); %s", f.Computation, now, again)}
	}
}

// parse reads a stored predictor, which may come from anyone.
func parse(raw []byte) (fitted, error) {
	var s sealed
	if err := json.Unmarshal(raw, &s); err != nil {
		return s.fitted, fmt.Errorf("cannot be read: %w", err)
	}
	if s.Version != version {
		return s.fitted, fmt.Errorf("has version %d, and this program reads %d", s.Version, version)
	}
	seal, err := s.seal()
	if err == nil && seal != s.Seal {
		err = errors.New("was changed after it was fitted")
	}
	if err == nil {
		err = s.check()
	}
	classes := slices.Clone(s.Classes) // fits compares them with the run's, which are stored as they are
	plain.Values(&s.fitted)
	s.Classes = classes
	return s.fitted, err
}

// check compares the parts with each other.
func (f fitted) check() error {
	size := 1
	for _, n := range f.Shape {
		if n < 1 || n > maxFile/size {
			return fmt.Errorf("has inputs of shape %v", f.Shape)
		}
		size *= n
	}
	if !(f.Temperature >= calibration.MinTemperature && f.Temperature <= calibration.MaxTemperature) {
		return fmt.Errorf("has the temperature %v", f.Temperature)
	}
	if f.Vector != nil {
		if err := f.Vector.check(len(f.Classes)); err != nil {
			return err
		}
	}
	if err := f.Sets.Check(len(f.Classes)); err != nil {
		return fmt.Errorf("does not fit: %w", err)
	}
	var names []string
	for _, t := range f.Scores {
		if names = append(names, t.Score); len(t.Usual) == 0 || !slices.IsSorted(t.Usual) {
			return fmt.Errorf("lacks the validation scores of %.40q", t.Score)
		}
	}
	if slices.Contains(names, InputScore) {
		if f.Input == nil {
			return errors.New("lacks the means of the input score")
		}
		if err := f.Input.check(size); err != nil {
			return fmt.Errorf("does not fit: %w", err)
		}
	}
	if err := f.checkDetectors(names); err != nil {
		return err
	}
	return checkScores(names)
}

// fits compares a stored predictor with the run.
func (f fitted) fits(run *ngebm.Run) error {
	c := run.Classifier
	checkpoint, err := run.Checksum()
	features := ""
	if err == nil && f.Features != "" { // older predictors lack it
		features, err = run.FeaturesSum()
	}
	switch {
	case err != nil:
		return err
	case f.Run != run.Hash:
		return fmt.Errorf("is of run %.20q, not of %s", f.Run, run.Hash)
	case !slices.Equal(f.Classes, c.Classes):
		return fmt.Errorf("is for the classes %.200q, and the run has %.200q", f.Classes, c.Classes)
	case !slices.Equal(f.Shape, c.Shape):
		return fmt.Errorf("is for inputs of shape %v, and the run has %v", f.Shape, c.Shape)
	case f.Checkpoint != checkpoint:
		return fmt.Errorf("is of other weights: its checkpoint has the SHA-256 %.12s, the run's %.12s", f.Checkpoint, checkpoint)
	case f.Features != features:
		return errors.New("is of other features: the network's Features or Head was edited since it was fitted")
	}
	return nil
}

// String says in a few lines what was fitted, and what it rests on.
func (p *Predictor) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("predictor of run %s, from %d validation examples", p.fitted.Run, p.Examples)
	if p.Vector != nil {
		line("  vector scaling: scales %.3g, shifts %.3g", p.Vector.Scale, p.Vector.Shift)
	} else {
		line("  temperature %.3g", p.Temperature)
	}
	s := p.Sets
	scope, least := "on average over all inputs", slices.Min(s.Examples)
	if s.PerClass {
		scope = fmt.Sprintf("for each class (%d examples or more)", least)
	}
	line("  sets: %s, the right class is in %.6g %% of them or more, %s; an empty one stands for none of the classes", s.Method, 100*(1-s.Alpha), scope)
	for _, t := range p.Scores {
		against := ""
		if p.Outliers != "" {
			against = fmt.Sprintf("; AUROC %.3f on %s", t.AUROC, p.Outliers)
		}
		line("  refuses where %s is below %.4g%s", t.title(), t.Threshold, against)
	}
	if n := len(p.Scores); n > 0 {
		line("  false alarms: at most %.6g %% of usual inputs, %.6g %% for each score", 100*p.FalseAlarms, 100*p.FalseAlarms/float64(n))
	}
	if r := p.Risk; r != nil {
		threshold, _ := distinct(r.Threshold, 1)
		line("  refuses confidence below %s: then at most %.6g %% of the answers are wrong, with confidence %.6g; %d of %d validation examples are answered, %d of these wrong", threshold, 100*r.Level, 1-r.Delta, r.Answered, r.Examples, r.Wrong)
	}
	for _, w := range p.Warnings {
		line("  warning: %s", w)
	}
	line("  All of this holds for inputs that come from where the validation examples come from (exchangeable with them). An input from elsewhere may get any answer with high confidence.")
	return strings.TrimSuffix(b.String(), "\n")
}

package ngebm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"

	"ngebm/data"
	"ngebm/data/plain"
)

// runInfo is what config.json holds: enough to use the run without its data.
type runInfo struct {
	Hash      string          `json:"hash"`
	Algorithm int             `json:"algorithm"`
	Config    json.RawMessage `json:"config"`
	Data      data.Info       `json:"data"`
	Shape     []int           `json:"shape"`
	Network   *networkInfo    `json:"network,omitempty"` // nil in runs that were trained before it was recorded
	// Training is the checksum of all training examples, before the validation split, and
	// of outliers: with it, the hash can be computed again.
	Training string `json:"training,omitempty"`
}

// A run's folder may come from anyone: what it says is compared with these before a
// network is made of it.
const (
	maxInfo    = 16 << 20 // bytes of config.json
	maxCost    = 1 << 20  // bytes of cost.json
	maxInputs  = 1 << 24  // numbers in one example
	maxClasses = 1 << 16  // some ten times those of the largest sets of images
)

// readInfo reads config.json in a run's folder.
func readInfo(dir string) (info runInfo, cfg Config, err error) {
	folder, err := openFolder(dir)
	if err != nil {
		return info, cfg, err
	}
	defer folder.Close()
	raw, err := folder.ReadFile(configFile, maxInfo)
	if err != nil {
		return info, cfg, fmt.Errorf("ngebm: %w", err)
	}
	if info, cfg, err = parseInfo(raw); err != nil {
		return info, cfg, fmt.Errorf("ngebm: %q: %w", filepath.Join(dir, configFile), err)
	}
	return info, cfg, nil
}

func parseInfo(raw []byte) (info runInfo, cfg Config, err error) {
	if err := json.Unmarshal(raw, &info); err != nil {
		return info, cfg, fmt.Errorf("it cannot be read: %w", err)
	}
	if cfg, err = parseConfig(info.Config); err != nil {
		return info, cfg, err
	}
	// The names that are free text; the rest is checked, or compared with what is asked.
	for _, name := range []*string{&cfg.Name, &cfg.Data, &cfg.Margin.Outliers} {
		*name = plain.Text(*name)
	}
	if !hashPattern.MatchString(info.Hash) {
		return info, cfg, fmt.Errorf("it tells the hash %.60q, not 12 hex digits", info.Hash)
	}
	if info.Algorithm != algorithm {
		return info, cfg, fmt.Errorf("it was trained by algorithm %d, and this program has %d: use the program that trained it", info.Algorithm, algorithm)
	}
	if n := len(info.Data.Classes); n < 1 || n > maxClasses {
		return info, cfg, fmt.Errorf("it tells %d classes, not 1 to %d", n, maxClasses)
	}
	if len(info.Shape) == 0 || len(info.Shape) > maxRank || !fitsIn(info.Shape, maxInputs) {
		return info, cfg, fmt.Errorf("it tells examples of shape %v, not of 1 to %d numbers", info.Shape, maxInputs)
	}
	return info, cfg, nil
}

// fitsIn tells whether dimensions are positive and their product is at most most.
func fitsIn(dims []int, most int) bool {
	size := 1
	for _, d := range dims {
		if d < 1 || d > most/size {
			return false
		}
		size *= d
	}
	return true
}

// seal is the checksum of what the run's config.json says of its classifier. It is in
// every checkpoint, so that class names cannot be exchanged unseen.
func (r *Run) seal() string {
	names := make([]string, len(r.Classifier.Classes))
	for i, name := range r.Classifier.Classes {
		names[i] = string([]rune(name)) // as JSON gives it back
	}
	b, err := json.Marshal(struct {
		Hash     string
		Shape    []int
		Classes  []string
		Net      string
		Training string
	}{r.Hash, r.Classifier.Shape, names, r.Config.Net, r.training})
	if err != nil {
		panic(err) // text and whole numbers
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

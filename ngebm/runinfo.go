package ngebm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"ngebm/data"
	"ngebm/ngebm/nets"
)

// runInfo is what config.json holds: enough to use the run without its data.
type runInfo struct {
	Hash      string          `json:"hash"`
	Algorithm int             `json:"algorithm"`
	Config    json.RawMessage `json:"config"`
	Data      data.Info       `json:"data"`
	Shape     []int           `json:"shape"`
	Network   *networkInfo    `json:"network,omitempty"` // nil in runs that were trained before it was recorded
}

// A run's folder may come from anyone: what it says is compared with these before a
// network is made of it.
const (
	maxInfo    = 16 << 20 // bytes of config.json
	maxCost    = 1 << 20  // bytes of cost.json
	maxInputs  = 1 << 28  // numbers in one example
	maxClasses = 1 << 20
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

// checkSize refuses a network of which the run's checkpoints can be no more than a
// part, before memory is taken for its weights.
func (r *Run) checkSize(net nets.Network, info runInfo) error {
	size := int64(-1)
	for _, file := range []string{checkpointFile, previousFile, bestFile} {
		if stat, err := os.Stat(filepath.Join(r.Dir, file)); err == nil {
			size = max(size, stat.Size())
		}
	}
	const bytes = 4 // of a weight
	if n := leastWeights(net, info); size >= 0 && n > size/bytes {
		return fmt.Errorf("ngebm: the checkpoints in %s have at most %d bytes, too few for the %d weights or more of %s, which %s names; get the folder whole", r.Dir, size, n, net, configFile)
	}
	return nil
}

// leastWeights is a lower bound of a network's number of weights: those of its widest
// layers; 0 for networks of other packages.
func leastWeights(net nets.Network, info runInfo) int64 {
	switch net := net.(type) {
	case nets.MLP:
		in, n := int64(1), int64(0)
		for _, d := range info.Shape {
			in *= int64(d)
		}
		for _, width := range append(net.Hidden, len(info.Data.Classes)) {
			n += in * int64(width)
			in = int64(width)
		}
		return n
	case nets.WideResNet:
		channels := 64 * int64(net.Width) // of the last third
		return int64(net.Depth-4) / 6 * channels * channels * 9
	}
	return 0
}

package predict

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
)

// What Save writes can be read, however large, and what could not is refused with the score to leave out.
func TestSaveSize(t *testing.T) {
	dir := t.TempDir()
	of := func(values int) *Predictor {
		stats := &inputStats{Mean: make([]float32, values), Deviation: make([]float32, values)}
		for i := range stats.Mean {
			stats.Mean[i], stats.Deviation[i] = .12345678, .87654321
		}
		return &Predictor{fitted: fitted{Input: stats}, run: &ngebm.Run{Dir: dir}}
	}
	if err := of(2_500_000).Save(); err != nil { // 57 MB, 92 with a line for each number
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, ckpt.PredictorFile)); err != nil || info.Size() > maxFile {
		t.Errorf("%v bytes (%v), more than the %d that are read", info.Size(), err, maxFile)
	}
	if err := of(3_500_000).Save(); err == nil || !strings.Contains(err.Error(), "leave out the score input") {
		t.Errorf("80 MB give %v", err)
	}
}

package execute

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"ngebm/data/files"
	"ngebm/notebooks/internal/setup"
)

// Durations are the times that notebooks took when they last ran here, in files of a folder.
type Durations struct{ folder string }

// DurationsIn are those in the cache folder.
func DurationsIn(p *setup.Workspace) Durations { return Durations{filepath.Join(p.Cache, "executed")} }

func (d Durations) file(path string) string {
	return filepath.Join(d.folder, strings.TrimSuffix(filepath.Base(path), ".ipynb")+".took")
}

// Last is how long a notebook took the last time, 0 if that is not known.
func (d Durations) Last(path string) time.Duration {
	text, err := files.ReadFile(d.file(path), 100)
	if err != nil {
		return 0
	}
	took, err := time.ParseDuration(string(text))
	if err != nil {
		return 0
	}
	return took
}

// Record keeps how long a notebook took.
func (d Durations) Record(path string, took time.Duration) error {
	if err := os.MkdirAll(d.folder, 0o755); err != nil {
		return err
	}
	return files.WriteFile(d.file(path), []byte(took.Round(time.Millisecond).String()), 0o644)
}

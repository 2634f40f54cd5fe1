package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"ngebm/ngebm/progress"
)

// pluginFile is the name go-xla knows the CPU plugin by.
const pluginFile = "pjrt_c_api_cpu_plugin.so"

// store is a place for CPU plugins and the ways to get one.
type store struct {
	installed []string // folders looked through first and never written to
	cache     string   // folder where fetched plugins are kept, one sub-folder a source
	sources   []source // asked in this order
}

// source is one place a plugin can be fetched from.
type source struct {
	name   string // of its folder in the cache, and for people
	what   string // what it is, for people: "Python wheel, SHA-256 checked"
	size   int64  // of the plugin in bytes; 0 where it is not known beforehand
	sha256 string // of the plugin in hex; "" where it is not known beforehand
	// fetch leaves a plugin file in the empty folder work and returns its path.
	fetch func(ctx context.Context, work string, report progress.Reporter) (string, error)
}

// find returns a plugin that is on this machine.
func (s store) find() (plugin, bool) {
	if p, ok := findInstalled(s.installed, CPU); ok {
		return p, true
	}
	for _, src := range s.sources {
		path := filepath.Join(s.cache, src.name, pluginFile)
		// The hash was checked when the file came; the size tells whether it
		// was cut since. Hashing 270 MB at every start would take a second.
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && (src.size == 0 || src.size == info.Size()) {
			return plugin{path: path, source: src.String()}, true
		}
	}
	return plugin{}, false
}

func (s source) String() string { return s.name + ", " + s.what }

// obtain finds a plugin or fetches it from the first source that gives one.
func (s store) obtain(ctx context.Context, report progress.Reporter) (plugin, error) {
	if p, ok := s.find(); ok {
		return p, nil
	}
	unlock, err := s.lock(ctx, report)
	if err != nil {
		return plugin{}, fmt.Errorf("cannot keep XLA's CPU plugin in %s: %w; make the folder writable or set XDG_CACHE_HOME to another", s.cache, err)
	}
	defer unlock()
	if p, ok := s.find(); ok { // another process got it while this one waited
		return p, nil
	}
	var tried []string
	for _, src := range s.sources {
		err := s.get(ctx, src, report)
		if err == nil {
			if p, ok := s.find(); ok {
				return p, nil
			}
			err = errors.New("the plugin vanished after it was placed")
		}
		if ctx.Err() != nil {
			return plugin{}, ctx.Err()
		}
		tried = append(tried, fmt.Sprintf("%s: %v", src.name, err))
	}
	return plugin{}, fmt.Errorf("XLA's CPU plugin is neither installed nor to be had (%s)", strings.Join(tried, "; "))
}

// lock makes this process the only one that writes to the cache, waiting for its
// turn, and clears what a killed one left behind.
func (s store) lock(ctx context.Context, report progress.Reporter) (unlock func(), err error) {
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.cache, "lock"))
	start := time.Now()
	for {
		ok, err := l.TryLock()
		if err != nil {
			return nil, err
		}
		if ok {
			break
		}
		report.Report(progress.Report{Task: "wait for another process that gets XLA's CPU plugin", Elapsed: time.Since(start)})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	left, _ := filepath.Glob(filepath.Join(s.cache, "work-*"))
	for _, dir := range left {
		os.RemoveAll(dir)
	}
	return func() { l.Close() }, nil
}

// get fetches, checks and places the plugin of one source.
func (s store) get(ctx context.Context, src source, report progress.Reporter) error {
	work, err := os.MkdirTemp(s.cache, "work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	file, err := src.fetch(ctx, work, report)
	if err != nil {
		return err
	}
	if src.sha256 != "" {
		sum, err := fileSHA256(file)
		if err != nil {
			return err
		}
		if sum != src.sha256 {
			return fmt.Errorf("the plugin has SHA-256 %s instead of %s and was thrown away", sum, src.sha256)
		}
	}
	if err := syncFile(file); err != nil {
		return err
	}
	dir := filepath.Join(s.cache, src.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Rename(file, filepath.Join(dir, pluginFile))
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// syncFile puts a file's content on disk, so that the name it gets next never
// stands for half a file.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

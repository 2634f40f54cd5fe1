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

	"ngebm/data/files"
	"ngebm/data/progress"
)

// pluginFile is the file name by which go-xla recognizes the CPU plugin.
const pluginFile = "pjrt_c_api_cpu_plugin.so"

// ErrOffline is wrapped by the error for a plugin that is not installed while downloads are
// forbidden.
var ErrOffline = errors.New("offline")

// store finds the CPU plugin on this machine, or fetches it into a cache folder.
type store struct {
	installed []string // folders that are searched first and never written to
	cache     string   // folder for fetched plugins, with a subfolder for each source
	noCache   error    // why there is no such folder
	sources   []source // tried in this order
	offline   bool     // downloads are forbidden
}

// source is one place a plugin can be fetched from.
type source struct {
	name   string // of its folder in the cache, also shown
	what   string // what it is, as shown: "Python wheel"
	size   int64  // of the plugin in bytes
	sha256 string // of the plugin in hex
	byHand string // how to get the plugin by hand
	// fetch writes the plugin into the empty folder work and returns its path.
	fetch func(ctx context.Context, work string, report progress.Reporter) (string, error)
}

// errAbsent says that there is no plugin on this machine.
var errAbsent = errors.New("XLA's CPU plugin is not installed")

// find returns a plugin that is on this machine and that no other user could have replaced.
func (s store) find(ctx context.Context, report progress.Reporter) (plugin, error) {
	if p, ok := findInstalled(s.installed, CPU); ok {
		return p, checkOwners(p.path)
	}
	if s.noCache != nil {
		return plugin{}, errAbsent
	}
	absent := errAbsent
	for _, src := range s.sources {
		p, err := src.find(ctx, filepath.Join(s.cache, src.name, pluginFile), report)
		if !errors.Is(err, errAbsent) {
			return p, err
		}
		if err != errAbsent { // a file is there that is not the plugin
			absent = err
		}
	}
	return plugin{}, absent
}

// find returns the plugin of a source at path. One with another checksum counts
// as absent.
func (s source) find(ctx context.Context, path string, report progress.Reporter) (plugin, error) {
	if _, err := os.Lstat(path); err != nil {
		return plugin{}, errAbsent
	}
	if err := checkOwners(path); err != nil {
		return plugin{}, err
	}
	file, err := files.Open(path, s.size)
	if err != nil {
		return plugin{}, fmt.Errorf("%w: %w", errAbsent, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return plugin{}, err
	}
	// Hashing 270 MB takes .3 s, six times as long as the rest, so a note records the file
	// that was hashed. Nobody else can write to the folder, so the note is ours.
	note := fmt.Sprintf("SHA-256 %s, %s\n", s.sha256, files.Identity(info))
	how := "SHA-256 verified at download, unchanged since"
	if before, err := files.ReadFile(path+checkedSuffix, 1<<12); err != nil || string(before) != note {
		sum, err := hashOf(ctx, file, info.Size(), report)
		if err != nil {
			return plugin{}, err
		}
		if sum != s.sha256 {
			return plugin{}, fmt.Errorf("%w: %q has SHA-256 %s instead of %s and is not used", errAbsent, path, sum, s.sha256)
		}
		how = "SHA-256 verified now"
		_ = files.WriteFile(path+checkedSuffix, []byte(note), 0o600) // without it the next process hashes again
	}
	return plugin{path: path, source: fmt.Sprintf("%s, %s, %s", s.name, s.what, how), sha256: s.sha256}, nil
}

const checkedSuffix = ".checked"

// obtain finds a plugin or fetches it from the first source that gives one.
func (s store) obtain(ctx context.Context, report progress.Reporter) (plugin, error) {
	p, err := s.find(ctx, report)
	switch {
	case !errors.Is(err, errAbsent):
		return p, err
	case s.offline:
		return plugin{}, fmt.Errorf("%w, and downloads are forbidden (%w); %s", err, ErrOffline, s.advice())
	case s.noCache != nil:
		return plugin{}, fmt.Errorf("%w, and there is no folder to keep a download in (%w); set XDG_CACHE_HOME to one, or %s", err, s.noCache, s.advice())
	case len(s.sources) == 0:
		return plugin{}, fmt.Errorf("%w; %s", err, s.advice())
	}
	unlock, err := s.lock(ctx, report)
	if err != nil {
		return plugin{}, fmt.Errorf("%w, and none can be kept in %q: %w; make the folder writable, set XDG_CACHE_HOME to another, or %s", errAbsent, s.cache, err, s.advice())
	}
	defer unlock()
	if p, err := s.find(ctx, report); !errors.Is(err, errAbsent) { // another process got it while this one waited
		return p, err
	}
	var tried []string
	for _, src := range s.sources {
		err := s.get(ctx, src, report)
		if err == nil {
			p, err = src.find(ctx, filepath.Join(s.cache, src.name, pluginFile), report)
		}
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return plugin{}, context.Cause(ctx)
		}
		tried = append(tried, fmt.Sprintf("%s: %v", src.name, err))
		if errors.Is(err, errSilent) {
			break // the others are behind the same network
		}
	}
	return plugin{}, fmt.Errorf("%w and no source has it (%s); %s", errAbsent, strings.Join(tried, "; "), s.advice())
}

// advice is how to get a plugin by hand, and where to put it.
func (s store) advice() string {
	if len(s.sources) == 0 {
		return releaseByHand + installByHand
	}
	return s.sources[0].byHand + installByHand
}

// lock waits until this process alone may write to the cache, and removes what a killed
// process left.
func (s store) lock(ctx context.Context, report progress.Reporter) (unlock func(), err error) {
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		return nil, err
	}
	if err := checkOwners(s.cache); err != nil {
		return nil, err
	}
	start := time.Now()
	unlock, err = files.Lock(ctx, filepath.Join(s.cache, "lock"), func() {
		report.Report(progress.Report{Task: "wait for another process that gets XLA's CPU plugin", Elapsed: time.Since(start)})
	})
	if err != nil {
		return nil, err
	}
	left, _ := filepath.Glob(filepath.Join(s.cache, "work-*"))
	for _, dir := range left {
		os.RemoveAll(dir)
	}
	return unlock, nil
}

// get fetches the plugin of one source into the cache, under its final name once it is
// verified and synced.
func (s store) get(ctx context.Context, src source, report progress.Reporter) error {
	work, err := os.MkdirTemp(s.cache, "work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	path, err := src.fetch(ctx, work, report)
	if err != nil {
		return err
	}
	file, err := files.Open(path, src.size)
	if err != nil {
		return err
	}
	defer file.Close()
	sum, err := hashOf(ctx, file, src.size, report)
	if err != nil {
		return err
	}
	if sum != src.sha256 {
		return fmt.Errorf("the plugin has SHA-256 %s instead of %s and was thrown away", sum, src.sha256)
	}
	if err := errors.Join(file.Chmod(0o755), file.Sync()); err != nil { // so that the final name never holds half a file
		return err
	}
	dir := filepath.Join(s.cache, src.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Rename(path, filepath.Join(dir, pluginFile))
}

// hashOf computes a file's SHA-256 in hex.
func hashOf(ctx context.Context, file io.Reader, size int64, report progress.Reporter) (string, error) {
	start, h := time.Now(), sha256.New()
	r := progress.Report{Task: "check XLA's CPU plugin", Unit: "bytes", Total: size}
	for {
		n, err := io.CopyN(h, file, 1<<24)
		r.Done, r.Elapsed, r.Finished = r.Done+n, time.Since(start), err != nil
		report.Report(r)
		switch {
		case err == io.EOF:
			return hex.EncodeToString(h.Sum(nil)), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		}
	}
}

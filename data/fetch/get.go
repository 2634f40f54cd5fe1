package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/data/progress"
)

// getter is the options, and the limits for slow servers, which tests lower.
type getter struct {
	Options
	client   *http.Client
	answer   time.Duration // how long a server may take to answer
	stall    time.Duration // the time in which it must send minBytes
	minBytes int64
	pause    time.Duration // before the second attempt; it doubles from one to the next
	patience time.Duration // the longest wait that a server may ask for
	attempts int           // in a row without progress, before a mirror is given up
	silent   int           // in a row without an answer, before a mirror is given up
	enough   int64         // bytes that count as progress of an attempt
}

func newGetter(o Options) getter {
	if o.Progress == nil {
		o.Progress = progress.Discard{}
	}
	return getter{
		Options: o,
		client:  &http.Client{CheckRedirect: redirect},
		answer:  10 * time.Second, stall: 30 * time.Second, minBytes: 1 << 14,
		pause: time.Second, patience: time.Minute, attempts: 5, silent: 2, enough: 1 << 20,
	}
}

// Get returns the path of the file in the folder, with the checksum found right
// now or earlier. It downloads the file if it is not there; of several
// processes one downloads and the others wait for it. A file of that name that
// is not the published one is an error and stays as it is. After an error the
// folder holds what came so far, for the next call to resume from, unless it was
// wrong.
func (f File) Get(ctx context.Context, o Options) (path string, err error) {
	return newGetter(o).get(ctx, f)
}

func (g getter) get(ctx context.Context, f File) (path string, err error) {
	file, err := g.open(ctx, f)
	if err != nil {
		return "", err
	}
	return f.Path(g.Folder), file.Close()
}

// Open is [File.Get] of a file that is read at once: it opens what has the checksum, and not another file
// that gets the name meanwhile. After reading, ask [Opened.Unchanged].
func (f File) Open(ctx context.Context, o Options) (*Opened, error) {
	return newGetter(o).open(ctx, f)
}

func (g getter) open(ctx context.Context, f File) (*Opened, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	path := f.Path(g.Folder)
	if file, err := f.check(ctx, path, g.Progress); err != nil || file != nil {
		return file, err
	}
	if g.Offline {
		return nil, fmt.Errorf("fetch: %s is not in the cache, and downloads are forbidden (%w): %s", f.Name, ErrOffline, f.byHand(path))
	}
	if err := os.MkdirAll(g.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("fetch: %w; %s", err, otherFolder)
	}
	unlock, err := files.Lock(ctx, path+".lock", func() { say(g.Progress, "wait for another process to download "+f.Name) })
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("fetch: no lock for a download: %w; %s", err, otherFolder)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch: no lock for a download: %w", err)
	}
	defer unlock()
	if file, err := f.check(ctx, path, g.Progress); err != nil || file != nil { // another process got it while this one waited
		return file, err
	}
	if err := g.download(ctx, f, path); err != nil {
		return nil, fmt.Errorf("fetch: download of %s: %w%s; run again, or %s", f.Name, err, kept(partOf(path)), f.byHand(path))
	}
	file, err := f.check(ctx, path, g.Progress) // remembered
	if err == nil && file == nil {
		err = fmt.Errorf("fetch: %s was removed after it was downloaded: run again", path)
	}
	return file, err
}

// otherFolder is what helps where files cannot be written.
const otherFolder = "make the folder writable, or set NGEBM_DATA to another (in Go, data.Options.Cache)"

// partOf is the name of an unfinished download of this user's, another one where something else has
// the usual name. It only looks.
func partOf(path string) string {
	part := path + partSuffix
	if info, err := os.Lstat(part); err == nil && !files.IsOwn(info) {
		part += fmt.Sprintf("-%d", os.Geteuid())
	}
	return part
}

// clearedPart is [partOf] after what has the usual name was removed, where this user may.
func clearedPart(path string) string {
	_, _ = files.Own(path + partSuffix) // fails for another user's, in a folder like /tmp
	return partOf(path)
}

// kept says how much of an unfinished download is there.
func kept(part string) string {
	info, err := os.Stat(part)
	if err != nil || info.Size() == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s came and are kept)", progress.Report{Unit: "bytes", Done: info.Size()}.Amount())
}

// download gets the file from the first mirror that has it, and gives it its
// name.
func (g getter) download(ctx context.Context, f File, path string) error {
	if len(f.URLs) == 0 {
		return errors.New("no address is known")
	}
	d := &download{getter: g, file: f, part: clearedPart(path)}
	defer d.finish()
	var failed []string
	for _, address := range f.URLs {
		err := d.fromMirror(ctx, address)
		if err == nil {
			return d.commit(path)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var disk *diskError
		if errors.As(err, &disk) {
			return err // another mirror would not help
		}
		failed = append(failed, fmt.Sprintf("%s: %s", address, plain.Text(err.Error())))
	}
	return errors.New(strings.Join(failed, "; "))
}

// fromMirror asks one mirror until the file is complete and verified, or further attempts
// are pointless.
func (d *download) fromMirror(ctx context.Context, address string) error {
	fruitless, silent, restarts := 0, 0, 0
	for {
		err := d.attempt(ctx, address)
		if err == nil {
			return nil
		}
		var again *retryError
		if ctx.Err() != nil || !errors.As(err, &again) {
			return err
		}
		if d.at >= d.reached+d.enough {
			fruitless = 0
		}
		d.reached = max(d.reached, d.at)
		if again.restart {
			if restarts++; restarts > maxRestarts {
				return err
			}
			if err := d.forget(); err != nil {
				return err
			}
		}
		if fruitless++; fruitless >= d.attempts {
			return fmt.Errorf("%w (%d attempts)", err, fruitless)
		}
		if again.silent {
			silent++
		} else {
			silent = 0
		}
		if silent >= d.silent {
			return fmt.Errorf("%w (%d attempts)", err, silent)
		}
		if again.restart {
			continue
		}
		if again.after > d.patience {
			return fmt.Errorf("%w, and asks to come back in %s", err, progress.Duration(again.after))
		}
		pause := max(d.pause<<(fruitless-1), again.after)
		say(d.Progress, fmt.Sprintf("%s: %s; asking %s again in %s", d.file.Name, plain.Text(err.Error()), host(address), progress.Duration(pause)))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

const (
	// maxRestarts is how often one mirror may make a download start again.
	maxRestarts  = 2
	maxRedirects = 10
)

// retryError is a temporary error.
type retryError struct {
	err     error
	after   time.Duration // what the server asks to wait
	restart bool          // the part so far is useless
	silent  bool          // there was no answer
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// diskError is an error of the local disk.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// syncFolder makes a rename in the folder last through a crash of the machine, where the system can do
// that: some disks sync no folders, and a folder may be one that this user cannot read.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// commit gives the finished download its name.
func (d *download) commit(path string) error {
	if err := os.Rename(d.part, path); err != nil {
		return err
	}
	_ = os.Remove(d.part + fromSuffix)
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(info, d.checked) || info.Size() != d.checked.Size() || !info.ModTime().Equal(d.checked.ModTime()) {
		return fmt.Errorf("%q was replaced after it was verified", path)
	}
	d.file.remember(path, info)
	return nil
}

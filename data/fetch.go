package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"ngebm/ngebm/progress"
)

// stall is how long a server may send nothing before a download is given up.
const stall = time.Minute

// remote is a file that its authors publish.
type remote struct {
	url    string
	sha256 string // hex
}

// fetch sees to it that the file is at path: it stays if it is there, else it
// is downloaded beside, checked, and renamed. Of several processes one
// downloads and the others wait for it.
func (r remote) fetch(ctx context.Context, path string, to progress.Reporter) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := r.fetchLocked(ctx, path, to); err != nil {
		return fmt.Errorf("data: download of %s: %w; run again, or put the file (SHA-256 %s) at %s yourself", r.url, err, r.sha256, path)
	}
	return nil
}

func (r remote) fetchLocked(ctx context.Context, path string, to progress.Reporter) error {
	lock := flock.New(path + ".lock")
	mine, err := lock.TryLock()
	if err == nil && !mine {
		waiting := track(to, "wait for another process to download "+filepath.Base(path), "bytes", 0)
		waiting.add(0)
		_, err = lock.TryLockContext(ctx, 200*time.Millisecond)
		waiting.finish()
	}
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	// The lock makes the name of the unfinished file safe to share, so a
	// download that was killed leaves one file, which the next overwrites.
	part := path + ".part"
	if err := r.download(ctx, part, to, stall); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// download writes the file to part, and succeeds only if it is whole, right and
// on disk. It gives up when nothing comes for as long as stall.
func (r remote) download(ctx context.Context, part string, to progress.Reporter, stall time.Duration) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watchdog.Stop()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}

	file, err := os.Create(part)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := track(to, "download "+filepath.Base(r.url), "bytes", max(response.ContentLength, 0))
	defer bar.finish()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, hash, kicker{watchdog, stall}), bar.reader(response.Body)); err != nil {
		return fmt.Errorf("after %d bytes: %w", bar.report.Done, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != r.sha256 {
		return fmt.Errorf("what came (%d bytes) has SHA-256 %s, which is not the published file", bar.report.Done, got)
	}
	return file.Sync()
}

// kicker keeps the watchdog quiet while bytes arrive.
type kicker struct {
	watchdog *time.Timer
	stall    time.Duration
}

func (k kicker) Write(p []byte) (int, error) {
	k.watchdog.Reset(k.stall)
	return len(p), nil
}

// check tells whether the file at path, which a person may have put there, is
// the published one.
func (r remote) check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != r.sha256 {
		return fmt.Errorf("data: %s has SHA-256 %s, but the file at %s has %s: remove it and run again", path, got, r.url, r.sha256)
	}
	return nil
}

// syncFolder makes a rename in the folder last through a crash of the machine.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

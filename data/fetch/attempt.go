package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"
	"time"

	"ngebm/data/files"
	"ngebm/data/progress"
)

const (
	partSuffix = ".part"
	fromSuffix = ".from"
	// maxUnknown bounds a file whose size was not published, in bytes.
	maxUnknown = 1 << 30
	// maxPage is more than a page has that a server sends in place of a file, in bytes.
	maxPage = 1 << 20
)

// download is one file that is being downloaded.
type download struct {
	getter
	file    File
	part    string      // path of what has come
	bar     *meter      // nil until something comes
	at      int64       // bytes that the last attempt left
	reached int64       // the most that any attempt left
	foreign bool        // the part holds bytes of an earlier attempt, process or mirror
	checked fs.FileInfo // of the part when its checksum was found right
}

// finish ends the bar, if there is one.
func (d *download) finish() {
	if d.bar != nil {
		d.bar.finish()
		d.bar = nil
	}
}

// forget removes what has come.
func (d *download) forget() error {
	if err := os.Remove(d.part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return &diskError{err}
	}
	_ = os.Remove(d.part + fromSuffix)
	d.at = 0
	return nil
}

// bound is the most bytes that the file may have.
func (d *download) bound() int64 {
	if d.file.Size > 0 {
		return d.file.Size
	}
	return maxUnknown
}

// attempt asks an address once for what is lacking, and succeeds if the part is
// then whole, right and on disk. An error that another attempt may fix is a
// retryError.
func (d *download) attempt(ctx context.Context, address string) (err error) {
	if d.at, err = files.Own(d.part); err != nil {
		return &diskError{err}
	}
	if d.at > d.bound() {
		if err := d.forget(); err != nil {
			return err
		}
	}
	d.foreign = d.at > 0
	if d.file.Size == 0 || d.at < d.file.Size {
		if err := d.transfer(ctx, address); err != nil {
			return err
		}
		d.finish()
	}
	err = d.compare(ctx)
	var other *otherFileError
	if !errors.As(err, &other) {
		return err
	}
	err = fmt.Errorf("what came (%d bytes) %w, and was thrown away", d.at, err)
	if d.foreign { // perhaps the two parts do not belong together
		return &retryError{err: err, restart: true}
	}
	return errors.Join(err, d.forget())
}

// compare compares the part's checksum with the file's.
func (d *download) compare(ctx context.Context) error {
	part, err := files.Open(d.part, d.bound())
	if err != nil {
		return &diskError{err}
	}
	defer part.Close()
	if d.checked, err = part.Stat(); err != nil {
		return &diskError{err}
	}
	return d.file.compare(ctx, part, d.Progress)
}

// transfer appends to the part what one answer holds of the file. It gives up when there
// is no answer, or fewer than minBytes arrive within stall.
func (d *download) transfer(ctx context.Context, address string) (err error) {
	caller := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := time.AfterFunc(d.answer, func() { cancel(fmt.Errorf("no answer for %v", d.answer)) })
	defer patience.Stop()
	answered := false
	defer func() {
		if err != nil && ctx.Err() != nil && caller.Err() == nil {
			err = &retryError{err: context.Cause(ctx), silent: !answered}
		}
	}()

	response, err := d.ask(ctx, address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	patience.Stop()
	answered = true
	watchdog := time.AfterFunc(d.stall, func() {
		cancel(fmt.Errorf("less than %s came in %v", progress.Report{Unit: "bytes", Done: d.minBytes}.Amount(), d.stall))
	})
	defer watchdog.Stop()
	start, err := begin(response, d.file.Size, d.bound(), d.at)
	if err != nil {
		return err
	}
	body := io.Reader(response.Body)
	if start < d.at && (d.file.Size == 0 || response.ContentLength != d.file.Size) {
		if body, err = d.again(body, watchdog); err != nil {
			return err
		}
	}
	file, err := d.open(start)
	if err != nil {
		return &diskError{err}
	}
	defer file.Close()
	source{address, response.Header.Get("ETag"), response.Header.Get("Last-Modified")}.note(d.part)
	d.progressFrom(start, response)
	to := &partWriter{file: file, d: d, watchdog: watchdog}
	_, err = io.CopyBuffer(to, io.LimitReader(body, d.bound()-start), make([]byte, 1<<17))
	var disk *diskError
	switch {
	case errors.As(err, &disk):
		return err
	case err != nil:
		return &retryError{err: fmt.Errorf("the connection broke after %d bytes: %w", d.at, err)}
	case d.at < d.file.Size:
		return &retryError{err: fmt.Errorf("the server ended after %d of %d bytes", d.at, d.file.Size)}
	}
	if n, _ := io.ReadFull(body, make([]byte, 1)); n > 0 {
		return errors.Join(fmt.Errorf("the server sends more than the %d bytes that the file may have", d.bound()), d.forget())
	}
	if err := file.Sync(); err != nil {
		return full(err)
	}
	return nil
}

// again returns the body of an answer that begins with byte 0 again. It waits until as much came as
// the part has, or more than a page has: a page in place of the file is no reason to drop the part.
func (d *download) again(from io.Reader, watchdog *time.Timer) (io.Reader, error) {
	enough := min(d.at, maxPage)
	body := bufio.NewReaderSize(from, int(enough))
	for n := int64(0); n < enough; watchdog.Reset(d.stall) {
		n = min(n+d.minBytes, enough)
		start, err := body.Peek(int(n))
		if err == io.EOF {
			return nil, &retryError{err: fmt.Errorf("the server sent only %d bytes from the beginning on, where %d had come before; if that is the whole file, remove %s", len(start), d.at, d.part)}
		}
		if err != nil {
			return nil, &retryError{err: fmt.Errorf("the connection broke after %d bytes: %w", len(start), err)}
		}
	}
	return body, nil
}

// open opens the part for writing from the given byte on.
func (d *download) open(start int64) (*os.File, error) {
	file, err := files.OpenOwn(d.part, 0o644)
	if err != nil {
		return nil, err
	}
	if start < d.at { // the server ignored the range
		if err := file.Truncate(start); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		d.foreign = start > 0
	}
	d.at = start
	if _, err := file.Seek(start, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// progressFrom sets the bar, which all attempts share, to the given byte.
func (d *download) progressFrom(start int64, response *http.Response) {
	if d.bar == nil {
		total := d.file.Size
		if total == 0 && response.ContentLength > 0 {
			total = start + response.ContentLength
		}
		d.bar = newMeter(d.Progress, "download "+d.file.Name, start, total)
	}
	d.bar.set(start)
}

// partWriter writes to the part, counts, and resets the watchdog while enough bytes arrive.
type partWriter struct {
	file     *os.File
	d        *download
	watchdog *time.Timer
	received int64 // since the watchdog was last reset
}

func (w *partWriter) Write(p []byte) (int, error) {
	if w.received += int64(len(p)); w.received >= w.d.minBytes {
		w.watchdog.Reset(w.d.stall)
		w.received = 0
	}
	n, err := w.file.Write(p)
	w.d.at += int64(n)
	w.d.bar.set(w.d.at)
	if err != nil {
		err = full(err)
	}
	return n, err
}

// full makes a diskError that says what to do when the disk is full.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("the disk is full: %w: make room, or set NGEBM_DATA to a folder on another (in Go, data.Options.Cache)", err)
	}
	return &diskError{err}
}

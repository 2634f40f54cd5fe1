package device

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gomlx/go-xla/installer"
	"github.com/gomlx/go-xla/pjrt"

	"ngebm/ngebm/progress"
)

// defaultSources lists the sources for the platform this runs on.
func defaultSources() []source {
	var sources []source
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		for _, w := range wheels {
			sources = append(sources, w.source())
		}
	}
	return append(sources, release{
		version: pjrt.DefaultCPUVersion,
		url: fmt.Sprintf("https://github.com/%s/releases/download/%s/pjrt_cpu_%s_%s.tar.gz",
			installer.BinaryCPUReleasesRepo, pjrt.DefaultCPUVersion, runtime.GOOS, runtime.GOARCH),
		connect: 5 * time.Second,
		idle:    30 * time.Second,
	}.source())
}

// release is a plugin published for go-xla: a .tar.gz with the file
// pjrt_c_api_cpu_<version>_plugin.so. go-xla's own installer cannot be cancelled
// and waits for a dead network without end, hence the download of our own.
type release struct {
	version, url  string
	connect, idle time.Duration // time allowed for an answer, and without a byte
}

func (r release) source() source {
	return source{name: "go-xla-" + r.version, what: "go-xla's release, no checksum published", fetch: r.fetch}
}

func (r release) fetch(ctx context.Context, work string, report progress.Reporter) (string, error) {
	archive := filepath.Join(work, "plugin.tar.gz")
	if err := r.download(ctx, archive, report); err != nil {
		return "", err
	}
	dir := filepath.Join(work, "unpacked")
	if _, err := installer.Untar(archive, dir); err != nil {
		return "", fmt.Errorf("%s: %w", r.url, err)
	}
	p, ok := findInstalled([]string{dir}, CPU)
	if !ok {
		return "", fmt.Errorf("%s holds no file named like pjrt_c_api_cpu_%s_plugin.so", r.url, r.version)
	}
	return filepath.EvalSymlinks(p.path)
}

// download writes the archive to a file.
func (r release) download(ctx context.Context, file string, report progress.Reporter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: r.connect}).DialContext,
		TLSHandshakeTimeout:   r.connect,
		ResponseHeaderTimeout: r.connect,
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", r.url, answer.Status)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	stalled := time.AfterFunc(r.idle, func() { cancel(fmt.Errorf("%s: no data for %v", r.url, r.idle)) })
	defer stalled.Stop()
	progress := &counter{report: report, task: "download " + filepath.Base(r.url), total: max(answer.ContentLength, 0), start: time.Now()}
	defer progress.tell(true)
	body := io.TeeReader(answer.Body, progress)
	progress.each = func() { stalled.Reset(r.idle) }
	if _, err := io.Copy(out, body); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return err
	}
	return out.Close()
}

// counter reports the bytes written to it.
type counter struct {
	report      progress.Reporter
	each        func() // called at every write
	task        string
	done, total int64
	start       time.Time
}

func (c *counter) Write(b []byte) (int, error) {
	c.done += int64(len(b))
	c.each()
	c.tell(false)
	return len(b), nil
}

func (c *counter) tell(finished bool) {
	c.report.Report(progress.Report{
		Task: c.task, Unit: "bytes", Done: c.done, Total: c.total,
		Elapsed: time.Since(c.start), Finished: finished,
	})
}

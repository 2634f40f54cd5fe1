// Package browsertest drives Chrome or Chromium in tests.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// FindBrowser returns a Chrome or Chromium of this machine. Without one a test is
// skipped, except in CI, where it fails.
func FindBrowser(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short: opens a browser")
	}
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const none = "no Chrome or Chromium on this machine (on Debian and Ubuntu: apt-get install chromium)"
	if os.Getenv("CI") == "true" {
		t.Fatal(none)
	}
	t.Skip("SKIPPED: " + none)
	return ""
}

// Browse opens a browser window of 1400 by 1000 that is closed with the test.
func Browse(t *testing.T, limit time.Duration, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(FindBrowser(t)), chromedp.WindowSize(1400, 1000))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithLogf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as the context it starts under
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// Album keeps screenshots: in $NGEBM_SCREENSHOTS if that is set, else for the time
// of the test.
type Album struct {
	T   *testing.T
	dir string
}

func NewAlbum(t *testing.T) Album {
	t.Helper()
	dir := os.Getenv("NGEBM_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshots are in %s (set NGEBM_SCREENSHOTS to keep them)", dir)
	return Album{t, dir}
}

// Take makes a screenshot of what the window shows.
func (a Album) Take(name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var picture []byte
		if err := chromedp.CaptureScreenshot(&picture).Do(ctx); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(a.dir, name+".png"), picture, 0o644)
	})
}

// Do runs browser actions; if one fails, or all take over two minutes, the test
// ends with a last picture.
func (a Album) Do(ctx context.Context, what string, actions ...chromedp.Action) {
	a.T.Helper()
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := chromedp.Run(limited, actions...); err != nil {
		last := chromedp.Run(ctx, a.Take("failed"))
		a.T.Fatalf("%s: %v (screenshot: %v)", what, err, last)
	}
}

// WatchRequests notes every address that the window asks for.
func WatchRequests(ctx context.Context) func() []string {
	var mu sync.Mutex
	var urls []string
	chromedp.ListenTarget(ctx, func(e any) {
		if sent, ok := e.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			urls = append(urls, sent.Request.URL)
			mu.Unlock()
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return urls
	}
}

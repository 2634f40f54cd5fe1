package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// FileURL is a page's address without a host.
func FileURL(site, name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.Join(site, name+".html")}).String()
}

// Prefer makes the window one of a system with a light or a dark theme, where
// nothing glides: a click has to find what it is meant for.
func Prefer(theme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	})
}

// AwaitFormulas waits until MathJax says that it has set every formula, if the page
// has any, and the page is loaded.
var AwaitFormulas = chromedp.PollFunction(`() => document.readyState === "complete" &&
	(!document.querySelector("script[src='mathjax.js']") ||
	window.MathJax && MathJax.startup && MathJax.startup.promise && MathJax.startup.promise.then(() => true))`, nil)

// ShowPictures loads also those pictures that are not on the screen.
var ShowPictures = chromedp.Evaluate(`Promise.all([...document.images].map(i => { i.loading = "eager"; return i.decode().catch(() => {}); })).then(() => 0)`, nil, AwaitPromise)

func AwaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// WatchConsole notes errors and warnings of scripts and of the browser itself.
func WatchConsole(ctx context.Context) func() []string {
	var mu sync.Mutex
	var said []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			note("%v", e.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				note("%s", e.Args[0].Value)
			}
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.LevelError {
				note("%s (%s)", e.Entry.Text, e.Entry.URL)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return said
	}
}

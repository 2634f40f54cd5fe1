package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// fileURL is a page's address without a host.
func fileURL(site, name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.Join(site, name+".html")}).String()
}

// prefer makes the window one of a system with a light or a dark theme, where
// nothing glides: a click has to find what it is meant for.
func prefer(theme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	})
}

// arriveAt waits until a click has led to a page. (What chromedp itself waits for may
// be on the page that is being left.)
func arriveAt(name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var there bool
			err := chromedp.Evaluate(fmt.Sprintf(`document.readyState === "complete" && location.pathname.endsWith("/%s.html")`, name), &there).Do(ctx)
			if there || ctx.Err() != nil {
				return errors.Join(err, ctx.Err())
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

// awaitFormulas waits until MathJax says that it has set every formula, if the page
// has any, and the page is loaded.
var awaitFormulas = chromedp.PollFunction(`() => document.readyState === "complete" &&
	(!document.querySelector("script[src='mathjax.js']") ||
	window.MathJax && MathJax.startup && MathJax.startup.promise && MathJax.startup.promise.then(() => true))`, nil)

// showPictures loads also those pictures that are not on the screen.
var showPictures = chromedp.Evaluate(`Promise.all([...document.images].map(i => { i.loading = "eager"; return i.decode().catch(() => {}); })).then(() => 0)`, nil, awaitPromise)

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// watchConsole notes errors and warnings of scripts and of the browser itself.
func watchConsole(ctx context.Context) func() []string {
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

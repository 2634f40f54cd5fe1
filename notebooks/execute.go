package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"
)

// executeScript runs a notebook's cells and reports on them; the protocol is
// described there.
//
//go:embed python/execute.py
var executeScript string

// kernelDeadline is how long a kernel may take to start.
const kernelDeadline = 2 * time.Minute

// limits are the longest times that headless execution may take.
type limits struct{ cell, total time.Duration }

// cellError says which cell of which notebook failed and why.
type cellError struct {
	notebook string
	number   int    // among the code cells, from 1; 0 where the kernel never came up
	line     string // the cell's first line
	reason   string
}

func (e *cellError) Error() string {
	if e.number == 0 {
		return fmt.Sprintf("%s: %s", plain(e.notebook), e.reason)
	}
	return fmt.Sprintf("%s: cell %d (%s): %s", plain(e.notebook), e.number, plain(shorten(e.line)), e.reason)
}

// event is one line from executeScript.
type event struct {
	Event   string   `json:"event"`
	Total   int      `json:"total"`
	Cell    int      `json:"cell"`
	Line    string   `json:"line"`
	Outputs []output `json:"outputs"`
	Message string   `json:"message"`
}

// execute runs every cell of the notebook at path in a fresh kernel, in order,
// and writes the notebook with its outputs to result. It stops at the first cell
// that fails or takes too long, with a *cellError. Whatever way it ends, no
// process that it started is left.
func execute(ctx context.Context, tools *toolbox, path, result string, limit limits, d *display) error {
	temp, release, err := tempFolder("run")
	if err != nil {
		return err
	}
	defer release()
	defer endFamily()

	ctx, cancel := context.WithTimeout(ctx, limit.total)
	defer cancel()
	var stderr lastLines
	cmd := command(ctx, tools.python, "-c", executeScript, path, result)
	cmd.Env = append(pythonEnv(),
		"JUPYTER_CONFIG_DIR="+temp,
		"JUPYTER_DATA_DIR="+temp,
		"JUPYTER_PATH="+filepath.Join(tools.kernel, "jupyter"), // where the kernel is described
		"JUPYTER_RUNTIME_DIR="+temp,
		"TMPDIR="+temp, // where kernels keep their files: gone with it
	)
	cmd.Stderr = &stderr
	leash, err := cmd.StdinPipe() // closed with this process, whatever ends it
	if err != nil {
		return err
	}
	defer leash.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", tools.python, err)
	}
	w := &watcher{notebook: plain(filepath.Base(path)), limit: limit, d: d, events: make(chan event)}
	go w.read(stdout)
	err = w.watch(ctx)
	if err != nil {
		endFamily() // at once, while every process can still be traced to its parent
	}
	for range w.events { // what was still on its way
	}
	waitErr := cmd.Wait()
	if err == errEnded {
		err = &cellError{w.notebook, w.cell, w.line, fmt.Sprintf("execution ended early (%v):\n%s", waitErr, stderr.String())}
	}
	return err
}

// watcher follows the execution of one notebook.
type watcher struct {
	notebook string
	limit    limits
	d        *display
	events   chan event

	total int
	cell  int // the cell that runs
	line  string
}

// errEnded says that the events ended before the notebook was saved.
var errEnded = errors.New("execution ended early")

// read passes events on until there are no more.
func (w *watcher) read(from io.Reader) {
	defer close(w.events)
	lines := json.NewDecoder(bufio.NewReader(from))
	for {
		var e event
		if lines.Decode(&e) != nil {
			return
		}
		w.events <- e
	}
}

// watch shows each cell as it runs and returns when the notebook is saved or
// cannot be.
func (w *watcher) watch(ctx context.Context) error {
	deadline := time.NewTimer(kernelDeadline)
	defer deadline.Stop()
	w.d.begin(w.notebook + ": starting the kernel")
	outcome := "failed"
	defer func() { w.d.done(outcome) }()
	for {
		select {
		case e, ok := <-w.events:
			if !ok {
				return errEnded
			}
			switch e.Event {
			case "cells":
				w.total = e.Total
			case "start":
				w.d.done("done")
				w.cell, w.line = e.Cell, e.Line
				w.d.begin(fmt.Sprintf("%s: cell %d of %d (%s)", w.notebook, w.cell, w.total, shorten(w.line)))
				deadline.Reset(w.limit.cell)
			case "end":
				if reason := failure(e.Outputs); reason != "" {
					return w.failed(reason)
				}
				deadline.Reset(w.limit.cell)
			case "fatal":
				return w.failed(e.Message)
			case "saved":
				outcome = "done"
				return nil
			}
		case <-deadline.C:
			if w.cell == 0 {
				return w.failed(fmt.Sprintf("the kernel did not start within %v", kernelDeadline))
			}
			return w.failed(fmt.Sprintf("still running after %v, the longest a cell may take (-timeout)", w.limit.cell))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				outcome = "stopped"
				return ctx.Err()
			}
			return w.failed(fmt.Sprintf("still running after %v, the longest a notebook may take (-total)", w.limit.total))
		}
	}
}

func (w *watcher) failed(reason string) error {
	return &cellError{w.notebook, w.cell, w.line, reason}
}

// shorten cuts a line of code to what fits a progress line.
func shorten(line string) string {
	const most = 50
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return line
}

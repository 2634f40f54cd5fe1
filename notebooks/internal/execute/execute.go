// Package execute runs notebooks without a browser, cell by cell, and keeps what was executed
// in a cache: a notebook runs again when something that it depends on has changed.
package execute

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

	"ngebm/data/plain"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/printable"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
	"ngebm/notebooks/internal/tempdir"
)

// executeScript runs a notebook's cells and reports on them; the protocol is
// described there.
//
//go:embed execute.py
var executeScript string

// kernelDeadline is how long a kernel may take to start.
const kernelDeadline = 2 * time.Minute

// Limits are the longest times that headless execution may take.
type Limits struct{ Cell, Total time.Duration }

// event is one line from executeScript.
type event struct {
	Event   string            `json:"event"`
	Total   int               `json:"total"`
	Cell    int               `json:"cell"`
	Line    string            `json:"line"`
	Outputs []notebook.Output `json:"outputs"`
	Message string            `json:"message"`
}

// Notebook runs every cell of the notebook at path in a fresh kernel, in order,
// and writes the notebook with its outputs to result. It stops at the first cell
// that fails or takes too long, with a *CellError. Whatever way it ends, no
// process that it started is left. Several may run at once.
func Notebook(ctx context.Context, p *setup.Workspace, tools *setup.Tools, path, result string, limit Limits, d *display.Display) error {
	temp, release, err := tempdir.Folder("run")
	if err != nil {
		return err
	}
	defer release()

	ctx, cancel := context.WithTimeout(ctx, limit.Total)
	defer cancel()
	var stderr printable.Tail
	cmd := proc.Command(ctx, tools.Python, "-c", executeScript, path, result)
	cmd.Env = append(setup.PythonEnv(),
		"JUPYTER_CONFIG_DIR="+temp,
		"JUPYTER_DATA_DIR="+temp,
		"JUPYTER_PATH="+filepath.Join(tools.Kernel, "jupyter"), // where the kernel is described
		"JUPYTER_RUNTIME_DIR="+temp,
		setup.ProjectVariable+"="+p.Root,
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
		return fmt.Errorf("cannot start %s: %w", tools.Python, err)
	}
	w := &watcher{notebook: plain.Text(filepath.Base(path)), limit: limit, d: d, events: make(chan event)}
	go w.read(stdout)
	err = w.watch(ctx)
	proc.KillFamilyOf(cmd.Process.Pid) // while every process can still be traced to it
	leash.Close()
	if err != nil {
		cmd.Process.Kill()
	}
	for range w.events { // what was still on its way
	}
	waitErr := cmd.Wait()
	if err == errEnded {
		err = &notebook.CellError{Notebook: w.notebook, Number: w.cell, Line: w.line, Reason: fmt.Sprintf("execution ended early (%v):\n%s", waitErr, stderr.String())}
	}
	return err
}

// watcher follows the execution of one notebook.
type watcher struct {
	notebook string
	limit    Limits
	d        *display.Display
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
	w.d.Begin(w.notebook + ": starting the kernel")
	outcome := "failed"
	defer func() { w.d.Done(outcome) }()
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
				w.d.Done("done")
				w.cell, w.line = e.Cell, e.Line
				w.d.Begin(fmt.Sprintf("%s: cell %d of %d (%s)", w.notebook, w.cell, w.total, printable.Shorten(w.line)))
				deadline.Reset(w.limit.Cell)
			case "end":
				if reason := notebook.Failure(e.Cell, e.Outputs); reason != "" {
					return w.failed(reason)
				}
				deadline.Reset(w.limit.Cell)
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
			return w.failed(fmt.Sprintf("still running after %v, the longest a cell may take (-timeout)", w.limit.Cell))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				outcome = "stopped"
				return ctx.Err()
			}
			return w.failed(fmt.Sprintf("still running after %v, the longest a notebook may take (-total)", w.limit.Total))
		}
	}
}

func (w *watcher) failed(reason string) error {
	return &notebook.CellError{Notebook: w.notebook, Number: w.cell, Line: w.line, Reason: reason}
}

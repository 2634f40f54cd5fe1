package ngebm

import (
	"errors"
	"strings"
)

// backendError is an error of the device or of GoMLX in one line.
type backendError struct {
	line string
	err  error
}

func (e *backendError) Error() string { return e.line }
func (e *backendError) Unwrap() error { return e.err }

// firstLine drops what GoMLX puts around an error: around the message of a panic in a
// graph's function, and the tensors and the stack trace after it.
func firstLine(err error) error { return &backendError{advised(err), err} }

// advised is the line of firstLine, with what to do where the device has too little
// memory, an operation cannot be differentiated twice, or two layers have one name.
func advised(err error) string {
	line, _, more := strings.Cut(err.Error(), "\n")
	if more {
		cause := err
		for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
			cause = next
		}
		if text := cause.Error(); !strings.Contains(text, "\n") && !strings.Contains(line, text) {
			line = text
		}
	}
	if i := strings.LastIndex(line, " panicked: "); i >= 0 {
		line = line[i+len(" panicked: "):]
	}
	switch {
	case strings.Contains(line, "SelectAndScatterMax") && strings.Contains(line, "no gradient is defined"):
		return line + "; graph.MaxPool cannot be differentiated twice, as gamma's gradient norm needs: use nets.MaxPool2D"
	case strings.Contains(line, "no gradient is defined"):
		return line + "; gamma's gradient norm needs networks of operations that GoMLX can differentiate twice: take another operation, or gamma=0"
	case strings.Contains(line, "already visited"):
		return line + " (in a network it is not: each layer needs a name of its own)"
	}
	for _, sign := range []string{"RESOURCE_EXHAUSTED", "(code=8)", "Out of memory"} { // XLA's, by device and version
		if strings.Contains(line, sign) {
			return line + "; the device has too little memory for this: lower batch, take a smaller network or smaller images, or another device with -device"
		}
	}
	return line
}

// Package explain turns errors of GoMLX and XLA into one line that says what to do.
package explain

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

// Error returns err in one line, without what GoMLX puts around it: the message of a
// panic in a graph's function before it, the tensors and the stack trace after it. Where
// the device has too little memory, an operation cannot be differentiated twice, or two
// layers share a name, the line says what to do. [errors.Is] and [errors.As] find err in it.
func Error(err error) error { return &backendError{line(err), err} }

func line(err error) string {
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
		return line + "; two layers share a scope name: give each layer its own with scope.In"
	}
	for _, sign := range []string{"RESOURCE_EXHAUSTED", "(code=8)", "Out of memory"} { // XLA's, by device and version
		if strings.Contains(line, sign) {
			return line + "; the device has too little memory for this: lower batch, take a smaller network or smaller images, or another device with -device"
		}
	}
	return line
}

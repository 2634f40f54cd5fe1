package ngebm

import "strings"

// firstLine drops what GoMLX puts around the message of a panic in a graph's
// function, and the stack trace. It adds what to do where the device has too little
// memory, an operation cannot be differentiated twice, or two layers have one name.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
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

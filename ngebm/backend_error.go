package ngebm

import "strings"

// firstLine drops what GoMLX puts around the message of a panic in a graph's
// function, and the stack trace. Where the device has too little memory it adds what to
// lower.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if i := strings.LastIndex(line, " panicked: "); i >= 0 {
		line = line[i+len(" panicked: "):]
	}
	for _, sign := range []string{"RESOURCE_EXHAUSTED", "(code=8)", "Out of memory"} { // XLA's, by device and version
		if strings.Contains(line, sign) {
			return line + "; the device has too little memory for this: lower batch, take a smaller network or smaller images, or another device with -device"
		}
	}
	return line
}

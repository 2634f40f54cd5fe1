package printable

import (
	"bytes"
	"strings"
)

// Tail keeps the end of what is written to it.
type Tail struct{ buf []byte }

const lastBytes = 4000

func (l *Tail) Write(p []byte) (int, error) {
	l.buf = append(l.buf, p...)
	if cut := len(l.buf) - lastBytes; cut > 0 {
		l.buf = l.buf[cut:]
		if i := bytes.IndexByte(l.buf, '\n'); i >= 0 {
			l.buf = l.buf[i+1:]
		}
	}
	return len(p), nil
}

func (l *Tail) String() string { return strings.TrimSpace(string(l.buf)) }
